import { type Attended, attend, type Scheduler } from './attend.ts'
import { clockSince } from './decide.ts'
import type { Trigger } from './ledger.ts'
import { latestSlot, nextSlot, type Slot, slotCount } from './slots.ts'
import type { ScheduledJob } from './table.ts'

/** A job that is seen for the first time right after its time (cron's first call) still gets that run. */
const FIRST_SIGHT_MS = 90_000

export interface Ticked {
  readonly job: ScheduledJob
  readonly slot: Slot
  readonly result: Attended
}

/**
 * Looks after every job once: what is due and not on record is run, what can no longer be run is filed as missed.
 * @param youngest slots younger than this are left to whoever starts them on time
 */
export async function tick(scheduler: Scheduler, by: Trigger, youngest = 0): Promise<Ticked[]> {
  const { now, trusted } = await readClock(scheduler)
  if (!trusted) return []
  const results = await Promise.all(
    scheduler.table.map(async (job) => {
      const slot = latestSlot(job, now, scheduler.zone)
      const since = await scheduler.ledger.knownSince(job.name, now - FIRST_SIGHT_MS)
      if (slot.due < since || now - slot.due < youngest) return []
      return [{ job, slot, result: await attendWithPast(scheduler, job, slot, since, by) }]
    }),
  )
  return results.flat()
}

/** Attends to the latest slot of one job because somebody asks for it, even if it was due before we knew the job. */
export async function runLatest(scheduler: Scheduler, job: ScheduledJob, by: Trigger): Promise<Ticked> {
  const { now } = scheduler.clock()
  const slot = latestSlot(job, now, scheduler.zone)
  const since = await scheduler.ledger.knownSince(job.name, now - FIRST_SIGHT_MS)
  return { job, slot, result: await attendWithPast(scheduler, job, slot, since, by) }
}

/** node-cron's call at the job's time: like a tick for this job alone, and as careful about the clock. */
export async function runOnTime(scheduler: Scheduler, job: ScheduledJob): Promise<Attended | null> {
  const { trusted } = await readClock(scheduler)
  return trusted ? (await runLatest(scheduler, job, 'node-cron')).result : null
}

async function readClock(scheduler: Scheduler): Promise<{ now: number; trusted: boolean }> {
  const { ledger, say, tell } = scheduler
  const clock = scheduler.clock()
  const { movedBy, next, trusted } = clockSince(await ledger.heartbeat(), clock)
  await ledger.beat(next)
  if (movedBy !== 0) tell(say('clock_moved', { seconds: Math.round(movedBy / 1000) }))
  if (!trusted) tell(say('clock_distrusted', { seconds: Math.ceil((next.settleUntil - clock.uptime) / 1000) }))
  return { now: clock.now, trusted }
}

async function attendWithPast(
  scheduler: Scheduler,
  job: ScheduledJob,
  slot: Slot,
  since: number,
  by: Trigger,
): Promise<Attended> {
  try {
    const isNew = (await scheduler.ledger.find(job.name, slot.date)) === null
    if (isNew) await fileMissed(scheduler, job, slot, since, by)
    return await attend(scheduler, job, slot, by)
  } catch (error) {
    const cause = (error as Error).message
    scheduler.tell(scheduler.say('not_started', { job: job.name, date: slot.date, cause }))
    return { kind: 'failed', cause }
  }
}

/** One row for all the slots before the latest that nobody attended to; with the latest when its window is over. */
async function fileMissed(scheduler: Scheduler, job: ScheduledJob, latest: Slot, since: number, by: Trigger) {
  const { ledger, zone, self: holder, say, tell } = scheduler
  const { now } = scheduler.clock()
  const accounted = Math.max((await ledger.lastDueBefore(job.name, latest.due)) ?? 0, since - 1)
  const first = nextSlot(job, accounted, zone)
  const last = now - latest.due > job.catchUpMs ? latest : latestSlot(job, latest.due - 1, zone)
  if (first.due > last.due) return
  const missed = { from: first.date, count: slotCount(job, first, last) }
  const claim = { job: job.name, slot: last, trigger: by, holder, now }
  if (!(await ledger.notRun(claim, 'MISSED', missed, null))) return
  tell(say('missed', { job: job.name, count: missed.count, from: first.date, to: last.date }))
}
