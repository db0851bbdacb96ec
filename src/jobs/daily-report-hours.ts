import type { HourRow } from '../report/daily-report-data.ts'
import { hoursOf, localTime, type Period } from '../report/period.ts'
import type { ReadTransaction } from '../sql.ts'
import { readTotals } from './statistics.ts'

/**
 * What was asked in each hour of `shown`, as far as it lies before `end`. Each hour is a short range of the same index
 * that serves the whole: all of them together read what the whole reads.
 */
export function readHours(
  tx: ReadTransaction,
  shown: Period,
  { end, now, zone }: { readonly end: number; readonly now: number; readonly zone: string },
): HourRow[] {
  return hoursOf(shown, zone).map(({ from, until }) => {
    const span = {
      ...{ from: new Date(from).toISOString(), until: new Date(until).toISOString() },
      hour: localTime(from, zone, 'HH:mm'),
    }
    if (from >= end) return { ...span, requests: null, unanswered: null }
    const { total, unanswered } = readTotals(tx, { from, until: Math.min(until, end) }, now)
    return { ...span, requests: total, unanswered }
  })
}
