import type { ProcessIdentity } from '../system/system.ts'
import type { Slot } from './slots.ts'

/**
 * CLAIMED: somebody will start it. RUNNING. DONE: it ran to its end and gave its verdict (exit codes 0-3). FAILED: any
 * other end. TIMED_OUT: its deadline passed. ABANDONED: who ran it is gone. MISSED: nobody was there. OVERLAP: not
 * started, since the run before it was still going.
 */
export const RUN_STATES = [
  'CLAIMED',
  'RUNNING',
  'DONE',
  'FAILED',
  'TIMED_OUT',
  'ABANDONED',
  'MISSED',
  'OVERLAP',
] as const
export type RunState = (typeof RUN_STATES)[number]

/** Who started a run: the scheduler on time, cron, either of them late, or a person. */
export type Trigger = 'node-cron' | 'cron' | 'catch-up' | 'hand'

/** One row of the ledger: at most one per job and date. Instants are milliseconds since 1970. */
export interface JobRun {
  readonly job: string
  readonly slot: Slot
  readonly state: RunState
  readonly attempt: number
  readonly trigger: Trigger
  /** When the row was made or claimed. */
  readonly claimedAt: number
  readonly holder: ProcessIdentity
  /** Leads the process group of the run; known from RUNNING on. */
  readonly child: ProcessIdentity | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly exitCode: number | null
  readonly outputTail: string | null
  readonly outputFile: string | null
  /** MISSED: the first date and the number of slots that this row stands for; it is filed under the last. */
  readonly missed: { readonly from: string; readonly count: number } | null
  readonly note: string | null
}

export interface Claim {
  readonly job: string
  readonly slot: Slot
  readonly trigger: Trigger
  readonly holder: ProcessIdentity
  readonly now: number
}

export interface Ending {
  readonly state: 'DONE' | 'FAILED' | 'TIMED_OUT' | 'ABANDONED'
  readonly exitCode: number | null
  readonly outputTail: string | null
  readonly note: string | null
  readonly now: number
}

/** When a tick last happened, by the wall clock and by the clock that nobody can set. */
export interface Heartbeat {
  readonly at: number
  /** Milliseconds since boot, suspended time included. */
  readonly uptime: number
  readonly boot: string
  /** Until this uptime the wall clock is not trusted. */
  readonly settleUntil: number
}

/**
 * The record of what ran. Every method is one durable transaction; the database decides races, and a method that
 * returns a boolean says who won.
 */
export interface Ledger {
  /** When a job was first seen: what was due before is nobody's debt. */
  knownSince(job: string, now: number): Promise<number>
  find(job: string, date: string): Promise<JobRun | null>
  /** Rows that are CLAIMED or RUNNING, whatever their date. */
  active(job: string): Promise<JobRun[]>
  /** The due instant of the newest row that is due before `before`. */
  lastDueBefore(job: string, before: number): Promise<number | null>
  /** False when the date has a row, or another date's run is active. */
  claim(claim: Claim): Promise<boolean>
  /** Takes an ABANDONED row over for one more attempt. False when somebody else did, or another run is active. */
  claimAgain(claim: Claim, abandoned: JobRun): Promise<boolean>
  started(run: JobRun, child: ProcessIdentity, outputFile: string, now: number): Promise<boolean>
  /** False when the row is no longer this attempt's: then its end is somebody else's to write. */
  finished(run: JobRun, ending: Ending): Promise<boolean>
  /** Files a row for something that did not run. False when the date has a row. */
  notRun(claim: Claim, state: 'MISSED' | 'OVERLAP', missed: JobRun['missed'], note: string | null): Promise<boolean>
  history(job: string | null, limit: number): Promise<JobRun[]>
  heartbeat(): Promise<Heartbeat | null>
  beat(heartbeat: Heartbeat): Promise<void>
}
