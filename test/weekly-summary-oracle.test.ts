import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRisk, readSummary } from '../src/jobs/weekly-summary.ts'
import { reportQueries } from '../src/queries.ts'
import type { WeekRow } from '../src/report/weekly-summary-data.ts'
import { sqlTime } from '../src/sql.ts'
import { openReader } from '../src/store/reader.ts'
import { createDatabase, type Event, insertEvents, insertRequests, type Row } from './support/report-database.ts'

/** Four weeks, one of 169 hours (New York's clocks go back on 1 November), and a day and a half. */
const ZONE = 'America/New_York'
const NOW = Date.parse('2026-11-10T12:34:56.789-05:00')
const MONDAYS = [
  ['2026-W42', '2026-10-12T00:00-04:00'],
  ['2026-W43', '2026-10-19T00:00-04:00'],
  ['2026-W44', '2026-10-26T00:00-04:00'],
  ['2026-W45', '2026-11-02T00:00-05:00'],
  ['2026-W46', '2026-11-09T00:00-05:00'],
  ['2026-W47', '2026-11-16T00:00-05:00'],
].map(([week, monday]) => ({ week: week!, from: Date.parse(monday!) }))
const WEEKS = MONDAYS.slice(0, 5).map(({ week, from }, i) => ({ week, from, until: MONDAYS[i + 1]!.from }))
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]

// ── Random rows, sound and hostile ──────────────────────────────────────────────────────────────────────────────────

const seconds = (ms: number) => sqlTime(ms).slice(0, 19)
const near = (start: number) =>
  fc.oneof(
    fc.integer({ min: start, max: NOW + 2 * HOUR }),
    // Bounds of weeks and of the hour that comes twice, and a step to either side of them.
    fc.constantFrom(
      ...[
        ...MONDAYS.map(({ from }) => from),
        NOW,
        Date.parse('2026-11-01T05:00:00Z'),
        Date.parse('2026-11-01T06:00:00Z'),
      ]
        .flatMap((ms) => [ms - 1000, ms - 1, ms, ms + 1])
        .filter((ms) => ms >= start),
    ),
  )
const nonsense = fc.constantFrom(
  ...['', 'now', 'yesterday', '12:00', '2461000.5', '1795000000', '2026-10-22', '2026-13-45 99:99:99', '0000-00-00'],
  ...['2026-10-22 08:00:00.1', '2026-10-22 08:00:00 ', '2026-10-31T08:00:00Z', '9999-12-31 23:59:59', '한글', '🙈'],
)
const mostly = <T>(sound: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 14) =>
  fc.oneof({ arbitrary: sound, weight }, { arbitrary: odd, weight: 1 })
const statuses = ['pending', 'approved', 'approved', 'rejected', 'expired', 'timeout', 'cancelled']
const levels = fc.constantFrom('HIGH', 'CRITICAL', null)

const row = (start: number, adopted: boolean) =>
  fc
    .record({
      at: near(start),
      takes: fc.oneof(fc.integer({ min: 0, max: 400_000 }), fc.constantFrom(1999, 2000, 2001, 3000, 3001, -500)),
      write: fc.constantFrom(sqlTime, seconds),
      requested_at: mostly<string | null>(fc.constant('computed'), adopted ? fc.option(nonsense) : nonsense),
      responded_at: mostly<string | null>(fc.constant('computed'), fc.option(nonsense)),
      expires_at: mostly(fc.constant('computed'), nonsense),
      status: mostly<string | null>(
        fc.constantFrom(...statuses),
        fc.constantFrom('weird', '', ...(adopted ? [null] : [])),
      ),
      tool_name: fc.constantFrom('execute_python', 'execute_python', 'run_command', 'a', '도구🔧'),
      user_id: fc.constantFrom('dev_user', 'kim'),
      responder_id: fc.constantFrom('kim', 'kim', 'lee', 'admin', '', null),
      server: mostly(fc.constantFrom('', 'files'), fc.constant('ops-canary')),
      level: levels,
    })
    .map(({ at, takes, write, requested_at, responded_at, expires_at, level, ...rest }) => ({
      level,
      row: {
        ...rest,
        requested_at: requested_at === 'computed' ? write(at) : requested_at,
        responded_at: responded_at === 'computed' ? write(at + takes) : responded_at,
        expires_at: expires_at === 'computed' ? write(at + 300_000) : expires_at,
      } as Row,
    }))

