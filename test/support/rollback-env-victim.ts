import { env } from '../../src/rollback/env.ts'
import { rollbackCommand } from '../../src/rollback-command.ts'

// `rollback-env-victim.ts MOMENT SIGNAL --yes ...`: gets the signal at that moment of its journal.
const [fatal, signal] = process.argv.splice(2, 2)

process.exitCode = await rollbackCommand(env, process, {
  stability: { answers: 3, overMs: 200, everyMs: 50, withinMs: 8_000 },
  async pause(moment) {
    await new Promise<void>((told) => process.send!(moment, () => told()))
    if (moment !== fatal) return
    process.kill(process.pid, signal)
    // It is heard before anything else is done.
    await new Promise((later) => setTimeout(later, 30))
  },
})
process.disconnect()
