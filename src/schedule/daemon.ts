import { createTask, type ScheduledTask, setLogger } from 'node-cron'
import type { Scheduler } from './attend.ts'
import { cronExpression } from './table.ts'
import { runOnTime, tick } from './tick.ts'

/** A slot this young is left to its own timer, which goes off in the same second as the minute's tick. */
const ON_TIME_MS = 30_000

const silent = () => {}

/**
 * Keeps the schedule until `stop`: each job at its time, and every minute a look for what was missed, because timers
 * stand still while a machine sleeps and skip some times when a clock jumps.
 * @returns when nothing is running any more
 */
export async function keepSchedule(scheduler: Scheduler, stop: AbortSignal): Promise<void> {
  const { table, zone, say, tell } = scheduler
  const work = new Set<Promise<unknown>>()
  let lastFailure = ''
  const follow = (what: Promise<unknown>): void => {
    const done = what
      .then(() => {
        lastFailure = ''
      })
      .catch((error: Error) => {
        // Every minute again: once is enough for the same trouble.
        if (error.message !== lastFailure) tell(say('tick_failed', { cause: error.message }))
        lastFailure = error.message
      })
      .finally(() => work.delete(done))
    work.add(done)
  }
  setLogger({ info: silent, warn: silent, error: silent, debug: silent })
  const tasks: ScheduledTask[] = [
    ...table.map((job) =>
      createTask(cronExpression(job), () => follow(runOnTime(scheduler, job)), { name: job.name, timezone: zone }),
    ),
    createTask('* * * * *', () => follow(tick(scheduler, 'catch-up', ON_TIME_MS)), { name: 'minute', timezone: 'UTC' }),
  ]
  if (!stop.aborted) {
    follow(tick(scheduler, 'catch-up'))
    for (const task of tasks) await task.start()
    await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }))
  }
  for (const task of tasks) await task.destroy()
  if (scheduler.running.size > 0) tell(say('stopping', { jobs: [...scheduler.running].join(', ') }))
  await Promise.all(work)
}
