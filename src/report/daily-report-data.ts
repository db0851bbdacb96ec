import type { RestoreResult } from './restore-result.ts'
import type { RollbackResult } from './rollback-result.ts'
import type { Approver, DecisionTimes, Rate, Totals } from './statistics.ts'
import type { Reasons } from './unanswered.ts'
import type { DayKind } from './working-time.ts'

/** Half-open; ISO 8601. */
export interface Span {
  readonly from: string
  readonly until: string
}

export interface Figures extends Span {
  readonly totals: Totals
  readonly decision_times: DecisionTimes
}

export interface ToolRow {
  readonly tool_name: string
  readonly requests: number
  readonly approved: number
  readonly rejected: number
  readonly unanswered: number
}

/**
 * The median of each figure over the same weekday of the weeks before; of two middle values their mean. So the parts need
 * not add up. The rates are those of all these weeks' requests together: a median of rates would have no k and n.
 */
export interface MedianFigures extends Pick<Figures, 'totals' | 'decision_times'> {
  /** Those that had data, the latest first. A week before the first data is not a week of zeros. */
  readonly weeks: readonly Span[]
}

/** One hour of the zone's wall. */
export interface HourRow extends Span {
  /** `HH:mm`, where it begins; twice the same when a clock is set back. */
  readonly hour: string
  /** null for an hour that had not begun. */
  readonly requests: number | null
  readonly unanswered: number | null
}

/** One bucket of times to decide: over the limit of the one before, up to this one. */
export interface TimeBucket {
  /** null: no limit. */
  readonly up_to_ms: number | null
  readonly decisions: number
}

export interface DailyApprover extends Approver {
  /** Of the decisions whose instants can be read; null when the calendar cannot tell. */
  readonly out_of_hours: Rate | null
  /** Decides so fast, so often, that it looks as if nobody read: see ENOUGH and RUBBER_STAMP_PERCENT. */
  readonly is_rubber_stamp: boolean
}

export interface AccountedHour extends HourRow {
  /** null for an hour that comes twice: they are told by the wall. */
  readonly reasons: Reasons | null
}

export interface UnansweredTool {
  readonly tool_name: string
  readonly unanswered: number
  readonly reasons: Reasons
}

/** What one evening report alone accounts for. */
export interface Accounted extends Figures {
  /** False when the evening's time has not come yet. */
  readonly complete: boolean
  readonly tools: readonly ToolRow[]
  readonly approvers: readonly DailyApprover[]
  readonly decision_time_buckets: readonly TimeBucket[]
  readonly by_hour: readonly AccountedHour[]
  /** Why nobody answered, each request once; their sum is `totals.unanswered`. */
  readonly unanswered_reasons: Reasons
  readonly unanswered_by_tool: readonly UnansweredTool[]
  readonly unanswered_tools: number
}

export interface GateReport extends UnapprovedCalls {
  /** How the gate is now, by the record; null when it is on. */
  readonly off_now: { readonly since: string; readonly until: string | null } | null
  /** Where the record begins, when that is after the beginning of the period: before it nothing is known. */
  readonly record_begins: string | null
  readonly off: readonly (Span & { readonly ms: number })[]
}

export interface UnapprovedCalls {
  readonly calls_total: number
  /** The calls that ran without approval meanwhile, oldest first. */
  readonly calls: readonly UnapprovedCall[]
}

export interface UnapprovedCall {
  readonly seq: number
  readonly at: string
  readonly user_id: string
  readonly server: string
  readonly tool_name: string
  readonly level: string
  readonly digest: string
}

export interface Act {
  readonly seq: number
  readonly at: string
  readonly type: string
  readonly actor: string
  /** Whom or what it was about; '' when the type says it all. */
  readonly about: string
  /** Of a restore from a backup; `actor` as below. */
  readonly restored: RestoreResult | null
  /** Of a rollback: who did what to which end. `actor` is the server, which took its result into the record. */
  readonly rollback:
    | (Pick<RollbackResult, 'scenario' | 'kind' | 'outcome' | 'by' | 'host' | 'reason'> & {
        readonly ticket: string | null
        readonly until: string | null
      })
    | null
}

/** What the team's calendar says of the day. */
export interface CalendarReport {
  readonly path: string
  /** null when the calendar cannot be used: then `problems` say why. */
  readonly day: DayKind | null
  readonly working_hours: { readonly from: string; readonly until: string } | null
  readonly missing: boolean
  readonly problems: readonly string[]
}

/** Kinds of rows that make no sense, in the order in which they are shown. */
export const ODDITIES = [
  'unknown_status',
  'unreadable_request_time',
  'unreadable_deadline',
  'unreadable_decision_time',
  'deadline_before_request',
  'decided_before_request',
  'decided_after_deadline',
  'decided_in_future',
] as const
export type Oddity = (typeof ODDITIES)[number]

export interface DataQuality {
  /** Rows of the period that are odd in at least one way. */
  readonly odd_rows: number
  readonly kinds: Readonly<Record<Oddity, number>>
  /** Rows that lie in no period, of all times. */
  readonly in_future: number
  readonly unreadable: number
}

export type ActionCode =
  | 'gate_off_now'
  | 'gate_leased_now'
  | 'changed_elsewhere'
  | 'uncertain_rollback'
  | 'failed_rollback'
  | 'restored'
  | 'own_decisions'
  | 'unapproved_calls'
  | 'open_requests'
  | 'unanswered'
  | 'generic_approvers'
  | 'fast_approver'
  | 'calendar_missing'
  | 'calendar_invalid'
  | 'calendar_year'
  | 'odd_rows'

/** Something a person should do. Facts whose names end in `_at` are instants, ISO 8601. */
export interface Action {
  readonly code: ActionCode
  readonly state: 'critical' | 'warning'
  readonly facts: Readonly<Record<string, string | number>>
  readonly command: string
}

/** The data of the report: what JSON prints. */
export interface DailyReportData {
  readonly now: string
  readonly zone: string
  readonly date: string
  /** That of the gravest action. */
  readonly verdict: 'ok' | 'warning' | 'critical'
  readonly actions_total: number
  /** The most urgent ones first. */
  readonly actions: readonly Action[]
  readonly today: Figures
  readonly since_last_report: Accounted
  /** null when there was no data yet. */
  readonly same_day_last_week: Figures | null
  /** null when none of the four weeks before had data. */
  readonly four_week_median: MedianFigures | null
  /** Every hour of the day; those to come have no figures. */
  readonly day_curve: readonly HourRow[]
  readonly calendar: CalendarReport
  readonly gate: GateReport
  readonly administrative_acts_total: number
  readonly administrative_acts: readonly Act[]
  /** Where the record ends: kept elsewhere, it shows later whether the record was cut or rewritten. */
  readonly audit_head: { readonly seq: number; readonly at: string; readonly hash: string } | null
  readonly data_quality: DataQuality
}
