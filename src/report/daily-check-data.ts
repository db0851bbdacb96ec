import type { ko } from './catalogue/daily-check.ko.ts'
import type { Contact } from './contact.ts'
import type { UnapprovedCalls } from './daily-report-data.ts'
import { type State, worst } from './document.ts'
import type { DecisionTimes, Totals } from './statistics.ts'
import type { Names } from './words.ts'

/** What is looked at, in the order of the report. */
export const CHECKS = [
  'server',
  'gate',
  'settings',
  'policy',
  'rollbacks',
  'drill',
  'open',
  'zombies',
  'yesterday',
  'rejections',
  'errors',
  'database',
  'disk',
  'audit',
  'archive',
  'evening',
  'jobs',
  'clock',
  'backup',
  'docker',
  'gateway',
] as const
export type CheckName = (typeof CHECKS)[number]
/** `skipped`: somebody asked not to look. It is never ok, and no fault either. */
export type CheckState = State | 'skipped'

/** Where ok ends. */
export const LIMITS = {
  slow_millis: 500,
  crowded_percent: 80,
  wal_warning_bytes: 64 * 1024 ** 2,
  wal_critical_bytes: 512 * 1024 ** 2,
  free_warning_bytes: 1024 ** 3,
  free_critical_bytes: 100 * 1024 ** 2,
  clock_millis: 5000,
  backup_warning_ms: 26 * 3_600_000,
  backup_critical_ms: 50 * 3_600_000,
  /** Fewer decisions in a day say nothing about the share of refusals. */
  mass_decided: 10,
  mass_percent: 20,
} as const

export type Fact = string | number | boolean | null | readonly string[]
/**
 * Values of one finding. Their names say how they are shown: `_at` is an instant (ISO 8601), `_ms` a duration,
 * `_millis` a short one, `_bytes` a size; lists are joined. `cause` is a ReaderError's code, with `path` and `detail`.
 */
export type Facts = Readonly<Record<string, Fact>>

type Ko = typeof ko
export type Code = Extract<keyof Ko, `${CheckName}.${string}`>
export type FactsOf<K extends Code> = { readonly [N in Names<Ko[K]>]: Fact }

/** What one check found. The sentence is the catalogue's `<check>.<code>`. */
export interface Finding {
  readonly check: CheckName
  readonly state: CheckState
  readonly code: string
  readonly facts: Facts
  /** ISO 8601, where it is known. */
  readonly since: string | null
  /** What to type about it. */
  readonly next_command: string | null
  /** Whom to call about it; absent where nobody is called, or contacts.json cannot be read. */
  readonly contact?: Contact
}

export interface SettingRow {
  readonly key: string
  readonly configured: string
  /** null when the server does not say. */
  readonly effective: string | null
  readonly state: State
}

export interface ErrorRow {
  readonly count: number
  readonly first_at: string | null
  readonly last_at: string | null
  readonly sample: string
  /** Not seen in the week before; null when the log does not reach back so far. */
  readonly is_new: boolean | null
}

export interface ErrorRows {
  readonly groups: readonly ErrorRow[]
  readonly more_kinds: number
  readonly more_events: number
}

/** One day's requests; a subset of what the daily report says, from the same code. */
export interface DayNumbers extends Totals, Omit<DecisionTimes, 'n'> {
  /** `YYYY-MM-DD` in the report's zone. */
  readonly date: string
  /** Rows that make no sense: counted and shown, never dropped. */
  readonly odd_rows: number
}

export interface Yesterday {
  readonly day: DayNumbers
  /** The same weekday a week before; null when there was no desk yet. */
  readonly week_before: DayNumbers | null
  /** When the record begins, if that is after the day, of which nothing is known then; ISO 8601. */
  readonly record_begins: string | null
}

/** The data of the report: what JSON prints. */
export interface DailyCheckData {
  readonly now: string
  readonly zone: string
  readonly verdict: State
  readonly limits: typeof LIMITS
  /** Worst first, in the order of CHECKS among equals. */
  readonly checks: readonly Finding[]
  /** Why nobody can be named who is to be called; null when the contacts are good, or nobody is. */
  readonly contacts_problem: string | null
  readonly settings: readonly SettingRow[]
  /** The calls that ran in the last 24 hours while the gate was off; null when the database cannot be read. */
  readonly unapproved: UnapprovedCalls | null
  /** null when the database cannot be read. */
  readonly yesterday: Yesterday | null
  /** In the server's own log. */
  readonly errors: ErrorRows
  /** In what the server's container printed. */
  readonly docker: ErrorRows
}

/** The verdict of all findings: what was not configured or not asked for does not change it. */
export const verdictOf = (findings: readonly Finding[]): State =>
  worst(findings.flatMap(({ state }) => (state === 'skipped' || state === 'not_configured' ? [] : [state])))

export const needsAction = ({ state }: Finding): boolean =>
  state === 'warning' || state === 'unknown' || state === 'critical'

const RANK: Readonly<Record<CheckState, number>> = {
  critical: 0,
  unknown: 1,
  warning: 2,
  ok: 3,
  skipped: 4,
  not_configured: 5,
}

export const inOrder = (findings: readonly Finding[]): Finding[] =>
  [...findings].sort((a, b) => RANK[a.state] - RANK[b.state] || CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check))
