import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readReport } from '../src/jobs/daily-report.ts'
import { reportPeriods } from '../src/jobs/daily-report-periods.ts'
import { reportQueries } from '../src/queries.ts'
import type { DailyReportData } from '../src/report/daily-report-data.ts'
import { hoursOf, instantAt } from '../src/report/period.ts'
import { sqlTime } from '../src/sql.ts'
import { openReader } from '../src/store/reader.ts'
import { createDatabase, insertRequests, type Row } from './support/report-database.ts'
import { temporaryFolder } from './support/server.ts'

const dir = temporaryFolder()
afterAll(() => dir.remove())

const HOUR = 3_600_000
const MINUTE = 60_000
const calendar = { time: null, missing: true, problems: [] } as const

let files = 0
function reportOf(rows: readonly Row[], date: string, now: number, zone: string): DailyReportData & { file: string } {
  const file = join(dir.path, `${++files}.db`)
  const db = createDatabase(file, { wal: false })
  insertRequests(db, rows)
  db.close()
  const reader = openReader(file, Object.values(reportQueries))
  try {
    const around = { now, zone, calendar, calendarPath: '' }
    return { ...reader.read((tx) => readReport(tx, reportPeriods(date, now, zone), around)), file }
  } finally {
    reader.close()
  }
}

/** What the wall shows, asked of the platform minute by minute: its date and hour, and how far it is from UTC. */
function wall(zone: string): (ms: number) => { date: string; hour: string } {
  const two = '2-digit'
  const format = new Intl.DateTimeFormat('en-CA', {
    ...{
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      timeZoneName: 'longOffset',
    },
  })
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
    return { date: `${part.year}-${part.month}-${part.day}`, hour: `${part.hour} ${part.timeZoneName}` }
  }
}

/** Days of 23, 24, 24.5 and 25 hours, one that begins at 01:00, and zones that are no whole hours from UTC. */
const DAYS = [
  ['America/New_York', '2026-03-08', 23],
  ['America/New_York', '2026-11-01', 25],
  ['Europe/Berlin', '2026-10-25', 25],
  ['Australia/Lord_Howe', '2026-04-05', 24.5],
  ['Australia/Lord_Howe', '2026-10-04', 23.5],
  ['America/Havana', '2026-03-08', 23],
  ['Asia/Kathmandu', '2026-11-22', 24],
  ['Asia/Seoul', '2026-11-22', 24],
  ['UTC', '2026-11-22', 24],
] as const

describe.each(DAYS)('in %s on %s, of %f hours', (zone, date, length) => {
  const end = instantAt(date, '00:00', zone) + length * HOUR
  const read = wall(zone)

  test('each request is in the hour that the wall showed, and the hours are the day', () => {
    const minutes = fc.array(fc.integer({ min: -3 * 60, max: 28 * 60 }), { minLength: 30, maxLength: 60 })
    fc.assert(
      fc.property(minutes, (when) => {
        const instants = when.map((minute) => instantAt(date, '00:00', zone) + minute * MINUTE)
        const rows = instants.map(
          (ms, i): Row => ({
            ...{ requested_at: sqlTime(ms), expires_at: sqlTime(ms + 1) },
            status: i % 3 === 0 ? 'expired' : 'cancelled',
          }),
        )
        const { day_curve, today, since_last_report } = reportOf(rows, date, end + 6 * HOUR, zone)
        const expected = new Map<string, number>()
        for (let ms = instantAt(date, '00:00', zone); ms < end; ms += 15 * MINUTE) expected.set(read(ms).hour, 0)
        for (const ms of instants) {
          const { date: on, hour } = read(ms)
          if (on === date) expected.set(hour, (expected.get(hour) ?? 0) + 1)
        }
        expect(day_curve.map(({ from, requests }) => [read(Date.parse(from)).hour, requests])).toEqual([...expected])
        expect(day_curve.reduce((sum, { requests }) => sum + requests!, 0)).toBe(today.totals.total)
        const unanswered = since_last_report.by_hour.reduce((sum, hour) => sum + hour.unanswered!, 0)
        expect(unanswered).toBe(since_last_report.totals.unanswered)
      }),
      { numRuns: 6, seed: 20261122 },
    )
  })

  test('hours follow each other without a gap, none longer than an hour', () => {
    const hours = hoursOf({ from: instantAt(date, '00:00', zone), until: end }, zone)
    expect(hours.at(-1)!.until).toBe(end)
    for (const [i, { from, until }] of hours.entries()) {
      if (i > 0) expect(from).toBe(hours[i - 1]!.until)
      expect(until - from).toBeGreaterThan(0)
      expect(until - from).toBeLessThanOrEqual(HOUR)
    }
  })
})

