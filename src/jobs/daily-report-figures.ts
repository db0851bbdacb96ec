import { reportQueries } from '../queries.ts'
import type { Accounted, DataQuality, Figures } from '../report/daily-report-data.ts'
import type { Period } from '../report/period.ts'
import { type ReadTransaction, sqlBound, sqlTime } from '../sql.ts'
import { readArchivedUntil } from './archived.ts'
import { dailyApprovers, type OutOfHours, timeBuckets } from './daily-report-approvers.ts'
import { readHours } from './daily-report-hours.ts'
import { bounds, decisionTimes, readDecisions, readDecisionTimes, readTotals } from './statistics.ts'
import { readUnanswered } from './unanswered.ts'

const TOP = 5
/** Rows written between freezing the clock and reading are not yet "in the future". */
const SLACK_MS = 60_000

const spanOf = ({ from, until }: Period) => ({
  from: new Date(from).toISOString(),
  until: new Date(until).toISOString(),
})

export function readFigures(tx: ReadTransaction, period: Period, now: number): Figures {
  return {
    ...spanOf(period),
    totals: readTotals(tx, period, now),
    decision_times: decisionTimes(readDecisionTimes(tx, period)),
  }
}

export interface Around {
  readonly now: number
  readonly zone: string
  readonly outside: OutOfHours
}

export function readAccounted(
  tx: ReadTransaction,
  period: Period,
  { now, zone, outside }: Around,
): Omit<Accounted, 'complete'> {
  const parameters = { ...bounds(period), now: sqlTime(now), limit: TOP }
  const decisions = readDecisions(tx, period)
  const totals = readTotals(tx, period, now)
  const unanswered = tx.all(reportQueries.periodUnanswered, parameters)
  const why = readUnanswered(tx, period, now, zone)
  if (why.total !== totals.unanswered)
    throw new Error(`${why.total} reasons for ${totals.unanswered} unanswered requests`)
  const byTool = new Map(why.by_tool.map(({ key, reasons }) => [key, reasons]))
  return {
    ...spanOf(period),
    totals,
    decision_times: decisions.times,
    decision_time_buckets: timeBuckets(decisions.sorted),
    tools: tx.all(reportQueries.periodTools, parameters),
    approvers: dailyApprovers(tx, period, decisions, outside),
    by_hour: readHours(tx, period, { end: period.until, now, zone }).map((row) => {
      const { unanswered: n, reasons } = why.by_hour[Number(row.hour.slice(0, 2))]!
      return { ...row, reasons: n === row.unanswered ? reasons : null }
    }),
    unanswered_reasons: why.reasons,
    unanswered_by_tool: unanswered.map(({ tool_name, unanswered }) => ({
      ...{ tool_name, unanswered },
      reasons: byTool.get(tool_name)!,
    })),
    unanswered_tools: unanswered[0]?.tools ?? 0,
  }
}

export function readQuality(tx: ReadTransaction, period: Period, now: number): DataQuality {
  const soon = { soon: sqlTime(now + SLACK_MS) }
  const { odd_rows, ...kinds } = tx.one(reportQueries.periodOddities, { ...bounds(period), ...soon })!
  return { odd_rows, kinds, ...tx.one(reportQueries.rowsOutside, soon)! }
}

/**
 * Those in which the record of requests had begun and that were not moved out: of others there is nothing to compare
 * with, which is not zero.
 */
export function withData(tx: ReadTransaction, periods: readonly Period[]): Period[] {
  const archived = readArchivedUntil(tx)
  if (archived !== null) return periods.filter(({ from }) => from >= archived)
  const { first } = tx.one(reportQueries.firstRequest, {})!
  return first === null ? [] : periods.filter(({ until }) => first < sqlBound(until))
}
