import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig, ROOT } from '../src/config.ts'
import { createContext } from '../src/context.ts'
import { readRecords } from '../src/jobs/check-records.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'
import type { JobContext } from '../src/jobs/job.ts'
import { readTimeouts } from '../src/jobs/timeout-diagnosis.ts'
import { weeklySummary } from '../src/jobs/weekly-summary.ts'
import type { DayNumbers } from '../src/report/daily-check-data.ts'
import type { DailyReportData } from '../src/report/daily-report-data.ts'
import { render } from '../src/report/render.ts'
import type { WeeklySummaryData } from '../src/report/weekly-summary-data.ts'
import { dice } from './support/dice.ts'
import { hostileDatabase } from './support/hostile-database.ts'
import { createDatabase } from './support/report-database.ts'
import { environment, temporaryFolder } from './support/server.ts'

const DATABASES = 200
/** In Seoul: the evening's own instant, half a second later, in the morning, and about midnight. */
const NOWS = ['09:00:00.000', '09:00:00.500', '00:00:00.000', '14:59:59.999', '15:00:00.000', '03:07:00.250'].map(
  (time) => Date.parse(`2026-11-22T${time}Z`),
)

const DAY = 86_400_000
const folder = temporaryFolder()
afterAll(folder.remove)

// biome-ignore lint/suspicious/noExplicitAny: whatever the shell printed.
type Figure = any

