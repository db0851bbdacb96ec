import { reportQueries } from '../queries.ts'
import { ENOUGH } from '../report/numbers.ts'
import type { Period } from '../report/period.ts'
import type { Approver, DecisionTimes, Totals } from '../report/statistics.ts'
import { type ReadTransaction, sqlBound, sqlTime } from '../sql.ts'

/** The bounds of a period as the statements take them. */
export const bounds = ({ from, until }: Period) => ({ from: sqlBound(from), until: sqlBound(until) })

/**
 * What was asked in the period, and what had become of it at `now`.
 * @throws Error when the parts do not add up: a report that contradicts itself must not be sent
 */
export function readTotals(tx: ReadTransaction, period: Period, now: number): Totals {
  const row = tx.one(reportQueries.periodTotals, { ...bounds(period), now: sqlTime(now) })!
  const { row_count, open, unanswered, approved, rejected, cancelled, unknown_status } = row
  const decided = approved + rejected
  const total = row_count - unknown_status
  if (total !== open + unanswered + decided + cancelled) {
    throw new Error(`${total} requests are not the sum of their parts: ${JSON.stringify(row)}`)
  }
  return {
    ...{ total, open, unanswered, decided, approved, rejected, cancelled, unknown_status },
    approval_rate: { k: approved, n: decided },
    answered_rate: { k: decided, n: decided + unanswered },
  }
}

export interface Decisions {
  readonly times: DecisionTimes
  /** All of them that can be read, ascending, ms. */
  readonly sorted: Float64Array
  /** The busiest first; ties by name. */
  readonly approvers: readonly Approver[]
}

/** What one approver decided in a period. Those of several periods can be given to `decisionsOf` together. */
export interface Tally extends Pick<Approver, 'user_id' | 'decided' | 'approved' | 'own'> {
  /** Of the decisions whose times can be read, ms, in no order. */
  readonly times: readonly number[]
}

export const readTallies = (tx: ReadTransaction, period: Period): Tally[] =>
  tx.all(reportQueries.periodApprovers, bounds(period)).map(({ responder_id, decided, approved, own, times }) => ({
    ...{ user_id: responder_id, decided, approved, own },
    times: (JSON.parse(times) as (number | null)[]).filter((ms) => ms !== null && ms >= 0) as number[],
  }))

/** Every decision of the period: over all of them, and per approver. */
export const readDecisions = (tx: ReadTransaction, period: Period): Decisions => decisionsOf(readTallies(tx, period))

export function decisionsOf(tallies: readonly Tally[]): Decisions {
  const byUser = new Map<string | null, Tally[]>()
  for (const tally of tallies) byUser.set(tally.user_id, [...(byUser.get(tally.user_id) ?? []), tally])
  const approvers = [...byUser].map(([user_id, theirs]) => approver(user_id, theirs))
  approvers.sort((a, b) => b.decided - a.decided || compare(a.user_id ?? '', b.user_id ?? ''))
  const sorted = ascending(tallies)
  return { times: decisionTimes(sorted), sorted, approvers }
}

/** How long each decision of the period took, ms, ascending. */
export const readDecisionTimes = (tx: ReadTransaction, period: Period): Float64Array =>
  ascending(readTallies(tx, period))

/** Ids that name no person: whoever decided under them cannot be asked. */
const GENERIC = /^(|admin|administrator|api-admin|cli_admin|root|system)$/i

function approver(user_id: string | null, tallies: readonly Tally[]): Approver {
  const sorted = ascending(tallies)
  const upTo = (ms: number) => sorted.filter((time) => time <= ms).length
  const sum = (name: 'decided' | 'approved' | 'own') => tallies.reduce((total, tally) => total + tally[name], 0)
  const [decided, approved] = [sum('decided'), sum('approved')]
  return {
    ...{ user_id, is_generic: user_id === null || GENERIC.test(user_id), decided, approved },
    rejected: decided - approved,
    timed: sorted.length,
    median_ms: nearestRank(sorted, 50),
    fast: upTo(2000),
    maybe_fast: upTo(3000) - upTo(2000),
    own: sum('own'),
  }
}

/** From so many percent of certainly fast decisions on, it looks as if nobody read what they decided. */
const RUBBER_STAMP_PERCENT = 30

export const isRubberStamp = ({ timed, fast }: Approver): boolean =>
  timed >= ENOUGH && 100 * fast >= RUBBER_STAMP_PERCENT * timed

export function decisionTimes(sorted: Float64Array): DecisionTimes {
  return {
    n: sorted.length,
    p50_ms: nearestRank(sorted, 50),
    p90_ms: nearestRank(sorted, 90),
    p95_ms: nearestRank(sorted, 95),
    max_ms: sorted.at(-1) ?? null,
  }
}

/** Filled one by one: spreading a year's decisions would need a multiple of their memory. */
export function ascending(tallies: readonly Tally[]): Float64Array {
  const sorted = new Float64Array(tallies.reduce((n, { times }) => n + times.length, 0))
  let i = 0
  for (const { times } of tallies) for (const ms of times) sorted[i++] = ms
  return sorted.sort()
}

/** The value at place ceil(p % of n): a time that really happened, never an average of two. null without any. */
export const nearestRank = (sorted: ArrayLike<number>, percent: number): number | null =>
  sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? null

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
