import type { Voice } from './daily-report.ts'
import type { DailyReportData, HourRow, TimeBucket } from './daily-report-data.ts'
import type { Chart } from './document.ts'
import { count } from './numbers.ts'

/** How many hours of equal height are named as the peak. */
const MOST_NAMED = 3

/** Requests in each hour of the day. */
export function dayCurve({ day_curve: hours, today }: DailyReportData, { say }: Voice): Chart {
  return {
    kind: 'chart',
    shape: 'bars',
    caption: say('day_curve'),
    words: curveWords(hours, today.totals.total, say),
    labels: hours.map(({ hour }) => (hour.endsWith(':00') ? hour.slice(0, 2) : hour)),
    series: [
      {
        name: say('requests'),
        points: hours.map(({ requests }) => ({ value: requests, text: requests === null ? '–' : count(requests) })),
      },
    ],
  }
}

function curveWords(hours: readonly HourRow[], total: number, say: Voice['say']): string {
  const begun = hours.flatMap(({ requests }) => requests ?? [])
  const ahead = hours.length - begun.length
  const toCome = ahead > 0 ? ` ${say('curve_to_come', { n: ahead })}` : ''
  if (total === 0) return `${say('curve_empty')}${toCome}`
  const max = Math.max(...begun)
  const peaks = hours.filter(({ requests }) => requests === max).map(({ hour }) => hour)
  const named = peaks.slice(0, MOST_NAMED).join(', ') + (peaks.length > MOST_NAMED ? ', …' : '')
  const facts = { min: count(Math.min(...begun)), max: count(max), peak: named, hours: begun.length }
  return `${say('curve_words', { ...facts, total: count(total) })}${toCome}`
}

/** How long decisions took, in fixed buckets: two evenings can be laid side by side. */
export function timesChart(buckets: readonly TimeBucket[], { say }: Voice): Chart {
  const labels = buckets.map(({ up_to_ms }, i) => bucketLabel(up_to_ms, buckets[i - 1]?.up_to_ms ?? 0, say))
  const n = buckets.reduce((sum, { decisions }) => sum + decisions, 0)
  const max = Math.max(...buckets.map(({ decisions }) => decisions))
  const peak = labels[buckets.findIndex(({ decisions }) => decisions === max)]!
  const all = buckets.map(({ decisions }, i) => `${labels[i]} ${count(decisions)}`).join(', ')
  return {
    kind: 'chart',
    shape: 'bars',
    caption: say('times_chart'),
    words: n === 0 ? say('times_none') : say('times_words', { peak, max: count(max), n: count(n), all }),
    labels,
    series: [
      {
        name: say('decided'),
        points: buckets.map(({ decisions }) => ({ value: decisions, text: count(decisions) })),
      },
    ],
  }
}

function bucketLabel(limit: number | null, before: number, say: Voice['say']): string {
  const sign = limit === null ? '>' : '≤'
  const seconds = (limit ?? before) / 1000
  if (seconds < 60) return say('bucket_s', { sign, n: seconds })
  return seconds < 3600 ? say('bucket_m', { sign, n: seconds / 60 }) : say('bucket_h', { sign, n: seconds / 3600 })
}
