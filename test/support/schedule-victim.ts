import { runLatest } from '../../src/schedule/tick.ts'
import { openLedger } from '../../src/store/ledger.ts'
import { realSystem } from '../../src/system/real.ts'
import { hand, MORNING } from './scheduler.ts'

// A scheduler that is killed at a point of its run: `schedule-victim.ts FOLDER INSTANT claimed|held`.
const [dir = '', instant = '', point = ''] = process.argv.slice(2)
const die = async (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL')
  return await new Promise(() => {})
}
const victim = (await hand(openLedger(`${dir}/ops.db`, Date.parse(instant)).ledger, dir)).at(instant)
const system = {
  ...realSystem,
  run: (argv: readonly string[], options: Parameters<typeof realSystem.run>[1]) =>
    point === 'claimed' ? die() : realSystem.run(argv, { ...options, beforeStart: die }),
}
const job = { ...MORNING, command: ['test/support/schedule-job.ts', `${dir}/ran`] }
await runLatest({ ...victim.scheduler, system }, job, 'node-cron')
