import { env } from '../../src/rollback/env.ts'
import { rollbackCommand } from '../../src/rollback-command.ts'

// `rollback-env-victim.ts MOMENT --yes ...`: dies of SIGKILL at that moment of its journal.
const [fatal] = process.argv.splice(2, 1)

process.exitCode = await rollbackCommand(env, process, {
  stability: { answers: 3, overMs: 200, everyMs: 50, withinMs: 8_000 },
  async pause(moment) {
    await new Promise<void>((told) => process.send!(moment, () => told()))
    if (moment === fatal) process.kill(process.pid, 'SIGKILL')
  },
})
process.disconnect()
