/** k of n; a percentage only where n is large enough (see numbers.ts). */
export interface Rate {
  readonly k: number
  readonly n: number
}

/** total = open + unanswered + decided + cancelled. */
export interface Totals {
  readonly total: number
  readonly open: number
  readonly unanswered: number
  readonly decided: number
  readonly approved: number
  readonly rejected: number
  readonly cancelled: number
  /** Rows whose status nobody knows: in no other number, and shown as a fault of the data. */
  readonly unknown_status: number
  /** approved / decided */
  readonly approval_rate: Rate
  /** decided / (decided + unanswered) */
  readonly answered_rate: Rate
}

/** Nearest rank over the decisions whose times can be read; null when there are none. */
export interface DecisionTimes {
  readonly n: number
  readonly p50_ms: number | null
  readonly p90_ms: number | null
  readonly p95_ms: number | null
  readonly max_ms: number | null
}

export interface Approver {
  /** null where the row names nobody. */
  readonly user_id: string | null
  readonly is_generic: boolean
  readonly decided: number
  readonly approved: number
  readonly rejected: number
  /** How many of the decisions have times that can be read. */
  readonly timed: number
  readonly median_ms: number | null
  /** In 2 s or less: certainly under three seconds, also where times have no milliseconds. */
  readonly fast: number
  /** In more than 2 s and up to 3 s: possibly. */
  readonly maybe_fast: number
  /** Decisions about their own requests. */
  readonly own: number
}
