import type { Figures, MedianFigures } from '../report/daily-report-data.ts'
import type { DecisionTimes, Rate, Totals } from '../report/statistics.ts'

/** @param weeks those that had data, the latest first */
export function medianFigures(weeks: readonly Figures[]): MedianFigures | null {
  if (weeks.length === 0) return null
  const total = (key: Exclude<keyof Totals, 'approval_rate' | 'answered_rate'>): number =>
    median(weeks.map(({ totals }) => totals[key]))!
  const time = (key: keyof DecisionTimes): number | null =>
    median(weeks.flatMap(({ decision_times }) => decision_times[key] ?? []))
  const together = (key: 'approval_rate' | 'answered_rate'): Rate => ({
    k: weeks.reduce((sum, { totals }) => sum + totals[key].k, 0),
    n: weeks.reduce((sum, { totals }) => sum + totals[key].n, 0),
  })
  return {
    weeks: weeks.map(({ from, until }) => ({ from, until })),
    totals: {
      ...{ total: total('total'), open: total('open'), unanswered: total('unanswered'), decided: total('decided') },
      ...{ approved: total('approved'), rejected: total('rejected'), cancelled: total('cancelled') },
      ...{ unknown_status: total('unknown_status') },
      ...{ approval_rate: together('approval_rate'), answered_rate: together('answered_rate') },
    },
    decision_times: {
      n: time('n') ?? 0,
      ...{ p50_ms: time('p50_ms'), p90_ms: time('p90_ms'), p95_ms: time('p95_ms'), max_ms: time('max_ms') },
    },
  }
}

/** The middle value; of two middle ones their mean. null of none. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2
}
