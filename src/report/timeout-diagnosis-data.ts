import type { Contact } from './contact.ts'
import type { Facts } from './daily-check-data.ts'
import type { State } from './document.ts'
import type { DecisionTimes } from './statistics.ts'
import type { Unanswered } from './unanswered.ts'

export const FINDINGS = [
  'decided_twice',
  'server_silent',
  'zombies',
  'server_down',
  'nobody',
  'notified',
  'opened',
  'caller_gone',
  'too_late',
  'unknown',
  'queue_full',
  'busy',
  'not_wal',
  'wal_large',
  'disk_full_soon',
] as const
export type FindingCode = (typeof FINDINGS)[number]

/** What somebody should look after. Its sentence is the catalogue's `finding.<code>`. */
export interface Finding {
  readonly code: FindingCode
  readonly state: Extract<State, 'warning' | 'critical'>
  readonly facts: Facts
  readonly next_command: string
  /** Whom to call about it; absent where a command is enough. */
  readonly contact?: Contact
}

export interface Timeouts {
  /** ISO 8601, half-open. */
  readonly from: string
  readonly until: string
  /** When the record begins, if that is later than `from`; null: it has all of the period. */
  readonly record_begins: string | null
  readonly unanswered: Unanswered
  /** Marked pending although the deadline has passed for a minute, whenever they were asked. */
  readonly zombies: { readonly count: number; readonly since: string | null; readonly ids: readonly string[] }
  readonly decision_times: DecisionTimes
  readonly distribution: readonly Bucket[]
  readonly suggestion: Suggestion
}

/** Decisions that took from `from_ms` on and less than `until_ms`; null: and longer. */
export interface Bucket {
  readonly from_ms: number
  readonly until_ms: number | null
  readonly decided: number
}

/** The shortest timeout that would have kept 95 % of what somebody decided, or tried to. */
export interface Suggestion {
  /** null with fewer cases than `needed`. */
  readonly seconds: number | null
  /** Of n cases, so many took at most that long. */
  readonly k: number
  readonly n: number
  readonly needed: number
  /** How many of n were decided too late: what they took is known, though nothing could be decided any more. */
  readonly late: number
  /** Unanswered requests that nobody tried to decide: nobody knows how long they would have taken. */
  readonly censored: number
}

export interface Concurrency {
  readonly open: number
  readonly max: number
  readonly peak: number
  /** null when nothing was open. */
  readonly peak_at: string | null
  /** Requests whose times cannot be read: they are in no count. */
  readonly unreadable: number
  /** Of the last `days`, as the record has it. */
  readonly decided_twice: readonly string[]
  readonly decided_twice_total: number
  /** In 24 hours of the server's log; null when it cannot be read. */
  readonly busy_errors: number | null
  readonly journal_mode: string
  /** null where the system does not tell. `hidden`: programs of other users, which cannot be looked into. */
  readonly holders: { readonly seen: readonly Holder[]; readonly hidden: number } | null
}

export interface Holder {
  readonly pid: number
  readonly name: string
  readonly is_server: boolean
}

export interface Size {
  readonly db_bytes: number
  readonly wal_bytes: number
  readonly shm_bytes: number
  /** Pages inside the file that hold nothing any more. */
  readonly free_pages_bytes: number
  readonly requests: number
  readonly bytes_per_request: number | null
  readonly requests_per_day: number | null
  /** The two multiplied; null with less than a day of data. */
  readonly growth_bytes_per_day: number | null
  /** null when it cannot be asked. */
  readonly disk_free_bytes: number | null
  readonly days_to_full: number | null
}

export interface TimeoutDiagnosisData {
  readonly now: string
  readonly zone: string
  readonly verdict: State
  readonly server_answers: boolean
  /** How far back was looked. */
  readonly days: number
  /** Seconds, as `.env` says it and as the running server has it; null when it does not answer. */
  readonly timeout: { readonly configured: number; readonly effective: number | null }
  /** Critical ones first. */
  readonly findings: readonly Finding[]
  /** Why nobody can be named who is to be called; null when the contacts are good, or nobody is. */
  readonly contacts_problem: string | null
  /** null where it was not asked for. */
  readonly timeouts: Timeouts | null
  readonly concurrency: Concurrency | null
  readonly size: Size | null
}
