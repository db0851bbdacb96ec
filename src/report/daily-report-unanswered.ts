import type { Voice } from './daily-report.ts'
import type { Accounted, AccountedHour } from './daily-report-data.ts'
import { type Block, paragraph, type Table } from './document.ts'
import { count } from './numbers.ts'
import { offsetName } from './period.ts'
import { REASONS, type Reasons } from './unanswered.ts'

/** What nobody answered: why, for which tools, and in which hours. */
export function unansweredBlocks(since: Accounted, voice: Voice): Block[] {
  const { say } = voice
  const { unanswered_by_tool: tools, unanswered_tools, unanswered_reasons: reasons } = since
  if (tools.length === 0) return [paragraph(say('unanswered_none'))]
  const more = unanswered_tools - tools.length
  return [
    {
      kind: 'table',
      caption: say('unanswered_reasons'),
      head: [say('reason'), say('unanswered_row')],
      align: ['left', 'right'],
      rows: REASONS.filter((reason) => reasons[reason] > 0).map((reason) => [
        say(`why_${reason}`),
        count(reasons[reason]),
      ]),
    },
    {
      kind: 'table',
      caption: say('unanswered_tools'),
      head: [say('tool'), say('unanswered_row'), say('main_reason')],
      align: ['left', 'right', 'left'],
      rows: tools.map(({ tool_name, unanswered, reasons }) => [
        tool_name,
        count(unanswered),
        mainReason(reasons, voice),
      ]),
    },
    ...(more > 0 ? [paragraph(say('unanswered_more', { n: more }))] : []),
    hoursTable(since.by_hour, voice),
  ]
}

/** The most frequent reason, with its number; of equals the one that is asked for first. */
function mainReason(reasons: Reasons | null, { say }: Voice): string {
  if (reasons === null) return '–'
  const most = REASONS.reduce((a, b) => (reasons[b] > reasons[a] ? b : a))
  return `${say(`why_${most}`)}: ${count(reasons[most])}`
}

/** Only hours in which somebody waited in vain. */
function hoursTable(hours: readonly AccountedHour[], voice: Voice): Table {
  const { say, time, zone } = voice
  const wall = ({ from }: AccountedHour) => time(from, 'MM-DD HH:mm')
  // An hour that comes twice is told from its twin by its distance to UTC.
  const twice = (row: AccountedHour) => hours.some((other) => other !== row && wall(other) === wall(row))
  const name = (row: AccountedHour) => wall(row) + (twice(row) ? ` (${offsetName(Date.parse(row.from), zone)})` : '')
  return {
    kind: 'table',
    caption: say('unanswered_hours'),
    head: [say('hour'), say('unanswered_row'), say('requests'), say('main_reason')],
    align: ['left', 'right', 'right', 'left'],
    rows: hours
      .filter(({ unanswered }) => (unanswered ?? 0) > 0)
      .map((row) => [name(row), count(row.unanswered ?? 0), count(row.requests ?? 0), mainReason(row.reasons, voice)]),
  }
}