const gateEvent = (start: number) =>
  fc
    .record({
      minutes: fc.integer({ min: 0, max: Math.floor((NOW - start) / MINUTE) }),
      type: fc.constantFrom('gate_off', 'gate_off', 'gate_on'),
      lease: fc.option(fc.integer({ min: 1, max: 3000 })),
    })
    .map(({ minutes, type, lease }) => {
      const at = start + minutes * MINUTE
      const until = lease === null ? null : new Date(at + lease * MINUTE).toISOString()
      return { ms: at, event: { at: sqlTime(at), type, data: type === 'gate_off' ? { until } : {} } }
    })
const call = (start: number) =>
  fc
    .record({
      ms: fc.integer({ min: start, max: NOW - 1 }),
      tool: fc.constantFrom('execute_python', 'sudo'),
      server: fc.constantFrom('', '', 'ops-canary'),
    })
    .map(({ ms, tool, server }) => ({
      ms,
      event: { at: sqlTime(ms), type: 'bypassed', actor: 'kim', data: { server, tool, level: 'CRITICAL' } },
    }))

const database = (adopted: boolean) =>
  fc.integer({ min: 0, max: 28 }).chain((days) => {
    const start = MONDAYS[0]!.from + days * DAY - DAY
    return fc.record({
      rows: fc.array(row(start, adopted), { maxLength: 160, size: 'max' }),
      events: fc
        .tuple(fc.array(gateEvent(start), { maxLength: 6 }), fc.array(call(start), { maxLength: 8 }))
        .map(([gates, calls]) => [...gates, ...calls].sort((a, b) => a.ms - b.ms).map(({ event }) => event as Event)),
    })
  })

// ── The same questions, asked of the rows by loops ──────────────────────────────────────────────────────────────────

const FORM = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?$/

/** Milliseconds, or null for a text that is not written as the desk or the old system writes times. */
function instant(text: string | null | undefined): number | null {
  const parts = FORM.exec(text ?? '')
  if (!parts) return null
  const [year, month, day, hour, minute, second, ms] = parts.slice(1).map((part) => Number(part ?? 0)) as number[]
  if (month! < 1 || month! > 12 || day! < 1 || day! > 31 || hour! > 24 || minute! > 59 || second! > 59) return null
  return Date.UTC(year!, month! - 1, day, hour, minute, second, ms)
}

const bound = (ms: number): string => sqlTime(ms).replace('.000', '')

/** A time that can be read lies where it says; any other text stands where the alphabet puts it. */
function isIn(text: string | null, from: number, until: number): boolean {
  if (text === null) return false
  const ms = instant(text)
  return ms === null ? text >= bound(from) && text < bound(until) : from <= ms && ms < until
}

function classOf({ status, expires_at }: Row): string {
  if (status === 'timeout' || status === 'expired') return 'unanswered'
  if (status === 'pending') return expires_at == null || expires_at > sqlTime(NOW) ? 'open' : 'unanswered'
  return status === 'approved' || status === 'rejected' || status === 'cancelled' ? status : 'unknown'
}
const isDecided = ({ status }: Row) => status === 'approved' || status === 'rejected'

function took({ requested_at, responded_at }: Row): number[] {
  const [start, answer] = [instant(requested_at), instant(responded_at)]
  return start === null || answer === null || answer < start ? [] : [answer - start]
}

/** Nearest rank by its definition: the smallest value that at least p percent are not above. */
function percentile(times: readonly number[], percent: number): number | null {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted.find((_, i) => 100 * (i + 1) >= percent * sorted.length) ?? null
}

function totalsOf(rows: readonly Row[]) {
  const n = (name: string) => rows.filter((candidate) => classOf(candidate) === name).length
  const decided = n('approved') + n('rejected')
  return {
    ...{ total: rows.length - n('unknown'), open: n('open'), unanswered: n('unanswered'), decided },
    ...{ approved: n('approved'), rejected: n('rejected'), cancelled: n('cancelled'), unknown_status: n('unknown') },
    approval_rate: { k: n('approved'), n: decided },
    answered_rate: { k: decided, n: decided + n('unanswered') },
  }
}

function approversOf(rows: readonly Row[]) {
  const decided = rows.filter(isDecided)
  return new Map(
    [...new Set(decided.map(({ responder_id }) => responder_id))].map((user) => {
      const theirs = decided.filter(({ responder_id }) => responder_id === user)
      const times = theirs.flatMap(took)
      const fast = times.filter((ms) => ms <= 2000).length
      const facts = {
        decided: theirs.length,
        approved: theirs.filter(({ status }) => status === 'approved').length,
        rejected: theirs.filter(({ status }) => status === 'rejected').length,
        timed: times.length,
        median_ms: percentile(times, 50),
        fast,
        maybe_fast: times.filter((ms) => ms > 2000 && ms <= 3000).length,
        own: theirs.filter(({ user_id }) => user_id === user).length,
        is_generic: user === null || user === '' || user === 'admin',
        is_rubber_stamp: times.length >= 10 && fast / times.length >= 0.3,
      }
      return [user, facts]
    }),
  )
}

