import type { Voice } from './daily-report.ts'
import type { CalendarReport, DailyApprover, DailyReportData } from './daily-report-data.ts'
import { type Block, paragraph, type Table } from './document.ts'
import { count, duration } from './numbers.ts'

/** Who decided how much, how fast and when, with what looks odd about it in words. */
export function approverBlocks({ since_last_report, calendar, date }: DailyReportData, voice: Voice): Block[] {
  const { approvers, totals } = since_last_report
  const { say } = voice
  if (approvers.length === 0) return [paragraph(say('no_decisions')), calendarBlock(calendar, date, voice)]
  return [
    approverTable(approvers, totals.decided, voice),
    calendarBlock(calendar, date, voice),
    ...approvers
      .filter(({ is_rubber_stamp }) => is_rubber_stamp)
      .map(
        ({ user_id, fast, timed }): Block => ({
          kind: 'paragraph',
          state: 'warning',
          text: say('rubber_stamp', { user: user_id ?? 'NULL', k: count(fast), n: count(timed) }),
        }),
      ),
  ]
}

function approverTable(approvers: readonly DailyApprover[], decidedInAll: number, { say, lang }: Voice): Table {
  const name = ({ user_id, is_generic }: DailyApprover) =>
    `${user_id ?? 'NULL'}${is_generic ? ` (${say('generic')})` : ''}`
  const head = [
    ...[say('approver'), say('load'), say('approved'), say('rejected'), say('median')],
    ...[say('fast'), say('maybe_fast'), say('out_of_hours'), say('own')],
  ]
  return {
    kind: 'table',
    caption: say('approvers'),
    head,
    align: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    rows: approvers.map((approver) => {
      const { decided, approved, rejected, median_ms, fast, maybe_fast, out_of_hours, own } = approver
      return [
        name(approver),
        `${count(decided)}/${count(decidedInAll)}`,
        ...[approved, rejected].map(count),
        median_ms === null ? '–' : duration(median_ms, lang),
        ...[fast, maybe_fast].map(count),
        out_of_hours === null ? '–' : count(out_of_hours.k),
        count(own),
      ]
    }),
  }
}

function calendarBlock(
  { path, day, working_hours, missing, problems }: CalendarReport,
  date: string,
  voice: Voice,
): Block {
  const { say } = voice
  if (day === null || working_hours === null) {
    const text = missing ? say('calendar_none', { path }) : say('calendar_wrong', { first: problems[0] ?? path })
    return { kind: 'paragraph', state: 'warning', text }
  }
  const hours = `${working_hours.from}–${working_hours.until}`
  if (day.kind === 'unknown') {
    const text = say('day_unknown', { year: date.slice(0, 4), path, hours })
    return { kind: 'paragraph', state: 'warning', text }
  }
  if (day.kind === 'holiday') return paragraph(say('day_holiday', { hours, date, name: day.name }))
  return paragraph(say(day.kind === 'weekend' ? 'day_weekend' : 'day_working', { hours, date }))
}
