import { reportQueries } from '../queries.ts'
import type { DailyApprover, TimeBucket } from '../report/daily-report-data.ts'
import type { Period } from '../report/period.ts'
import type { Rate } from '../report/statistics.ts'
import type { ReadTransaction } from '../sql.ts'
import { bounds, type Decisions, isRubberStamp } from './statistics.ts'

/** Tells of an instant whether it is out of hours; null where nobody knows. */
export type OutOfHours = (ms: number) => boolean | null

export function dailyApprovers(
  tx: ReadTransaction,
  period: Period,
  { approvers }: Decisions,
  outside: OutOfHours,
): DailyApprover[] {
  const rows = tx.all(reportQueries.periodDecidedAt, bounds(period))
  const decidedAt = new Map(rows.map(({ responder_id, decided_at }) => [responder_id, decided_at]))
  return approvers.map((approver) => ({
    ...approver,
    out_of_hours: outOfHoursRate(decidedAt.get(approver.user_id) ?? '[]', outside),
    is_rubber_stamp: isRubberStamp(approver),
  }))
}

/** null as soon as one of them cannot be judged: a part of the truth would look like all of it. */
function outOfHoursRate(decidedAt: string, outside: OutOfHours): Rate | null {
  const rate = { k: 0, n: 0 }
  for (const ms of JSON.parse(decidedAt) as (number | null)[]) {
    if (ms === null) continue
    const isOutside = outside(ms)
    if (isOutside === null) return null
    rate.n += 1
    if (isOutside) rate.k += 1
  }
  return rate
}

/** Fixed, so that two evenings can be compared: 2 s and 3 s are those of the approvers' table. */
const LIMITS_S = [2, 3, 10, 30, 60, 120, 300, 900, 3600, null] as const

/** @param sorted times to decide, ascending, ms */
export function timeBuckets(sorted: Float64Array): TimeBucket[] {
  let counted = 0
  return LIMITS_S.map((seconds) => {
    const up_to_ms = seconds === null ? null : seconds * 1000
    const before = counted
    while (counted < sorted.length && (up_to_ms === null || sorted[counted]! <= up_to_ms)) counted += 1
    return { up_to_ms, decisions: counted - before }
  })
}
