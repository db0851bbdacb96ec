import { runLatest } from '../../src/schedule/tick.ts'
import { openLedger } from '../../src/store/ledger.ts'
import { realSystem } from '../../src/system/real.ts'
import { hand, MORNING } from './scheduler.ts'

// One of several processes that try for the same slots: `schedule-racer.ts FOLDER`. Each message is the instant of a
// slot; the answer says whether this process ran it.
const dir = process.argv[2]!
const { ledger, close } = openLedger(`${dir}/ops.db`, Date.parse('2026-11-20T00:00:00Z'))
const racer = await hand(ledger, dir)
const scheduler = { ...racer.scheduler, system: realSystem }
const job = { ...MORNING, command: ['test/support/schedule-job.ts', `${dir}/ran`] }

process.on('message', async (instant: string) => {
  racer.at(instant)
  const { result } = await runLatest(scheduler, job, 'cron')
  process.send!(result.kind)
})
process.on('disconnect', close)
process.send!('ready')