/** A month of requests, by a small generator of its own. */
function month(): Row[] {
  let state = 7
  const next = (n: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % n
  }
  const start = Date.parse('2026-10-24T15:00:00Z')
  return Array.from({ length: 3000 }, (_, i): Row => {
    const at = start + Math.floor((i / 3000) * 29 * 24 * HOUR) + next(HOUR)
    const status = ['approved', 'approved', 'rejected', 'expired', 'timeout', 'cancelled'][next(6)]!
    const decided = status === 'approved' || status === 'rejected'
    return {
      ...{ status, requested_at: sqlTime(at), expires_at: sqlTime(at + 300_000) },
      tool_name: ['execute_python', 'write_file', 'run_command'][next(3)]!,
      responded_at: decided ? sqlTime(at + 500 + next(200_000)) : null,
      responder_id: decided ? ['kim', 'lee', 'admin'][next(3)]! : null,
      server: next(40) === 0 ? 'ops-canary' : '',
    }
  })
}

test('the sqlite3 shell finds the same figures in the same file', () => {
  const now = Date.parse('2026-11-22T18:00:00+09:00')
  const { file, ...data } = reportOf(month(), '2026-11-22', now, 'Asia/Seoul')
  const ask = (sql: string): unknown[][] => {
    const text = execFileSync('sqlite3', ['-readonly', '-json', file, sql], { encoding: 'utf8' })
    return (text === '' ? [] : (JSON.parse(text) as object[])).map((row) => Object.values(row))
  }
  const WALL = "datetime(requested_at, '+9 hours')"
  const day = (weeks: number) =>
    `server <> 'ops-canary' AND date(${WALL}) = date('2026-11-22', '-${7 * weeks} days') AND time(${WALL}) < '18:00:00'`
  const figures = (where: string) =>
    ask(`SELECT count(*), sum(status IN ('expired', 'timeout')), sum(status = 'approved'), sum(status = 'rejected'),
      sum(status = 'cancelled') FROM approval_requests WHERE ${where}`)[0]
  const ours = ({ totals: t }: Pick<DailyReportData['today'], 'totals'>) => [
    ...[t.total, t.unanswered, t.approved, t.rejected, t.cancelled],
  ]
  expect(ours(data.today)).toEqual(figures(day(0)))
  expect(ours(data.same_day_last_week!)).toEqual(figures(day(1)))
  expect(data.today.totals.total).toBeGreaterThan(50)

  const totals = [1, 2, 3, 4].map((weeks) => figures(day(weeks))![0] as number).sort((a, b) => a - b)
  expect(data.four_week_median!.weeks.length).toBe(4)
  expect(data.four_week_median!.totals.total).toBe((totals[1]! + totals[2]!) / 2)

  const hours = ask(
    `SELECT strftime('%H:00', ${WALL}), count(*) FROM approval_requests WHERE ${day(0)} GROUP BY 1 ORDER BY 1`,
  )
  const found = data.day_curve.flatMap(({ hour, requests }) => (requests ? [[hour, requests]] : []))
  expect(found).toEqual(hours)

  const since = `server <> 'ops-canary' AND ${WALL} >= '2026-11-21 18:00:00' AND ${WALL} < '2026-11-22 18:00:00'`
  const times = ask(`SELECT CAST(round((julianday(responded_at) - julianday(requested_at)) * 86400000) AS INTEGER) AS ms
    FROM approval_requests WHERE ${since} AND status IN ('approved', 'rejected') ORDER BY ms`).map(
    ([ms]) => ms as number,
  )
  const { decision_times, decision_time_buckets, approvers, by_hour } = data.since_last_report
  expect(decision_times).toEqual({
    n: times.length,
    p50_ms: times[Math.ceil(times.length * 0.5) - 1],
    p90_ms: times[Math.ceil(times.length * 0.9) - 1],
    p95_ms: times[Math.ceil(times.length * 0.95) - 1],
    max_ms: times.at(-1),
  })
  expect(decision_time_buckets.reduce((sum, { decisions }) => sum + decisions, 0)).toBe(times.length)
  expect(approvers.map(({ user_id, decided, fast }) => [user_id, decided, fast])).toEqual(
    ask(`SELECT responder_id, count(*), sum(round((julianday(responded_at) - julianday(requested_at)) * 86400000) <= 2000)
      FROM approval_requests WHERE ${since} AND status IN ('approved', 'rejected')
      GROUP BY 1 ORDER BY 2 DESC, 1`),
  )
  expect(by_hour.flatMap(({ hour, unanswered }) => (unanswered ? [[hour, unanswered]] : []))).toEqual(
    ask(`SELECT strftime('%H:00', ${WALL}), count(*) FROM approval_requests
      WHERE ${since} AND status IN ('expired', 'timeout') GROUP BY strftime('%m-%d %H', ${WALL}) ORDER BY min(requested_at)`),
  )
})
