import { reportQueries } from '../queries.ts'
import type { DayNumbers, Finding, Yesterday } from '../report/daily-check-data.ts'
import { type Day, dayBounds } from '../report/period.ts'
import { fromSqlTime, type ReadTransaction, sqlBound, sqlTime } from '../sql.ts'
import { firstOnRecord } from './archived.ts'
import { finding, iso } from './check.ts'
import { reportCommand } from './daily-report-periods.ts'
import { bounds, readDecisions, readTotals } from './statistics.ts'

/** Answers of clocks that are a little ahead are no fault of the data. */
const SOON_MS = 60_000

/** Yesterday in the team's zone, beside the same weekday of the week before. */
export function readYesterday(tx: ReadTransaction, now: number, zone: string): Yesterday {
  const day = dayBounds(now, zone, -1)
  const before = dayBounds(now, zone, -8)
  const { first } = tx.one(reportQueries.firstRequest, {})!
  const hasBefore = first !== null && first < sqlBound(before.until)
  const begin = firstOnRecord(tx)
  const record_begins = begin !== null && sqlBound(day.until) <= begin ? iso(fromSqlTime(begin)) : null
  return { day: numbersOf(tx, day, now), week_before: hasBefore ? numbersOf(tx, before, now) : null, record_begins }
}

function numbersOf(tx: ReadTransaction, day: Day, now: number): DayNumbers {
  const { times } = readDecisions(tx, day)
  const { odd_rows } = tx.one(reportQueries.periodOddities, { ...bounds(day), soon: sqlTime(now + SOON_MS) })!
  const { p50_ms, p90_ms, p95_ms, max_ms } = times
  return { date: day.date, ...readTotals(tx, day, now), p50_ms, p90_ms, p95_ms, max_ms, odd_rows }
}

export function yesterdayFinding({ day, week_before, record_begins: begins_at }: Yesterday): Finding {
  const { date, total, approved, rejected, unanswered, cancelled, open, odd_rows: odd } = day
  if (begins_at !== null) return finding('yesterday.before_record', 'skipped', { date, begins_at })
  const facts = { date, total, approved, rejected, unanswered, cancelled, open }
  if (odd > 0) return finding('yesterday.odd', 'warning', { ...facts, odd }, { next: reportCommand(date) })
  if (week_before === null) {
    return total === 0 ? finding('yesterday.none', 'ok', facts) : finding('yesterday.numbers', 'ok', facts)
  }
  const compared = { ...facts, before: week_before.total, before_date: week_before.date }
  if (total === 0) return finding('yesterday.none_compared', 'ok', compared)
  return finding('yesterday.compared', 'ok', compared)
}
