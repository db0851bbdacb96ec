import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readReport } from '../src/jobs/daily-report.ts'
import { type ReportPeriods, reportPeriods } from '../src/jobs/daily-report-periods.ts'
import { reportQueries } from '../src/queries.ts'
import type { DailyReportData, Figures, MedianFigures, Oddity } from '../src/report/daily-report-data.ts'
import type { Period } from '../src/report/period.ts'
import { WEEKDAYS, type WorkingTime } from '../src/report/working-time.ts'
import { sqlTime } from '../src/sql.ts'
import { openReader } from '../src/store/reader.ts'
import { createDatabase, insertRequests, type Row } from './support/report-database.ts'

const NOW = Date.parse('2026-11-22T09:00:00.500Z')
const DAY = 86_400_000
const HOUR = 3_600_000

// ── Random rows, sound and hostile ──────────────────────────────────────────────────────────────────────────────────

const seconds = (ms: number) => sqlTime(ms).slice(0, 19)
const around = fc.oneof(
  fc.integer({ min: NOW - 30 * DAY, max: NOW + 2 * HOUR }),
  // The same weekday of the weeks before, up to the same time of day and a little later.
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -19 * HOUR, max: HOUR }))
    .map(([weeks, ms]) => NOW - weeks * 7 * DAY + ms),
  fc.integer({ min: NOW - 1.2 * DAY, max: NOW }),
  // Bounds of the periods, and a step to either side of them.
  fc.constantFrom(
    ...['2026-11-21T09:00:00Z', '2026-11-21T15:00:00Z', '2026-11-22T09:00:00Z', '2026-11-22T09:00:00.500Z']
      .map((text) => Date.parse(text))
      .flatMap((ms) => [ms - 1, ms, ms + 1, ms - 1000, ms + 1000]),
  ),
)
const written = (instant: fc.Arbitrary<number>) =>
  fc.tuple(instant, fc.constantFrom(sqlTime, seconds)).map(([ms, write]) => write(ms))
const nonsense = fc.oneof(
  around.map((ms) => new Date(ms).toISOString()),
  around.map((ms) => `${seconds(ms)}Z`),
  fc.constantFrom(
    ...['', 'now', 'yesterday', '12:00', '2461000.5', '1795000000', '2026-11-22', '2026-13-45 99:99:99', '0000-00-00'],
    ...['2026-11-22 08:00:00.1', '2026-11-22 08:00:00 ', '2026-11-22 08:00:00z', '9999-12-31 23:59:59', '한글'],
  ),
)
const mostly = <T>(sound: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 12) =>
  fc.oneof({ arbitrary: sound, weight }, { arbitrary: odd, weight: 1 })

const statuses = ['pending', 'approved', 'rejected', 'expired', 'timeout', 'cancelled']
const row = (adopted: boolean): fc.Arbitrary<Row> =>
  fc
    .record({
      at: around,
      takes: fc.oneof(fc.integer({ min: 0, max: 400_000 }), fc.constantFrom(1999, 2000, 2001, 3000, 3001, -500)),
      write: fc.constantFrom(sqlTime, seconds),
      strangeStart: mostly(fc.constant(false), fc.constant(true)),
      start: nonsense,
      responded_at: mostly<string | null>(
        fc.constant('computed'),
        fc.oneof(nonsense, written(around), fc.constant(null)),
      ),
      expires_at: mostly(fc.constant('computed'), fc.oneof(nonsense, written(around))),
      status: mostly<string | null>(
        fc.constantFrom(...statuses),
        fc.constantFrom(...['weird', '', 'APPROVED'], ...(adopted ? [null] : [])),
      ),
      tool_name: fc.constantFrom('execute_python', 'run_command', 'write_file', 'a', 'b', 'c', '도구'),
      user_id: fc.constantFrom('dev_user', 'kim'),
      responder_id: fc.constantFrom('kim', 'lee', 'admin', '', null),
      server: mostly(fc.constantFrom('', 'files'), fc.constant('ops-canary')),
      missing: mostly(fc.constant(false), fc.constant(adopted)),
    })
    .map(({ at, takes, write, strangeStart, start, missing, responded_at, expires_at, ...rest }) => ({
      ...rest,
      requested_at: missing ? null : strangeStart ? start : write(at),
      responded_at: responded_at === 'computed' ? write(at + takes) : responded_at,
      expires_at: expires_at === 'computed' ? write(at + 300_000) : expires_at,
    }))