const wallClock = new Intl.DateTimeFormat('en-US', {
  timeZone: ZONE,
  weekday: 'short',
  hour: '2-digit',
  hourCycle: 'h23',
})
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** Hour and weekday on New York's wall, by the machine's own calendar. */
function fieldOf(ms: number): [number, number] {
  const parts = Object.fromEntries(wallClock.formatToParts(ms).map(({ type, value }) => [type, value]))
  return [Number(parts.hour), WEEKDAYS.indexOf(parts.weekday!)]
}

/** The start of the hour in which a request lies, New York being whole hours from UTC. */
function hourOf(text: string): number {
  const ms = instant(text)
  if (ms !== null) return Math.floor(ms / HOUR) * HOUR
  let hour = Math.floor(WEEKS[0]!.from / HOUR) * HOUR
  while (bound(hour + HOUR) <= text) hour += HOUR
  return hour
}

function heatOf(rows: readonly Row[], first: string) {
  const heat: (number | null)[][] = Array.from({ length: 24 }, () => Array.from({ length: 7 }, () => null))
  for (const { from, until } of WEEKS) {
    if (first >= bound(until)) continue
    for (let ms = from; ms < Math.min(until, NOW); ms += HOUR) {
      const [hour, day] = fieldOf(ms)
      if (bound(Math.min(ms + HOUR, NOW)) > first) heat[hour]![day] ??= 0
    }
  }
  for (const candidate of rows) {
    if (classOf(candidate) === 'unknown') continue
    const [hour, day] = fieldOf(hourOf(candidate.requested_at!))
    heat[hour]![day]! += 1
  }
  return heat
}

/** How the gate is at an instant: as the last word about it says. */
function isOff(events: readonly Event[], ms: number): boolean {
  const last = events.findLast(({ at, type }) => type.startsWith('gate_') && instant(at)! <= ms)
  if (last?.type !== 'gate_off') return false
  const { until } = last.data as { until: string | null }
  return until === null || Date.parse(until) > ms
}

/** Between two words about the gate, and the ends of its leases, nothing changes. */
function offMs(events: readonly Event[], from: number, until: number): number {
  const turns = events.flatMap(({ at, data }) => [instant(at)!, Date.parse((data as { until?: string }).until ?? '')])
  const steps = [from, ...turns.filter((ms) => ms > from && ms < until).sort((a, b) => a - b), until]
  return steps.slice(1).reduce((sum, end, i) => sum + (isOff(events, steps[i]!) ? end - steps[i]! : 0), 0)
}

// ── The comparison ──────────────────────────────────────────────────────────────────────────────────────────────────

interface Given {
  readonly rows: readonly { readonly row: Row; readonly level: string | null }[]
  readonly events: readonly Event[]
}

function read(path: string, { rows, events }: Given, adopted: boolean) {
  const db = createDatabase(path, { adopted, wal: false })
  insertRequests(
    db,
    rows.map((given) => given.row),
  )
  const setLevel = db.prepare('UPDATE approval_requests SET level = ? WHERE rowid = ?')
  for (const [i, { level }] of rows.entries()) setLevel.run(level, i + 1)
  insertEvents(db, events)
  db.close()
  const reader = openReader(path, Object.values(reportQueries))
  try {
    const around = { now: NOW, zone: ZONE, date: '2026-11-10' }
    return { data: readSummary(reader, around, 4), risk: readRisk(reader, around, 30) }
  } finally {
    reader.close()
    rmSync(path)
  }
}

function checkWeek(found: WeekRow, given: Given, { from, until: end }: (typeof WEEKS)[number], first: string | null) {
  const rows = given.rows.map((candidate) => candidate.row).filter(({ server }) => server !== 'ops-canary')
  const until = Math.min(end, NOW)
  expect([found.from, found.until]).toEqual([from, until].map((ms) => new Date(ms).toISOString()))
  if (first === null || first >= bound(end)) {
    const nothing = { state: 'before_record', totals: null, decision_times: null, gate_off: null, change: null }
    expect(found).toMatchObject(nothing)
    return []
  }
  const theirs = rows.filter(({ requested_at }) => isIn(requested_at, from, until))
  const times = theirs.filter(isDecided).flatMap(took)
  expect(found.state).toBe(end > NOW ? 'in_progress' : 'complete')
  expect(found.record_begins !== null).toBe(first > bound(from))
  expect(found.totals).toEqual(totalsOf(theirs))
  expect(found.decision_times).toEqual({
    ...{ n: times.length, p50_ms: percentile(times, 50), p90_ms: percentile(times, 90), p95_ms: percentile(times, 95) },
    max_ms: times.length === 0 ? null : Math.max(...times),
  })
  const firstEvent = given.events[0]?.at
  const gate = { ms: offMs(given.events, from, until), complete: (firstEvent ?? '') <= bound(from) }
  expect(found.gate_off).toEqual(firstEvent === undefined || firstEvent >= bound(until) ? null : gate)
  return theirs
}

