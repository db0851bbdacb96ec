import { writeFileSync } from 'node:fs'
import { cli } from '../../src/rollback/cli.ts'
import { rollbackCommand } from '../../src/rollback-command.ts'
import { realSystem } from '../../src/system/real.ts'
import type { System } from '../../src/system/system.ts'

// A rollback of files that stands still at points of its run: `rollback-cli-victim.ts '["begun"]' --yes --reason ...`.
const [points] = process.argv.splice(2, 1)
const left = JSON.parse(points!) as string[]

/** Tells the test, and waits until it says go. */
async function pause(moment: string): Promise<void> {
  if (left[0] !== moment) return
  left.shift()
  process.send!(moment)
  await new Promise<void>((go) => process.once('message', () => go()))
}

const system: System = {
  ...realSystem,
  async replaceFile(path, content, options) {
    if (path.endsWith('cli/a')) {
      // As the real one leaves it when it dies in the middle.
      writeFileSync(`${path}.approval-ops-new`, Buffer.from(content).subarray(0, 1))
      await pause('half written')
    }
    await realSystem.replaceFile(path, content, options)
  },
}

process.exitCode = await rollbackCommand(cli, process, { system, pause })
process.disconnect()