// ── The same questions, asked of the rows by loops ──────────────────────────────────────────────────────────────────

const FORM = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?$/

/** Milliseconds, or null for a text that is not written as the desk or the old system writes times. */
function instant(text: string | null | undefined): number | null {
  const [, y, mo, d, h, mi, s, ms = '0'] = (FORM.exec(text ?? '') ?? []).map((part) => part as string)
  if (y === undefined) return null
  const [month, day, hour, minute, second] = [mo, d, h, mi, s].map(Number) as [number, number, number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 59) return null
  return Date.UTC(Number(y), month - 1, day, hour, minute, second, Number(ms))
}

/** A time that can be read lies where it says; any other text stands where the alphabet puts it. */
function isIn(requestedAt: string | null, { from, until }: Period): boolean {
  if (requestedAt === null) return false
  const ms = instant(requestedAt)
  if (ms !== null) return from <= ms && ms < until
  return requestedAt >= sqlTime(from).replace('.000', '') && requestedAt < sqlTime(until).replace('.000', '')
}

function classOf({ status, expires_at }: Row): string {
  if (status === 'timeout' || status === 'expired') return 'unanswered'
  if (status === 'pending') return expires_at == null || expires_at > sqlTime(NOW) ? 'open' : 'unanswered'
  return status === 'approved' || status === 'rejected' || status === 'cancelled' ? status : 'unknown'
}

const isDecided = (candidate: Row) => candidate.status === 'approved' || candidate.status === 'rejected'

function took({ requested_at, responded_at }: Row): number | null {
  const [start, answer] = [instant(requested_at), instant(responded_at)]
  return start === null || answer === null || answer < start ? null : answer - start
}

function figures(all: readonly Row[], period: Period) {
  const rows = all.filter((candidate) => candidate.server !== 'ops-canary' && isIn(candidate.requested_at, period))
  const n = (name: string) => rows.filter((candidate) => classOf(candidate) === name).length
  const decided = n('approved') + n('rejected')
  const totals = {
    total: rows.length - n('unknown'),
    open: n('open'),
    unanswered: n('unanswered'),
    decided,
    approved: n('approved'),
    rejected: n('rejected'),
    cancelled: n('cancelled'),
    unknown_status: n('unknown'),
    approval_rate: { k: n('approved'), n: decided },
    answered_rate: { k: decided, n: decided + n('unanswered') },
  }
  const times = rows.filter(isDecided).flatMap((candidate) => took(candidate) ?? [])
  return { rows, totals, decision_times: ranks(times) }
}

/** Nearest rank by its definition: the smallest value that at least p percent are not above. */
function percentile(times: readonly number[], percent: number): number | null {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted.find((_, i) => 100 * (i + 1) >= percent * sorted.length) ?? null
}

const ranks = (times: readonly number[]) => ({
  n: times.length,
  p50_ms: percentile(times, 50),
  p90_ms: percentile(times, 90),
  p95_ms: percentile(times, 95),
  max_ms: times.length === 0 ? null : Math.max(...times),
})