test.each([
  ['a database of ours', false],
  ['an adopted database', true],
])('says of %s what a loop over its rows says', (_, adopted) => {
  const folder = mkdtempSync(join(tmpdir(), 'weekly-oracle-'))
  let run = 0
  const seen = { before: 0, partly: 0, off: 0, on: 0, stamps: 0, ranked: 0 }
  try {
    fc.assert(
      fc.property(database(adopted), (given) => {
        const { data, risk } = read(join(folder, `${++run}.db`), given, adopted)
        const texts = given.rows.flatMap(({ row: { requested_at: at } }) => (at !== null && at >= '1970' ? [at] : []))
        const first = [...texts, ...given.events.slice(0, 1).map(({ at }) => at)].sort()[0] ?? null
        expect(data.weeks.map(({ week }) => week)).toEqual(WEEKS.map(({ week }) => week))
        const all = WEEKS.flatMap((week, i) => checkWeek(data.weeks[i]!, given, week, first))
        expect(new Map(data.approvers.map(({ user_id, ...facts }) => [user_id, facts]))).toEqual(approversOf(all))
        expect(data.hours).toEqual(heatOf(all, first ?? '~'))
        for (const [i, { change }] of data.weeks.entries()) {
          const pair = [data.weeks[i - 1], data.weeks[i]]
          const whole = pair.every((week) => week?.state === 'complete' && week.record_begins === null)
          const by = whole ? pair[1]!.totals!.total - pair[0]!.totals!.total : null
          expect(change?.total.by ?? null).toBe(by)
          if (by !== null) expect(change!.total.direction).toBe(by > 0 ? 'up' : by < 0 ? 'down' : 'same')
        }
        const known = new Set(
          given.rows.map(({ row }) => row).filter((r) => r.server !== 'ops-canary' && classOf(r) !== 'unknown'),
        )
        const from = Date.parse(risk.from)
        for (const tools of [data.tools, risk]) {
          const start = tools === risk ? from : WEEKS[0]!.from
          const rows = given.rows.filter(({ row }) => known.has(row) && isIn(row.requested_at, start, NOW))
          const calls = given.events.filter(
            ({ type, at, data: d }) =>
              type === 'bypassed' && instant(at)! >= start && (d as { server: string }).server === '',
          )
          const listed = [...tools.ranked, ...tools.few]
          expect(listed.map(({ tool_name }) => tool_name).sort()).toEqual(
            [
              ...new Set([
                ...rows.map(({ row }) => row.tool_name!),
                ...calls.map(({ data: d }) => (d as { tool: string }).tool),
              ]),
            ].sort(),
          )
          for (const tool of listed) {
            const theirs = rows.filter(({ row }) => row.tool_name === tool.tool_name).map(({ row }) => row)
            const ran = calls.filter(({ data: d }) => (d as { tool: string }).tool === tool.tool_name)
            const off = ran.filter(({ at }) => isOff(given.events, instant(at)!)).length
            expect(tool).toMatchObject({
              ...{ requests: theirs.length, decided: theirs.filter(isDecided).length },
              ...{ rejected: theirs.filter(({ status }) => status === 'rejected').length },
              ...{ while_off: off, while_on: ran.length - off },
            })
            seen.off += off
            seen.on += ran.length - off
          }
          expect(
            tools.ranked.every(({ decided }) => decided >= 10) && tools.few.every(({ decided }) => decided < 10),
          ).toBe(true)
          expect(tools.critical).toEqual(listed.filter(({ while_on }) => while_on > 0))
          seen.ranked += tools.ranked.length
        }
        seen.before += data.weeks.filter(({ state }) => state === 'before_record').length
        seen.partly += data.weeks.filter(({ record_begins }) => record_begins !== null).length
        seen.stamps += data.approvers.filter(({ is_rubber_stamp }) => is_rubber_stamp).length
      }),
      { numRuns: 40, seed: 20261123 },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
  // What was never there was never tested.
  for (const [name, n] of Object.entries(seen)) if (name !== 'stamps') expect(n, name).toBeGreaterThan(0)
})
