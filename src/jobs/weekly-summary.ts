import { reportQueries } from '../queries.ts'
import { addDays, dateIn, dayOf, isDate, weekOf } from '../report/period.ts'
import { riskCommand, toolRiskDocument } from '../report/tool-risk.ts'
import type { ToolRiskData } from '../report/tool-risk-data.ts'
import { weeklySummaryDocument } from '../report/weekly-summary.ts'
import type { WeeklySummaryData } from '../report/weekly-summary-data.ts'
import { type Reader, sqlTime } from '../sql.ts'
import { assertNotArchived, assertOnRecord } from './archived.ts'
import { hasBegun } from './daily-report-periods.ts'
import { readGateOff } from './gate-periods.ts'
import { BadArgument, type JobContext, job, type Outcome } from './job.ts'
import { decisionsOf } from './statistics.ts'
import { findingsOf, weeklyApprover } from './weekly-findings.ts'
import { readTools, risksOf } from './weekly-tools.ts'
import { addHours, isoSpan, readBeginning, readWeek, weeksUntil, withChanges } from './weekly-weeks.ts'

const WEEKS = 4
const MOST_WEEKS = 26
const DAYS = 28
const MOST_DAYS = 366
/** Rows written between freezing the clock and reading are not yet "in the future". */
const SLACK_MS = 60_000

const isCount = (most: number) => (text: string) => /^[1-9]\d{0,2}$/.test(text) && Number(text) <= most

/** Monday's summary: the weeks side by side, tools by risk, approvers and their load. `--risk`: the tools alone. */
export const weeklySummary = job({
  name: 'weekly-summary',
  summary: {
    ko: '주간 요약: 주별 요청과 결정, 도구 위험도, 승인자 부담, 요일·시간대 분포를 보여 줍니다.',
    en: 'The weekly summary: requests and decisions by week, tools by risk, approver load, hours of the week.',
  },
  timeoutSeconds: 60,
  flags: {
    weeks: {
      type: 'string',
      value: 'N',
      help: {
        ko: `완료된 주를 몇 주 보여 줄지(기본값 ${WEEKS}). 이번 주가 더해집니다`,
        en: `how many complete weeks (default: ${WEEKS}); the current one is added`,
      },
      accepts: isCount(MOST_WEEKS),
      allowed: `1 - ${MOST_WEEKS}`,
    },
    risk: {
      type: 'boolean',
      help: { ko: '도구 위험도만 모두 보여 줍니다', en: 'tools by risk alone, all of them' },
    },
    days: {
      type: 'string',
      value: 'N',
      help: {
        ko: `--risk와 함께: 오늘까지 며칠을 볼지(기본값 ${DAYS})`,
        en: `with --risk: how many days up to today (default: ${DAYS})`,
      },
      accepts: isCount(MOST_DAYS),
      allowed: `1 - ${MOST_DAYS}`,
    },
    date: {
      type: 'string',
      value: 'YYYY-MM-DD',
      help: { ko: '기준 날짜(기본값은 오늘)', en: 'the day to make it for (default: today)' },
      accepts: isDate,
      allowed: 'YYYY-MM-DD',
    },
    keep: {
      type: 'boolean',
      help: {
        ko: '지난주까지의 요약을 data/reports에 보관합니다',
        en: 'keep the summary up to the week before in data/reports',
      },
    },
  },
  async run(context, { weeks, risk, days, date = dateIn(context.now, context.zone), keep }) {
    const { now, zone } = context
    if (!hasBegun(date, now, zone)) throw new BadArgument('date', date, `<= ${dateIn(now, zone)}`)
    if (risk && weeks !== undefined) throw new BadArgument('weeks', weeks, '--days N (--risk)')
    if (!risk && days !== undefined) throw new BadArgument('days', days, '--risk --days N')
    if (keep) assertTheTeams(context, { weeks, risk })
    const reader = context.reader()
    try {
      const around = { now, zone, date }
      if (risk) {
        const first = dayOf(addDays(date, 1 - Number(days ?? DAYS)), zone)
        reader.read((tx) => {
          assertNotArchived(tx, first, context.settings)
          assertOnRecord(tx, dayOf(date, zone), context.settings)
        })
      }
      return risk
        ? riskOutcome(readRisk(reader, around, Number(days ?? DAYS)))
        : summaryOutcome(readSummary(reader, around, Number(weeks ?? WEEKS)), keep)
    } finally {
      reader.close()
    }
  },
})

