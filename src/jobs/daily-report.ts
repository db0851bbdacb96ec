import { reportQueries } from '../queries.ts'
import { dailyReportDocument } from '../report/daily-report.ts'
import type { CalendarReport, DailyReportData } from '../report/daily-report-data.ts'
import { dateIn, instantAt, isDate, localTime } from '../report/period.ts'
import { dayKind, outOfHours } from '../report/working-time.ts'
import { type ReadTransaction, sqlTime } from '../sql.ts'
import { assertNotArchived, assertOnRecord } from './archived.ts'
import { type Calendar, readCalendar } from './calendar.ts'
import { actionsOf } from './daily-report-actions.ts'
import { readAccounted, readFigures, readQuality, withData } from './daily-report-figures.ts'
import { readHours } from './daily-report-hours.ts'
import { medianFigures } from './daily-report-median.ts'
import { EVENING, hasBegun, type ReportPeriods, reportPeriods } from './daily-report-periods.ts'
import { readActs, readAuditHead, readGate } from './daily-report-record.ts'
import { BadArgument, type JobContext, job } from './job.ts'

/** The 18:00 report: what the desk decided, what nobody answered, and what ran without an approval. */
export const dailyReport = job({
  name: 'daily-report',
  summary: {
    ko: '저녁 보고: 하루의 승인 통계, 응답 없는 요청, 승인 없이 실행된 호출을 보여 줍니다.',
    en: "The evening report: the day's approvals, what nobody answered, what ran unapproved.",
  },
  timeoutSeconds: 60,
  flags: {
    date: {
      type: 'string',
      value: 'YYYY-MM-DD',
      help: { ko: '보고할 날짜(기본값은 오늘)', en: 'the day to report on (default: today)' },
      accepts: isDate,
      allowed: 'YYYY-MM-DD',
    },
    keep: {
      type: 'boolean',
      help: {
        ko: '그날 18:00 기준 보고서를 data/reports에 보관합니다',
        en: "keep the day's report, as of 18:00, in data/reports",
      },
    },
  },
  async run(context, { date = dateIn(context.now, context.zone), keep }) {
    const { now, zone } = context
    if (!hasBegun(date, now, zone)) throw new BadArgument('date', date, `<= ${dateIn(now, zone)}`)
    if (keep) assertEvening(context, date)
    // A kept report is that of its evening, whenever it is made: a repetition differs by what came late, not by the hour.
    const periods = reportPeriods(date, keep ? instantAt(date, EVENING, zone) : now, zone)
    const calendar = await readCalendar(context.system, context.settings.CALENDAR_PATH)
    const reader = context.reader()
    try {
      const around = { now, zone, calendar, calendarPath: context.settings.CALENDAR_PATH }
      const data = reader.read((tx) => {
        assertNotArchived(tx, periods.span, context.settings)
        assertOnRecord(tx, periods.span, context.settings)
        return readReport(tx, periods, around)
      })
      return {
        report: {
          schema: 'ops.daily-report.v1',
          data,
          document: (lang) => dailyReportDocument(data, lang),
        },
        verdict: data.verdict,
        ...(keep && { keep: { name: 'daily', period: date, figures: accountedFigures } }),
      }
    } finally {
      reader.close()
    }
  },
})

/** A look at 14:00 must not become the evening's report, nor one of another zone's day the team's. */
function assertEvening({ now, zone, settings }: JobContext, date: string): void {
  if (zone !== settings.OPS_TIMEZONE) throw new BadArgument('tz', zone, `${settings.OPS_TIMEZONE} (--keep)`)
  if (now < instantAt(date, EVENING, zone)) {
    throw new BadArgument('keep', localTime(now, zone, 'YYYY-MM-DD HH:mm'), `>= ${date} ${EVENING}`)
  }
}

/** What the evening accounts for. */
function accountedFigures(report: object): object {
  const { today, since_last_report, same_day_last_week, four_week_median, ...data } = report as DailyReportData
  const { day_curve, gate, administrative_acts, data_quality } = data
  return {
    ...{ today, since_last_report, same_day_last_week, four_week_median, day_curve },
    gate: { off: gate.off, calls_total: gate.calls_total, calls: gate.calls },
    administrative_acts,
    data_quality: { odd_rows: data_quality.odd_rows, kinds: data_quality.kinds },
  }
}

export interface Around {
  readonly now: number
  readonly zone: string
  readonly calendar: Calendar
  readonly calendarPath: string
}

/** All of it from one snapshot of the database, so that its parts agree. */
export function readReport(tx: ReadTransaction, periods: ReportPeriods, around: Around): DailyReportData {
  const { date, span, today } = periods
  const { now, zone } = around
  const { time } = around.calendar
  const outside = time === null ? () => null : outOfHours(time, zone)
  const since_last_report = {
    complete: periods.isComplete,
    ...readAccounted(tx, periods.since, { now, zone, outside }),
  }
  const gate = readGate(tx, span, now)
  const { acts: administrative_acts, total: administrative_acts_total } = readActs(tx, span)
  const data_quality = readQuality(tx, periods.since, now)
  const openNow = tx.one(reportQueries.checkOpen, { now: sqlTime(now) })!.open
  const calendar = calendarReport(around, date)
  const actions = actionsOf({ since_last_report, gate, administrative_acts, data_quality, calendar, date, openNow })
  const weeks = withData(tx, periods.weeksBefore)
  const figures = weeks.map((week) => readFigures(tx, week, now))
  return {
    ...{ now: new Date(now).toISOString(), zone, date },
    // The gravest comes first.
    verdict: actions[0]?.state ?? 'ok',
    actions_total: actions.length,
    actions,
    today: readFigures(tx, today, now),
    since_last_report,
    same_day_last_week: weeks[0] === periods.weeksBefore[0] ? (figures[0] ?? null) : null,
    four_week_median: medianFigures(figures),
    day_curve: readHours(tx, periods.day, { end: today.until, now, zone }),
    calendar,
    ...{ gate, administrative_acts_total, administrative_acts },
    audit_head: readAuditHead(tx),
    data_quality,
  }
}

function calendarReport({ calendar, calendarPath: path }: Around, date: string): CalendarReport {
  if (calendar.time === null) {
    const { missing, problems } = calendar
    return { path, day: null, working_hours: null, missing, problems }
  }
  const { from, until } = calendar.time
  return { path, day: dayKind(date, calendar.time), working_hours: { from, until }, missing: false, problems: [] }
}
