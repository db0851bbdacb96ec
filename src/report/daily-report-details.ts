import type { Voice } from './daily-report.ts'
import { approverBlocks } from './daily-report-approvers.ts'
import { timesChart } from './daily-report-charts.ts'
import { type DailyReportData, ODDITIES } from './daily-report-data.ts'
import { unansweredBlocks } from './daily-report-unanswered.ts'
import { type Block, heading, paragraph } from './document.ts'
import { count } from './numbers.ts'
import { periodText } from './period.ts'

/** Tools, approvers and what nobody answered, of the requests that this report alone accounts for. */
export function accountedBlocks(data: DailyReportData, voice: Voice): Block[] {
  const { since_last_report: since, zone } = data
  const { say } = voice
  const period = periodText({ from: Date.parse(since.from), until: Date.parse(since.until) }, zone)
  const blocks = [heading(say('accounted', { period }))]
  if (since.totals.total === 0) return [...blocks, paragraph(nothingAsked(data, voice))]
  return [
    ...blocks,
    {
      kind: 'table',
      caption: say('tools', { n: since.tools.length }),
      head: [say('tool'), say('requests'), say('approved'), say('rejected'), say('unanswered_row')],
      align: ['left', 'right', 'right', 'right', 'right'],
      rows: since.tools.map(({ tool_name, requests, approved, rejected, unanswered }) => [
        tool_name,
        ...[requests, approved, rejected, unanswered].map(count),
      ]),
    },
    ...approverBlocks(data, voice),
    ...(since.decision_times.n > 0 ? [timesChart(since.decision_time_buckets, voice)] : []),
    ...unansweredBlocks(since, voice),
  ]
}

/** Nobody asked; or nobody could have, or it was not recorded. */
function nothingAsked(
  { gate: { record_begins }, since_last_report: { until } }: DailyReportData,
  { say, time }: Voice,
) {
  const isBefore = record_begins !== null && Date.parse(record_begins) >= Date.parse(until)
  return isBefore ? say('before_record', { at: time(record_begins) }) : say('nothing_asked')
}

/** Rows that make no sense are counted and shown, never dropped. */
export function qualityBlocks({ data_quality: quality }: DailyReportData, { say }: Voice): Block[] {
  const found = [
    ...ODDITIES.map((kind) => [say(kind), quality.kinds[kind]] as const),
    [say('in_future'), quality.in_future] as const,
    [say('unreadable'), quality.unreadable] as const,
  ].filter(([, n]) => n > 0)
  if (found.length === 0) return [heading(say('quality')), paragraph(say('quality_none'))]
  return [
    heading(say('quality')),
    {
      kind: 'table',
      caption: say('quality_table'),
      head: [say('kind'), say('rows')],
      align: ['left', 'right'],
      rows: found.map(([kind, n]) => [kind, count(n)]),
    },
  ]
}
