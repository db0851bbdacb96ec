import { type Block, type Chart, heading, type Lang, paragraph, type Table } from './document.ts'
import { count, duration, ratio } from './numbers.ts'
import type { Voice } from './weekly-summary.ts'
import type { WeeklyApprover, WeeklySummaryData } from './weekly-summary-data.ts'

const MOST_APPROVERS = 20

export function hourBlocks({ hours }: WeeklySummaryData, voice: Voice): Block[] {
  return [heading(voice.say('hours')), heatMap(hours, voice)]
}

/** A row per hour, a column per weekday: so it fits a terminal and a telephone. */
function heatMap(hours: WeeklySummaryData['hours'], { say, lang }: Voice): Chart {
  const known = hours.flatMap((row, hour) => row.map((n, day) => ({ hour, day, n: n ?? 0 })))
  const total = known.reduce((sum, { n }) => sum + n, 0)
  const peak = known.reduce((best, field) => (field.n > best.n ? field : best))
  const names = { weekday: weekday(peak.day, lang, 'long'), hour: twoDigits(peak.hour) }
  return {
    kind: 'chart',
    shape: 'heat',
    caption: say('heat'),
    words:
      total === 0 ? say('heat_words_none') : say('heat_words', { ...names, n: count(peak.n), total: count(total) }),
    labels: [0, 1, 2, 3, 4, 5, 6].map((day) => weekday(day, lang, 'short')),
    series: hours.map((row, hour) => ({
      name: twoDigits(hour),
      points: row.map((n) => ({ value: n, text: n === null ? '–' : count(n) })),
    })),
  }
}

const twoDigits = (n: number): string => String(n).padStart(2, '0')

/** @param day 0 Monday ... 6 Sunday */
const weekday = (day: number, lang: Lang, length: 'short' | 'long'): string =>
  // The first of January 2024 was a Monday.
  new Intl.DateTimeFormat(lang, { weekday: length, timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + day))

export function approverBlocks({ approvers, date }: WeeklySummaryData, voice: Voice): Block[] {
  const { say } = voice
  if (approvers.length === 0) return [heading(say('approvers')), paragraph(say('approvers_none'))]
  const more = approvers.length - MOST_APPROVERS
  return [
    heading(say('approvers')),
    approverTable(approvers.slice(0, MOST_APPROVERS), voice),
    ...(more > 0 ? [paragraph(say('approvers_more', { n: count(more), date }))] : []),
    paragraph(say('signal_how')),
  ]
}

function approverTable(approvers: readonly WeeklyApprover[], { say, lang }: Voice): Table {
  const name = ({ user_id, is_generic }: WeeklyApprover) =>
    `${user_id ?? 'NULL'}${is_generic ? ` (${say('generic')})` : ''}`
  return {
    kind: 'table',
    caption: say('approvers_table'),
    head: [
      ...[say('approver'), say('decided'), say('rejected'), say('median')],
      ...[say('fast'), say('maybe_fast'), say('own'), say('signal')],
    ],
    align: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    rows: approvers.map((approver) => {
      const { decided, rejected, median_ms, fast, timed, maybe_fast, own, is_rubber_stamp } = approver
      return [
        name(approver),
        ...[count(decided), count(rejected), median_ms === null ? '–' : duration(median_ms, lang)],
        ...[ratio(fast, timed), count(maybe_fast), count(own)],
        is_rubber_stamp ? { text: say('signal_fast'), state: 'warning' as const } : '–',
      ]
    }),
  }
}
