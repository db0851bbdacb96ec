import type { Span } from './daily-report-data.ts'
import type { Approver, DecisionTimes, Totals } from './statistics.ts'
import type { ToolRisks } from './tool-risk-data.ts'

/** Against the week before it. */
export interface Change {
  readonly by: number
  readonly direction: 'up' | 'down' | 'same'
}

export interface WeekRow extends Span {
  /** `2026-W47`, ISO 8601 */
  readonly week: string
  /** `before_record`: nothing is known of it, which is not zero. `archived`: what is known was moved into files. */
  readonly state: 'complete' | 'in_progress' | 'before_record' | 'archived'
  /** Set when the record begins within the week: the part before is unknown. */
  readonly record_begins: string | null
  /** null before the record, as is everything below. */
  readonly totals: Totals | null
  readonly decision_times: DecisionTimes | null
  /** Milliseconds in which the gate was off; `complete` is false when a part of the week is not on record. */
  readonly gate_off: { readonly ms: number; readonly complete: boolean } | null
  /** Only between weeks that are complete and were recorded from end to end. */
  readonly change: { readonly total: Change; readonly unanswered: Change } | null
}

/** An approver's decisions of all the weeks together. */
export interface WeeklyApprover extends Approver {
  /** At least ten decisions, and at least 30 % of them within two seconds. */
  readonly is_rubber_stamp: boolean
}

export type FindingCode =
  | 'calls_past_gate'
  | 'own_decisions'
  | 'rubber_stamp'
  | 'calls_while_off'
  | 'odd_rows'
  | 'generic_approvers'

/** Something that a person should look at. */
export interface WeeklyFinding {
  readonly code: FindingCode
  readonly state: 'critical' | 'warning'
  readonly facts: Readonly<Record<string, string | number>>
  readonly command: string
}

/** The data of the summary: what JSON prints. */
export interface WeeklySummaryData extends Span {
  readonly now: string
  readonly zone: string
  /** The day the summary is made for: its week is the last of them. */
  readonly date: string
  readonly verdict: 'ok' | 'warning' | 'critical'
  readonly findings: readonly WeeklyFinding[]
  /** The oldest first. */
  readonly weeks: readonly WeekRow[]
  /** All the weeks together, from here on. */
  readonly approvers: readonly WeeklyApprover[]
  /** 24 hours of 7 days, Monday first: requests; null where no such hour is on record. */
  readonly hours: readonly (readonly (number | null)[])[]
  readonly tools: ToolRisks
  /** Rows that are in no figure: of an unknown status; of all times, those that lie in no period. */
  readonly data_quality: { readonly unknown_status: number; readonly in_future: number; readonly unreadable: number }
}
