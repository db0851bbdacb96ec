import type { Voice } from './daily-report.ts'
import { dayCurve } from './daily-report-charts.ts'
import type { DailyReportData, Figures, Span } from './daily-report-data.ts'
import { type Block, heading, paragraph, type Table } from './document.ts'
import { count, duration, ratio } from './numbers.ts'
import { periodText } from './period.ts'

interface Names {
  readonly today: string
  readonly weekday: string
}

/** What stands side by side. */
interface Column extends Pick<Figures, 'totals' | 'decision_times'> {
  readonly name: string
  /** What the rates are called where they are not the column's own. */
  readonly rates: string
}

/** The numbers side by side: today, since the last report, the same weekday last week, the median of four of them. */
export function numbersBlocks(data: DailyReportData, voice: Voice, names: Names): Block[] {
  const { say, time } = voice
  const { since_last_report: since, same_day_last_week: lastWeek, four_week_median: median } = data
  const columns: Column[] = [
    { ...data.today, name: names.today, rates: names.today },
    { ...since, name: say('since'), rates: say('since') },
    ...(lastWeek ? [{ ...lastWeek, ...sameName(say('last_week', { weekday: names.weekday })) }] : []),
    ...(median ? [{ ...median, ...medianNames(median.weeks.length, voice) }] : []),
  ]
  return [
    heading(say('numbers')),
    { kind: 'list', items: periodItems(data, voice, names) },
    paragraph(since.complete ? say('once') : say('interim', { evening: time(since.from, 'HH:mm') })),
    ...(lastWeek ? [] : [paragraph(say('no_comparison'))]),
    figuresTable(columns, voice),
    ratesTable(columns, voice),
    dayCurve(data, voice),
  ]
}

const medianNames = (n: number, { say }: Voice) => ({
  name: say('median_column', { n }),
  rates: say('together', { n }),
})

const sameName = (name: string) => ({ name, rates: name })

function periodItems(data: DailyReportData, { say, time }: Voice, names: Names): { text: string }[] {
  const { today, since_last_report: since, same_day_last_week: lastWeek, four_week_median: median, zone } = data
  const period = ({ from, until }: Span) => periodText({ from: Date.parse(from), until: Date.parse(until) }, zone)
  const dates = median?.weeks.map(({ from }) => time(from, 'MM-DD'))
  return [
    { text: say('period', { name: names.today, period: period(today) }) },
    { text: say('period', { name: say('since'), period: period(since) }) },
    ...(lastWeek
      ? [{ text: say('period', { name: say('last_week', { weekday: names.weekday }), period: period(lastWeek) }) }]
      : []),
    {
      text: dates ? say('median_of', { n: dates.length, dates: dates.join(', ') }) : say('median_none'),
    },
  ]
}

function figuresTable(columns: readonly Column[], { say, lang }: Voice): Table {
  const row = (name: string, value: (column: Column) => string) => [name, ...columns.map(value)]
  const number = (name: string, value: (totals: Figures['totals']) => number) =>
    row(name, ({ totals }) => count(value(totals)))
  const took = (name: string, value: (times: Figures['decision_times']) => number | null) =>
    row(name, ({ decision_times }) => {
      const ms = value(decision_times)
      return ms === null ? '–' : duration(ms, lang)
    })
  return {
    kind: 'table',
    caption: say('figures'),
    head: [say('item'), ...columns.map(({ name }) => name)],
    align: ['left', ...columns.map(() => 'right' as const)],
    rows: [
      number(say('total'), (totals) => totals.total),
      number(say('open'), (totals) => totals.open),
      number(say('unanswered_row'), (totals) => totals.unanswered),
      number(say('decided'), (totals) => totals.decided),
      number(`  ${say('approved')}`, (totals) => totals.approved),
      number(`  ${say('rejected')}`, (totals) => totals.rejected),
      number(say('cancelled'), (totals) => totals.cancelled),
      took(say('p50'), (times) => times.p50_ms),
      took(say('p90'), (times) => times.p90_ms),
      took(say('p95'), (times) => times.p95_ms),
      took(say('longest'), (times) => times.max_ms),
    ],
  }
}

/** Rates need room for k and n: a row each. */
function ratesTable(columns: readonly Column[], { say }: Voice): Table {
  return {
    kind: 'table',
    caption: say('rates'),
    head: [say('period_column'), say('approval_rate'), say('answered_rate')],
    align: ['left', 'right', 'right'],
    rows: columns.map(({ rates, totals: { approval_rate, answered_rate } }) => [
      rates,
      ratio(approval_rate.k, approval_rate.n),
      ratio(answered_rate.k, answered_rate.n),
    ]),
  }
}