function topOf(rows: readonly Row[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { tool_name } of rows) counts.set(tool_name!, (counts.get(tool_name!) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || Buffer.compare(Buffer.from(a), Buffer.from(b))).slice(0, 5)
}

function approversOf(rows: readonly Row[]) {
  const decided = rows.filter(isDecided)
  return new Map(
    [...new Set(decided.map(({ responder_id }) => responder_id))].map((user) => {
      const theirs = decided.filter(({ responder_id }) => responder_id === user)
      const times = theirs.flatMap((candidate) => took(candidate) ?? [])
      const facts = {
        decided: theirs.length,
        approved: theirs.filter(({ status }) => status === 'approved').length,
        rejected: theirs.filter(({ status }) => status === 'rejected').length,
        timed: times.length,
        median_ms: percentile(times, 50),
        fast: times.filter((ms) => ms <= 2000).length,
        maybe_fast: times.filter((ms) => ms > 2000 && ms <= 3000).length,
        own: theirs.filter(({ user_id }) => user_id === user).length,
        is_generic: user === null || user === '' || user === 'admin',
      }
      return [user, facts]
    }),
  )
}

/** The middle of a list by its definition: as many are below it as above; of two middle ones their mean. */
function middle(values: readonly number[]): number | null {
  const rest = [...values].sort((a, b) => a - b)
  while (rest.length > 2) {
    rest.shift()
    rest.pop()
  }
  return rest.length === 0 ? null : rest.reduce((sum, value) => sum + value, 0) / rest.length
}

function medianOf(rows: readonly Row[], weeks: readonly Period[]): MedianFigures | null {
  const first = rows.map(({ requested_at }) => requested_at).filter((at) => at !== null && at >= '1970')
  const began = first.length === 0 ? null : first.reduce((a, b) => (a! < b! ? a : b))
  const used = weeks.filter(({ until }) => began != null && began < sqlTime(until).replace('.000', ''))
  if (used.length === 0) return null
  const found = used.map((week) => figures(rows, week))
  const of = (pick: (figures: Pick<Figures, 'totals' | 'decision_times'>) => number | null) =>
    middle(found.flatMap((one) => pick(one) ?? []))
  const sum = (pick: (totals: Figures['totals']) => number) => found.reduce((n, { totals }) => n + pick(totals), 0)
  return {
    weeks: used.map(({ from, until }) => ({
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
    })),
    totals: {
      total: of(({ totals }) => totals.total)!,
      open: of(({ totals }) => totals.open)!,
      unanswered: of(({ totals }) => totals.unanswered)!,
      decided: of(({ totals }) => totals.decided)!,
      approved: of(({ totals }) => totals.approved)!,
      rejected: of(({ totals }) => totals.rejected)!,
      cancelled: of(({ totals }) => totals.cancelled)!,
      unknown_status: of(({ totals }) => totals.unknown_status)!,
      approval_rate: { k: sum((t) => t.approved), n: sum((t) => t.approved + t.rejected) },
      answered_rate: { k: sum((t) => t.decided), n: sum((t) => t.decided + t.unanswered) },
    },
    decision_times: {
      n: of(({ decision_times }) => decision_times.n)!,
      p50_ms: of(({ decision_times }) => decision_times.p50_ms),
      p90_ms: of(({ decision_times }) => decision_times.p90_ms),
      p95_ms: of(({ decision_times }) => decision_times.p95_ms),
      max_ms: of(({ decision_times }) => decision_times.max_ms),
    },
  }
}

/** Seoul has no daylight saving time: its wall is UTC and nine hours, and an hour is an hour. */
function hoursOf(rows: readonly Row[], { from, until }: Period, end: number) {
  const hours = []
  for (let start = from; start < until; start = start - (start % HOUR) + HOUR) {
    const stop = Math.min(start - (start % HOUR) + HOUR, until)
    const { totals } = figures(rows, { from: start, until: Math.min(stop, end) })
    const { total: requests, unanswered } = totals
    const hour = `${String(Math.floor(start / HOUR + 9) % 24).padStart(2, '0')}:00`
    hours.push({ hour, ...(start < end ? { requests, unanswered } : { requests: null, unanswered: null }) })
  }
  return hours
}

const withoutSpans = (rows: DailyReportData['day_curve']) =>
  rows.map(({ hour, requests, unanswered }) => ({ hour, requests, unanswered }))

const BUCKETS = [0, 2, 3, 10, 30, 60, 120, 300, 900, 3600, Number.POSITIVE_INFINITY].map((s) => s * 1000)
const bucketsOf = (times: readonly number[]) =>
  BUCKETS.slice(1).map(
    (limit, i) => times.filter((ms) => ms <= limit && (ms > BUCKETS[i]! || (i === 0 && ms === 0))).length,
  )

/** Whether a decision fell out of hours, by the wall of Seoul alone; null where the calendar cannot tell. */
function isOutside(ms: number, { from, until, days, years, holidays }: WorkingTime): boolean | null {
  const wall = new Date(ms + 9 * HOUR).toISOString()
  const [date, time] = [wall.slice(0, 10), wall.slice(11, 16)]
  const weekday = WEEKDAYS[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7]!
  if (date in holidays || !days.includes(weekday) || time < from || time >= until) return true
  return years.includes(Number(date.slice(0, 4))) ? false : null
}

function outOfHoursOf(rows: readonly Row[], user: string | null, calendar: WorkingTime) {
  const theirs = rows.filter((candidate) => isDecided(candidate) && candidate.responder_id === user)
  const judged = theirs.flatMap(({ responded_at }) => {
    const ms = instant(responded_at)
    return ms === null ? [] : [isOutside(ms, calendar)]
  })
  return judged.includes(null) ? null : { k: judged.filter((outside) => outside).length, n: judged.length }
}

const calendars: fc.Arbitrary<WorkingTime> = fc
  .record({
    from: fc.constantFrom('00:00', '07:30', '09:00', '17:59'),
    until: fc.constantFrom('18:00', '20:15', '24:00'),
    days: fc.subarray([...WEEKDAYS]),
    years: fc.constantFrom([2026, 9999, 2031], [2026], [2027], []),
    holidays: fc.subarray(['2026-11-21', '2026-11-22', '2026-11-15', '2026-12-25']),
  })
  .map(({ holidays, ...rest }) => ({ ...rest, holidays: Object.fromEntries(holidays.map((date) => [date, 'off'])) }))

function oddities(rows: readonly Row[]): Record<Oddity, number> {
  const kinds: Record<Oddity, (candidate: Row) => boolean> = {
    unknown_status: (r) => classOf(r) === 'unknown',
    unreadable_request_time: (r) => instant(r.requested_at) === null,
    unreadable_deadline: (r) => instant(r.expires_at) === null,
    unreadable_decision_time: (r) => isDecided(r) && instant(r.responded_at) === null,
    deadline_before_request: (r) => isBefore(r.expires_at, r.requested_at),
    decided_before_request: (r) => isDecided(r) && isBefore(r.responded_at, r.requested_at),
    decided_after_deadline: (r) => isDecided(r) && isBefore(r.expires_at, r.responded_at),
    decided_in_future: (r) => isDecided(r) && (instant(r.responded_at) ?? 0) > NOW + 60_000,
  }
  return Object.fromEntries(Object.entries(kinds).map(([kind, holds]) => [kind, rows.filter(holds).length])) as Record<
    Oddity,
    number
  >
}

/** Within one form, or across the two when they differ by more than the second that the old one cannot tell. */
function isBefore(a: string | null | undefined, b: string | null | undefined): boolean {
  const [x, y] = [instant(a), instant(b)]
  if (x === null || y === null) return false
  return a!.length === b!.length ? x < y : a! < b!
}

// ── The comparison ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Sunday in Seoul up to 18:00:00.500, by sums alone. */
const MIDNIGHT = Date.parse('2026-11-21T15:00:00Z')
const WEEKS = [1, 2, 3, 4].map((n) => ({ from: MIDNIGHT - n * 7 * DAY, until: NOW - n * 7 * DAY }))

function report(
  folder: string,
  name: string,
  rows: readonly Row[],
  adopted: boolean,
  time: WorkingTime,
): DailyReportData {
  const path = join(folder, name)
  const db = createDatabase(path, { adopted, wal: false })
  insertRequests(db, rows)
  db.close()
  const reader = openReader(path, Object.values(reportQueries))
  try {
    const periods: ReportPeriods = reportPeriods('2026-11-22', NOW, 'Asia/Seoul')
    const calendar = { time, problems: null }
    const around = { now: NOW, zone: 'Asia/Seoul', calendar, calendarPath: 'calendar.json' }
    return reader.read((tx) => readReport(tx, periods, around))
  } finally {
    reader.close()
    rmSync(path)
  }
}

test.each([
  ['a database of ours', false],
  ['an adopted database', true],
])('says of %s what a loop over its rows says', (_, adopted) => {
  const folder = mkdtempSync(join(tmpdir(), 'report-oracle-'))
  let run = 0
  try {
    fc.assert(
      fc.property(fc.array(row(adopted), { maxLength: 150, size: 'max' }), calendars, (rows, calendar) => {
        const data = report(folder, `${++run}.db`, rows, adopted, calendar)
        const periods = reportPeriods('2026-11-22', NOW, 'Asia/Seoul')
        const since = figures(rows, periods.since)
        for (const [found, expected] of [
          [data.today, figures(rows, periods.today)],
          [data.since_last_report, since],
          ...(data.same_day_last_week
            ? [[data.same_day_last_week, figures(rows, periods.weeksBefore[0])] as const]
            : []),
        ] as const) {
          expect(found.totals).toEqual(expected.totals)
          expect(found.decision_times).toEqual(expected.decision_times)
        }
        const known = since.rows.filter((candidate) => classOf(candidate) !== 'unknown')
        const { tools, approvers, unanswered_by_tool } = data.since_last_report
        expect(tools.map(({ tool_name, requests }) => [tool_name, requests])).toEqual(topOf(known))
        const unanswered = known.filter((candidate) => classOf(candidate) === 'unanswered')
        expect(unanswered_by_tool.map(({ tool_name, unanswered: n }) => [tool_name, n])).toEqual(topOf(unanswered))
        for (const { user_id, out_of_hours, is_rubber_stamp, ...facts } of approvers) {
          expect(facts).toEqual(approversOf(since.rows).get(user_id))
          expect(out_of_hours).toEqual(outOfHoursOf(since.rows, user_id, calendar))
          expect(is_rubber_stamp).toBe(facts.timed >= 10 && facts.fast / facts.timed >= 0.3)
        }
        expect(approvers.length).toBe(approversOf(since.rows).size)
        expect(data.four_week_median).toEqual(medianOf(rows, WEEKS))
        expect(withoutSpans(data.day_curve)).toEqual(hoursOf(rows, { from: MIDNIGHT, until: MIDNIGHT + DAY }, NOW))
        const { by_hour, decision_time_buckets } = data.since_last_report
        expect(withoutSpans(by_hour)).toEqual(hoursOf(rows, periods.since, periods.since.until))
        const { unanswered_reasons: reasons } = data.since_last_report
        expect(Object.values(reasons).reduce((sum, n) => sum + n, 0)).toBe(unanswered.length)
        for (const { unanswered: n, reasons: why } of unanswered_by_tool) {
          expect(Object.values(why).reduce((sum, k) => sum + k, 0)).toBe(n)
        }
        expect(by_hour.reduce((sum, { unanswered: n }) => sum + n!, 0)).toBe(unanswered.length)
        const times = since.rows.filter(isDecided).flatMap((candidate) => took(candidate) ?? [])
        expect(decision_time_buckets.map(({ decisions }) => decisions)).toEqual(bucketsOf(times))
        expect(data.data_quality.kinds).toEqual(oddities(since.rows))
        // Every row is somewhere: before the periods, in one, after them, or counted as lying in none.
        const { in_future, unreadable } = data.data_quality
        const real = rows.filter(({ server }) => server !== 'ops-canary')
        const soon = sqlTime(NOW + 60_000)
        const outside = real.filter(({ requested_at: at }) => at === null || at < '1970' || at > soon)
        expect(in_future + unreadable).toBe(outside.length)
      }),
      { numRuns: 60, seed: 20261122 },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
