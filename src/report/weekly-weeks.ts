import type { Block, Chart, Table } from './document.ts'
import { heading, paragraph } from './document.ts'
import { count, duration, ratio } from './numbers.ts'
import { periodText } from './period.ts'
import type { Rate } from './statistics.ts'
import type { Voice } from './weekly-summary.ts'
import type { Change, WeeklySummaryData, WeekRow } from './weekly-summary-data.ts'

const NONE = '–'
const MINUTE = 60_000

/** The weeks side by side, in tables that fit a terminal, and how many requests they had as a picture. */
export function weekBlocks({ weeks, zone }: WeeklySummaryData, voice: Voice): Block[] {
  const { say } = voice
  return [
    heading(say('weeks')),
    { kind: 'list', items: weeks.map((row) => ({ text: weekText(row, zone, voice) })) },
    weekChart(weeks, voice),
    requestsTable(weeks, voice),
    paragraph(say('compared')),
    ratesTable(weeks, voice),
    paragraph(say('rates')),
    timesTable(weeks, voice),
  ]
}

function weekText({ week, from, until, state, record_begins }: WeekRow, zone: string, { say, time }: Voice): string {
  const period = periodText({ from: Date.parse(from), until: Date.parse(until) }, zone)
  const text = say(`week_${state}`, { week, period })
  return record_begins === null || state === 'in_progress'
    ? text
    : say('week_partly', { week, period, begins: time(record_begins, 'YYYY-MM-DD HH:mm') })
}

function label({ week, state, record_begins }: WeekRow, { say }: Voice): string {
  if (state === 'in_progress') return say('label_in_progress', { week })
  return record_begins === null ? week : say('label_partly', { week })
}

function requestsTable(weeks: readonly WeekRow[], voice: Voice): Table {
  const { say } = voice
  const change = (found: Change | undefined) =>
    found === undefined ? NONE : say(found.direction, { n: count(Math.abs(found.by)) })
  return {
    kind: 'table',
    caption: say('requests_table'),
    head: [say('week'), say('total'), say('change'), say('decided'), say('unanswered'), say('change')],
    align: ['left', 'right', 'right', 'right', 'right', 'right'],
    rows: weeks.map((row) => {
      const { totals, change: changes } = row
      if (!totals) return [label(row, voice), say('no_data'), NONE, NONE, NONE, NONE]
      return [
        label(row, voice),
        ...[count(totals.total), change(changes?.total), count(totals.decided)],
        ...[count(totals.unanswered), change(changes?.unanswered)],
      ]
    }),
  }
}

function ratesTable(weeks: readonly WeekRow[], voice: Voice): Table {
  const { say } = voice
  const rate = (found: Rate | undefined) => (found ? ratio(found.k, found.n) : say('no_data'))
  return {
    kind: 'table',
    caption: say('rates_table'),
    head: [say('week'), say('approval_rate'), say('answered_rate')],
    align: ['left', 'right', 'right'],
    rows: weeks.map((row) => [label(row, voice), rate(row.totals?.approval_rate), rate(row.totals?.answered_rate)]),
  }
}

function timesTable(weeks: readonly WeekRow[], voice: Voice): Table {
  const { say, lang } = voice
  const took = (ms: number | null | undefined) => (ms == null ? NONE : duration(ms, lang))
  return {
    kind: 'table',
    caption: say('times_table'),
    head: [say('week'), say('p50'), say('p95'), say('gate_off')],
    align: ['left', 'right', 'right', 'right'],
    rows: weeks.map((row) => [
      label(row, voice),
      took(row.decision_times?.p50_ms),
      took(row.decision_times?.p95_ms),
      gateText(row, voice),
    ]),
  }
}

/** Rounded up: a gate that was off for a second was off. */
function gateText({ gate_off }: WeekRow, { say }: Voice): string {
  if (gate_off === null) return say('not_recorded')
  const n = count(Math.ceil(gate_off.ms / MINUTE))
  return gate_off.complete ? say('minutes', { n }) : say('minutes_at_least', { n })
}

function weekChart(weeks: readonly WeekRow[], voice: Voice): Chart {
  const { say } = voice
  return {
    kind: 'chart',
    shape: 'bars',
    caption: say('chart'),
    words: chartWords(weeks, voice),
    labels: weeks.map(({ week, state }) => (state === 'in_progress' ? `${week.slice(5)}*` : week.slice(5))),
    series: [
      {
        name: say('total'),
        points: weeks.map(({ totals }) => ({
          value: totals?.total ?? null,
          text: totals ? count(totals.total) : say('no_data'),
        })),
      },
    ],
  }
}

/** A week that goes on, or is on record in part, is no fewest and no last. */
function chartWords(weeks: readonly WeekRow[], { say }: Voice): string {
  const known = weeks.flatMap(({ week, state, record_begins, totals }) =>
    state === 'complete' && record_begins === null && totals ? [{ week, total: totals.total }] : [],
  )
  const last = known.at(-1)
  if (!last) return say('chart_words_none')
  const [least, most] = [Math.min, Math.max].map((pick) => {
    const total = pick(...known.map((row) => row.total))
    return known.find((row) => row.total === total)!
  }) as [typeof last, typeof last]
  return say('chart_words', {
    ...{ least: least.week, min: count(least.total), most: most.week, max: count(most.total) },
    ...{ last: last.week, n: count(last.total) },
  })
}
