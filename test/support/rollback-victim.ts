import { writeFileSync } from 'node:fs'
import { disable } from '../../src/rollback/disable.ts'
import { rollbackCommand } from '../../src/rollback-command.ts'
import { realSystem } from '../../src/system/real.ts'
import type { System } from '../../src/system/system.ts'
import { QUICK } from './rollback.ts'

// A rollback that stands still at points of its run: `rollback-victim.ts '["applied configure"]' --yes --reason ...`.
const [points] = process.argv.splice(2, 1)
const left = JSON.parse(points!) as string[]

/** Tells the test, and waits until it says go. */
async function pause(moment: string): Promise<void> {
  if (left[0] !== moment) return
  left.shift()
  process.send!(moment)
  await new Promise<void>((go) => process.once('message', () => go()))
}

let asked = 0
const system: System = {
  ...realSystem,
  async replaceFile(path, content, options) {
    if (path.endsWith('.env')) {
      // As the real one leaves it when it dies in the middle.
      writeFileSync(`${path}.approval-ops-new`, Buffer.from(content).subarray(0, 10))
      await pause('half written')
    }
    await realSystem.replaceFile(path, content, options)
  },
  async signal(process, signal) {
    await pause('before the signal')
    const sent = await realSystem.signal(process, signal)
    await pause('after the signal')
    return sent
  },
  async http(request) {
    const answer = await realSystem.http(request)
    if (verifying) await pause(`answer ${++asked}`)
    return answer
  },
}
let verifying = false

const code = await rollbackCommand(disable, process, {
  stability: QUICK,
  system,
  async pause(moment) {
    verifying = moment.startsWith('applied')
    await pause(moment)
  },
})
process.exitCode = code
process.disconnect()