/** One sqlite3 shell works out the figures of all databases; one line of JSON each. */
function oracle(databases: readonly { path: string; now: number }[]): Figure[][] {
  const script = databases.flatMap(({ path, now }) => [
    `.open --readonly ${path}`,
    '.parameter init',
    `.parameter set :now ${now}`,
    `.read ${join(ROOT, 'test/oracle/requests.sql')}`,
    `.read ${join(ROOT, 'test/oracle/record.sql')}`,
    '.print ""',
  ])
  const output = execFileSync('sqlite3', ['-batch', '-bail', ':memory:'], {
    input: script.join('\n'),
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  return output
    .split('\n\n')
    .slice(0, databases.length)
    .map((lines) =>
      lines
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    )
}

function contextOf(path: string, now: number): JobContext {
  const { settings } = loadConfig(environment(folder.path, { SECURITY_DB_PATH: path, OPS_TIMEZONE: 'Asia/Seoul' }))
  const { signal } = new AbortController()
  return createContext({ settings, zone: 'Asia/Seoul', now, timeoutMs: 600_000, signal })
}

/** What JSON says, as a program would read it. */
async function reportOf(context: JobContext): Promise<DailyReportData> {
  const { report } = await dailyReport.run(context, { date: undefined, keep: false })
  return JSON.parse(render(report, 'json', 'en', { colour: false, columns: 80 }))
}

test(`the figures of ${DATABASES} random databases are those that SQL in the sqlite3 shell finds in them`, async () => {
  const templates = [false, true].map((adopted) => {
    const path = join(folder.path, `empty-${adopted}.db`)
    createDatabase(path, { adopted, wal: false }).close()
    return path
  })
  const databases = Array.from({ length: DATABASES }, (_, n) => {
    const path = join(folder.path, `${n}.db`)
    const now = NOWS[n % NOWS.length]!
    const adopted = n % 2 === 1
    hostileDatabase(templates[adopted ? 1 : 0]!, path, now, adopted, dice(20261122 + n))
    return { path, now }
  })
  const expected = oracle(databases)
  expect(expected).toHaveLength(DATABASES)
  for (const [n, { path, now }] of databases.entries()) {
    const context = contextOf(path, now)
    compareReport(await reportOf(context), expected[n]!, `database ${n}, the report`)
    await compareCheck(context, expected[n]!, `database ${n}, the check`)
    // Hour by hour through five weeks: the slowest of them.
    if (n % 5 === 0) await compareWeeks(context, expected[n]!, `database ${n}, the weekly summary`)
    compareDiagnosis(context, expected[n]!, `database ${n}, the diagnosis`)
  }
}, 600_000)

const valueIn = (figures: readonly Figure[], figure: string, period?: string): Figure => {
  const found = figures.filter((f) => f.figure === figure && (period === undefined || f.period === period))
  expect(found, `${figure} ${period ?? ''}`).toHaveLength(1)
  return found[0].value
}

function compareReport(data: DailyReportData, figures: readonly Figure[], name: string): void {
  const value = (figure: string, period?: string) => valueIn(figures, figure, period)
  const { today, since_last_report: evening, same_day_last_week: lastWeek, gate, data_quality: quality } = data
  for (const [period, found] of [
    ['today', today],
    ['evening', evening],
    ['last_week', lastWeek],
  ] as const) {
    if (found === null) continue
    const { approval_rate, answered_rate, ...totals } = found.totals
    const expected = value('totals', period)
    expect(totals, name).toEqual(expected)
    expect(approval_rate, name).toEqual({ k: expected.approved, n: expected.decided })
    expect(answered_rate, name).toEqual({ k: expected.decided, n: expected.decided + expected.unanswered })
    expect(found.decision_times, name).toEqual(value('times', period))
  }
  expect(lastWeek !== null, name).toBe(value('has_data', 'last_week'))
  expect(evening.tools, name).toEqual(value('tools'))
  const unanswered = evening.unanswered_by_tool.map(({ reasons, ...tool }) => {
    const sum = Object.values(reasons).reduce((total, n) => total + n, 0)
    return { ...tool, unanswered: sum === tool.unanswered ? sum : `${sum} reasons` }
  })
  expect(unanswered, name).toEqual(value('unanswered'))
  const approvers = approversIn(figures, 'evening')
  expect(evening.approvers.map(withoutMore).sort(byName), name).toEqual(approvers)
  const { odd_rows, kinds, ...outside } = quality
  expect(kinds, name).toEqual(value('oddities', 'evening'))
  expect(odd_rows, name).toBe(figures.find((f) => f.figure === 'oddities' && f.period === 'evening').rows)
  expect(outside, name).toEqual(value('outside'))
  expect(
    gate.off.reduce((sum, { ms }) => sum + ms, 0),
    name,
  ).toBe(value('gate_off_ms', 'span'))
  expect(gate.off_now !== null, name).toBe(value('gate_is_off'))
  expect(gate.calls_total, name).toBe(value('calls'))
  expect(data.administrative_acts_total, name).toBe(value('acts'))
}

async function compareCheck(context: JobContext, figures: readonly Figure[], name: string): Promise<void> {
  const value = (figure: string, period?: string) => valueIn(figures, figure, period)
  const { desk, yesterday } = await readRecords(context, 600_000)
  const waiting = value('waiting')
  expect(desk!.open.open, name).toBe(waiting.open)
  for (const end of ['oldest', 'soonest'] as const) {
    const instant = desk!.open[end]
    if (instant !== null) expect(new Date(instant).toISOString().slice(0, 19), name).toBe(isoOf(waiting[end]))
  }
  expect(desk!.zombies.count, name).toBe(value('zombies', 'after_5'))
  const compareDay = (day: DayNumbers, period: string) => {
    const { date, p50_ms, p90_ms, p95_ms, max_ms, odd_rows, approval_rate, answered_rate, ...totals } = day
    expect(totals, name).toEqual(value('totals', period))
    const times = value('times', period)
    expect([p50_ms, p90_ms, p95_ms, max_ms], name).toEqual([times.p50_ms, times.p90_ms, times.p95_ms, times.max_ms])
    expect(odd_rows, name).toBe(figures.find((f) => f.figure === 'oddities' && f.period === period).rows)
  }
  compareDay(yesterday!.day, 'yesterday')
  expect(yesterday!.week_before !== null, name).toBe(value('has_data', 'week_before'))
  if (yesterday!.week_before) compareDay(yesterday!.week_before, 'week_before')
}

async function compareWeeks(context: JobContext, figures: readonly Figure[], name: string): Promise<void> {
  const value = (figure: string, period?: string) => valueIn(figures, figure, period)
  const args = { weeks: undefined, risk: false, days: undefined, date: undefined, keep: false }
  const { weeks, approvers, hours, tools } = (await weeklySummary.run(context, args)).report.data as WeeklySummaryData
  expect(weeks, name).toHaveLength(5)
  let requests = 0
  for (const [i, { totals: found, decision_times, gate_off }] of weeks.entries()) {
    const period = `week-${4 - i}`
    const expected = value('totals', period)
    if (found === null) {
      expect(expected.total + expected.unknown_status, name).toBe(0)
      continue
    }
    const { approval_rate, answered_rate, ...totals } = found
    expect(totals, name).toEqual(expected)
    expect([approval_rate.n, answered_rate.n], name).toEqual([expected.decided, expected.decided + expected.unanswered])
    expect(decision_times, name).toEqual(value('times', period))
    if (gate_off) expect(gate_off.ms, name).toBe(value('gate_off_ms', period))
    requests += totals.total
  }
  expect(requests, name).toBe(value('totals', 'weeks').total)
  expect(
    hours.flat().reduce<number>((sum, n) => sum + (n ?? 0), 0),
    name,
  ).toBe(requests)
  expect(approvers.map(withoutMore).sort(byName), name).toEqual(approversIn(figures, 'weeks'))
  const asked = [...tools.ranked, ...tools.few].filter((tool) => tool.requests > 0)
  const found = asked.map((tool) => [tool.tool_name, [tool.requests, tool.decided, tool.rejected]])
  expect(Object.fromEntries(found), name).toEqual(value('decided_tools'))
}

function compareDiagnosis(context: JobContext, figures: readonly Figure[], name: string): void {
  const value = (figure: string, period?: string) => valueIn(figures, figure, period)
  const { now, zone } = context
  const question = { period: { from: now - 7 * DAY, until: now }, now, zone, limit: 5, timeout: 300 }
  const reader = context.reader()
  const { unanswered, zombies } = readTimeouts(reader, question)
  reader.close()
  expect(unanswered.total, name).toBe(value('totals', 'seven_days').unanswered)
  expect(Object.fromEntries(unanswered.by_tool.map((tool) => [tool.key, tool.unanswered])), name).toEqual(
    value('unanswered_tools'),
  )
  expect(zombies.count, name).toBe(value('zombies', 'after_60'))
}

const approversIn = (figures: readonly Figure[], period: string): Figure[] =>
  figures
    .filter((f) => f.figure === 'approver' && f.period === period)
    .map((f) => f.value)
    .sort(byName)

const byName = (a: Figure, b: Figure) => (JSON.stringify(a.user_id) < JSON.stringify(b.user_id) ? -1 : 1)

/** What a report adds by judging: not counted from the rows. */
function withoutMore({ is_rubber_stamp, out_of_hours, ...approver }: Figure): Figure {
  return approver
}

const isoOf = (text: string) => text.slice(0, 19).replace(' ', 'T')