/** What is kept under the team's name has the team's weeks, and as many as every time. */
function assertTheTeams({ zone, settings }: JobContext, { weeks, risk }: { weeks: string | undefined; risk: boolean }) {
  if (zone !== settings.OPS_TIMEZONE) throw new BadArgument('tz', zone, `${settings.OPS_TIMEZONE} (--keep)`)
  if (weeks !== undefined) throw new BadArgument('weeks', weeks, `${WEEKS} (--keep)`)
  if (risk) throw new BadArgument('keep', '--risk', '--keep')
}

function summaryOutcome(data: WeeklySummaryData, keep: boolean): Outcome {
  const { week: period } = weekOf(data.date, data.zone, -1)
  // The current week goes on: only another figure of a week that is over makes another revision.
  const figures = (kept: object) => ({ weeks: (kept as WeeklySummaryData).weeks.filter(({ week }) => week <= period) })
  return {
    report: { schema: 'ops.weekly-summary.v1', data, document: (lang) => weeklySummaryDocument(data, lang) },
    verdict: data.verdict,
    ...(keep && { keep: { name: 'weekly', period, figures } }),
  }
}

const riskOutcome = (data: ToolRiskData): Outcome => ({
  report: { schema: 'ops.tool-risk.v1', data, document: (lang) => toolRiskDocument(data, lang) },
  verdict: data.verdict,
})

interface Around {
  readonly now: number
  readonly zone: string
  readonly date: string
}

/** Each week is one snapshot, and short: half a year at once would hold the WAL for too long. */
export function readSummary(reader: Reader, { now, zone, date }: Around, complete: number): WeeklySummaryData {
  const weeks = weeksUntil(date, zone, complete)
  const begins = reader.read(readBeginning)
  const read = weeks.map((week) => reader.read((tx) => readWeek(tx, week, begins, now, zone)))
  const outside = reader.read((tx) => tx.one(reportQueries.rowsOutside, { soon: sqlTime(now + SLACK_MS) }))!
  const rows = withChanges(read.map(({ row }) => row))
  const approvers = decisionsOf(read.flatMap(({ tallies }) => tallies)).approvers.map(weeklyApprover)
  const tools = risksOf(read.flatMap((week) => week.tools))
  const unknown_status = rows.reduce((sum, { totals }) => sum + (totals?.unknown_status ?? 0), 0)
  const data_quality = { unknown_status, ...outside }
  const findings = findingsOf({ approvers, tools, data_quality, risk: riskCommand(weeks[0]!.from, date, zone) })
  const states = findings.map(({ state }) => state)
  return {
    ...{ now: new Date(now).toISOString(), zone, date },
    ...isoSpan({ from: weeks[0]!.from, until: Math.min(weeks.at(-1)!.until, now) }),
    verdict: states.includes('critical') ? 'critical' : states.includes('warning') ? 'warning' : 'ok',
    ...{ findings, weeks: rows, approvers, hours: addHours(read.map(({ hours }) => hours)), tools, data_quality },
  }
}

/** Whole days up to the date, which counts as far as it has come. Each is a snapshot by itself. */
export function readRisk(reader: Reader, { now, zone, date }: Around, days: number): ToolRiskData {
  const periods = Array.from({ length: days }, (_, i) => dayOf(addDays(date, i + 1 - days), zone)).map(
    ({ from, until }) => ({ from, until: Math.min(until, now) }),
  )
  const tallies = periods.flatMap((day) => reader.read((tx) => readTools(tx, day, readGateOff(tx, day))))
  const risks = risksOf(tallies)
  return {
    ...{ now: new Date(now).toISOString(), zone, days },
    ...isoSpan({ from: periods[0]!.from, until: periods.at(-1)!.until }),
    verdict: risks.critical.length > 0 ? 'critical' : 'ok',
    ...risks,
  }
}
