import type { Say } from '../report/words.ts'
import type { ProcessIdentity, System } from '../system/system.ts'
import { type Clock, standingOf, stepFor } from './decide.ts'
import type { Claim, JobRun, Ledger, Trigger } from './ledger.ts'
import { perform } from './perform.ts'
import type { Slot } from './slots.ts'
import type { ScheduledJob } from './table.ts'
import type { ko } from './words.ts'

/** Later than this is "caught up", whoever starts it: cron comes round every five minutes. */
const LATE_MS = 6 * 60_000
const KILL_AFTER_MS = 5_000

/** One scheduling process: its world, and what it is doing. */
export interface Scheduler {
  readonly table: readonly ScheduledJob[]
  readonly zone: string
  readonly system: System
  readonly ledger: Ledger
  readonly clock: () => Clock
  readonly self: ProcessIdentity
  /** Starts Node programs; they run in `root` with `env`, and their output is kept in `runs`. */
  readonly node: string
  readonly root: string
  readonly env: Readonly<Record<string, string>>
  readonly runs: string
  /** Aborted when running jobs must end now. */
  readonly signal: AbortSignal
  /** `JOB DATE` of the runs that this process performs. */
  readonly running: Set<string>
  readonly say: Say<typeof ko>
  /** One line for the operator. */
  readonly tell: (line: string) => void
}

export type Attended =
  | { readonly kind: 'ran'; readonly run: JobRun }
  /** Not started: this row stands for the slot, or is the run of another date that is still going. */
  | { readonly kind: 'taken'; readonly by: JobRun | null }
  | { readonly kind: 'overlap'; readonly by: JobRun }
  /** Its window is over, and nobody ran it. */
  | { readonly kind: 'missed' }
  /** Neither run nor judged: the ledger or the machine failed. */
  | { readonly kind: 'failed'; readonly cause: string }

export const runKey = (job: string, slot: Slot): string => `${job} ${slot.date}`

/** Does for one slot whatever is still to be done: nothing, a run, a second attempt. Any number of processes may. */
export async function attend(scheduler: Scheduler, job: ScheduledJob, slot: Slot, by: Trigger): Promise<Attended> {
  const { ledger, self } = scheduler
  const going = await settleActive(scheduler, job)
  const { now } = scheduler.clock()
  const row = await ledger.find(job.name, slot.date)
  const step = stepFor(slot, row, job, now)
  if (step === 'taken') return { kind: 'taken', by: row }
  if (step === 'missed') return { kind: 'missed' }
  const trigger = by !== 'hand' && now - slot.due > LATE_MS ? 'catch-up' : by
  const claim: Claim = { job: job.name, slot, trigger, holder: self, now }
  if (going) return await overlap(scheduler, claim, going, row)

  const key = runKey(job.name, slot)
  if (scheduler.running.has(key)) return { kind: 'taken', by: row }
  scheduler.running.add(key)
  try {
    const won = row === null ? await ledger.claim(claim) : await ledger.claimAgain(claim, row)
    const now = await ledger.find(job.name, slot.date)
    if (!won || now === null) return { kind: 'taken', by: now }
    return { kind: 'ran', run: await perform(scheduler, job, now) }
  } finally {
    scheduler.running.delete(key)
  }
}

async function overlap(scheduler: Scheduler, claim: Claim, going: JobRun, row: JobRun | null): Promise<Attended> {
  const note = `the run of ${going.slot.date} was still going`
  if (row === null && (await scheduler.ledger.notRun(claim, 'OVERLAP', null, note))) {
    scheduler.tell(scheduler.say('overlap', { job: claim.job, date: claim.slot.date, earlier: going.slot.date }))
  }
  return { kind: 'overlap', by: going }
}

/** Closes the rows whose runs are gone. What remains is a run that is still going, if any. */
async function settleActive(scheduler: Scheduler, job: ScheduledJob): Promise<JobRun | null> {
  const { ledger, system, say, tell } = scheduler
  let going: JobRun | null = null
  for (const run of await ledger.active(job.name)) {
    const { now } = scheduler.clock()
    const standing = standingOf(run, job, await liveness(scheduler, run), now)
    const { pid, host } = run.holder
    const about = { job: job.name, date: run.slot.date, pid, host }
    if (standing === 'going') {
      going = run
    } else if (standing === 'gone') {
      const note = `attempt ${run.attempt}: process ${pid} on ${host} is gone`
      const ending = { state: 'ABANDONED', exitCode: null, outputTail: null, note, now } as const
      if (await ledger.finished(run, ending)) tell(say('abandoned', about))
    } else {
      await system.endGroup(run.child!, KILL_AFTER_MS)
      const note = `process ${pid} on ${host} was gone, its run was not`
      const ending = { state: 'TIMED_OUT', exitCode: 124, outputTail: null, note, now: scheduler.clock().now } as const
      if (await ledger.finished(run, ending)) tell(say('orphan_ended', about))
    }
  }
  return going
}

async function liveness({ system, self, running }: Scheduler, run: JobRun) {
  const { holder, child } = run
  const isOurs = holder.host === self.host && holder.pid === self.pid && holder.start === self.start
  return {
    foreign: holder.host !== self.host,
    // We know better than the machine whether we still perform it.
    holder: isOurs ? running.has(runKey(run.job, run.slot)) : await system.isAlive(holder),
    child: child !== null && (await system.isGroupAlive(child)),
  }
}
