/** Why nobody answered a request, in the order in which the causes are asked for; src/jobs/unanswered.ts says why so. */
export const REASONS = ['server_down', 'too_late', 'caller_gone', 'opened', 'notified', 'nobody', 'unknown'] as const
export type Reason = (typeof REASONS)[number]
export type Reasons = Readonly<Record<Reason, number>>

/** Unanswered requests that have something in common. */
export interface Tally<Key> {
  readonly key: Key
  readonly unanswered: number
  readonly reasons: Reasons
}

/** One unanswered request. Instants are ISO 8601; a text of the database that is none stays what it is. */
export interface Case {
  readonly request_id: string
  readonly tool_name: string
  readonly user_id: string
  readonly requested_at: string | null
  readonly expires_at: string | null
  readonly reason: Reason
  /** Who may decide and was told of it, or saw it in a list, in order of the alphabet. */
  readonly notified: readonly string[]
  /** Who looked at it by itself. */
  readonly opened: readonly string[]
  /** The first who tried to decide after the deadline, and how long after, ms. */
  readonly late: { readonly user_id: string; readonly ms: number } | null
  /** When its caller hung up for good; null when it did not, or nobody knows. */
  readonly left_at: string | null
}

export interface Unanswered {
  readonly total: number
  readonly reasons: Reasons
  /** The most frequent first; ties by name. */
  readonly by_tool: readonly Tally<string>[]
  readonly by_requester: readonly Tally<string>[]
  /** All 24 hours of the zone's wall, 0 first. Requests whose time cannot be read are in none. */
  readonly by_hour: readonly Tally<number>[]
  /** All seven days, 1 is Monday. */
  readonly by_weekday: readonly Tally<number>[]
  /** The newest first. */
  readonly latest: readonly Case[]
  /** How long after their asking somebody tried to decide those that were decided too late, ms, ascending. */
  readonly late_ms: readonly number[]
}
