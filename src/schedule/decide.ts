import type { Heartbeat, JobRun } from './ledger.ts'
import type { Slot } from './slots.ts'
import type { ScheduledJob } from './table.ts'

/** An interrupted run is tried once more, not for ever. */
const MAX_ATTEMPTS = 2
/** A run of another machine, whose processes cannot be seen, counts as lost so long after its deadline. */
const FOREIGN_MARGIN_MS = 60_000
/** A clock is "moved" from this on; smaller steps are ordinary corrections. */
const MOVED_MS = 60_000
const DAY_MS = 86_400_000
/** How long a clock that leapt forward by more than a day is watched before anything is started by it. */
const SETTLE_MS = 5 * 60_000

/** What can be known about the processes behind an active row. */
export interface Liveness {
  readonly holder: boolean
  readonly child: boolean
  /** The row was written on another machine: neither can be known. */
  readonly foreign: boolean
}

export type Standing =
  /** Its holder, or after the holder's death its own processes, are still at it. */
  | 'going'
  /** Its holder died and its processes outlived the deadline that the holder would have enforced. */
  | 'overdue'
  | 'gone'

export function standingOf(run: JobRun, job: ScheduledJob, live: Liveness, now: number): Standing {
  const deadline = (run.startedAt ?? run.claimedAt) + job.deadlineMs
  if (live.foreign) return now > deadline + FOREIGN_MARGIN_MS ? 'gone' : 'going'
  if (live.holder) return 'going'
  if (!live.child) return 'gone'
  return now > deadline ? 'overdue' : 'going'
}

export type Step = 'claim' | 'claim-again' | 'missed' | 'taken'

/** What is to be done about a slot, given the row that stands for it (after dead holders were dealt with). */
export function stepFor(slot: Slot, row: JobRun | null, job: ScheduledJob, now: number): Step {
  const inWindow = now - slot.due <= job.catchUpMs
  if (row === null) return inWindow ? 'claim' : 'missed'
  return row.state === 'ABANDONED' && row.attempt < MAX_ATTEMPTS && inWindow ? 'claim-again' : 'taken'
}

export interface Clock {
  readonly now: number
  /** Milliseconds since boot, suspended time included: sleep moves it, setting the clock does not. */
  readonly uptime: number
  readonly boot: string
}

/**
 * Compares the wall clock with the clock that nobody can set. A leap forward of more than a day is not acted upon for
 * some minutes: most such leaps are mistakes that are taken back, and each would start runs of days that never were.
 */
export function clockSince(
  last: Heartbeat | null,
  clock: Clock,
): { movedBy: number; next: Heartbeat; trusted: boolean } {
  const comparable = last !== null && last.boot === clock.boot && clock.uptime >= last.uptime
  const drift = comparable ? clock.now - last.at - (clock.uptime - last.uptime) : 0
  const movedBy = Math.abs(drift) > MOVED_MS ? drift : 0
  const waiting = comparable && movedBy >= 0 ? last.settleUntil : 0
  const settleUntil = movedBy > DAY_MS ? clock.uptime + SETTLE_MS : waiting
  const { now: at, uptime, boot } = clock
  return { movedBy, trusted: clock.uptime >= settleUntil, next: { at, uptime, boot, settleUntil } }
}
