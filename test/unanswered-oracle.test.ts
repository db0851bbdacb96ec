import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { peakOf, readConcurrency } from '../src/jobs/concurrency.ts'
import { readTimeouts } from '../src/jobs/timeout-diagnosis.ts'
import { reportQueries } from '../src/queries.ts'
import { REASONS } from '../src/report/unanswered.ts'
import { type Reader, sqlTime } from '../src/sql.ts'
import { openReader } from '../src/store/reader.ts'
import {
  createDatabase,
  type Event,
  insertEvents,
  insertLives,
  insertRequests,
  type LifeRow,
  type Row,
} from './support/report-database.ts'

const NOW = Date.parse('2026-11-01T07:00:00Z')
const FROM = NOW - 3 * 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'unanswered-oracle-'))
afterAll(() => rmSync(folder, { recursive: true }))

// ── Random desks: whole seconds, so that a loop over seconds can tell what was when ──────────────────────────────────

const second = fc.integer({ min: 0, max: 3 * 3600 }).map((s) => FROM + s * 1000)
const write = fc.constantFrom(sqlTime, (ms: number) => sqlTime(ms).slice(0, 19))
const nonsense = fc.constantFrom('', 'now', '2026-11-01T06:00:00Z', '2026-13-01 00:00:00', '2026-11-01 06:00', '한글')
const rarely = <T>(sound: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 15) =>
  fc.oneof({ arbitrary: sound, weight }, { arbitrary: odd, weight: 1 })

const asked = fc.record({
  at: second,
  timeout: fc.constantFrom(10, 60, 300, 900),
  write,
  start: rarely<string | null>(fc.constant(null), nonsense),
  deadline: rarely<string | null>(fc.constant(null), nonsense),
  status: rarely(
    fc.constantFrom('expired', 'expired', 'timeout', 'pending', 'approved', 'rejected', 'cancelled'),
    fc.constantFrom('weird', ''),
  ),
  /** Of the expiry after the deadline, or of the decision after the asking, s. */
  takes: fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(0, 1, 59, 60, 61, 299, 300, 301)),
  life: fc.constantFrom(1, 1, 1, 1, 0, null),
  isRecorded: rarely(fc.constant(true), fc.constant(false), 6),
  tool_name: fc.constantFrom('execute_python', 'run_command', '도구 🙂', "a'b"),
  user_id: fc.constantFrom('dev_user', 'kim'),
  server: rarely(fc.constant(''), fc.constant('ops-canary')),
  seen: fc.array(
    fc.record({
      what: fc.constantFrom('notified', 'listed', 'opened', 'waiting', 'left', 'late'),
      who: fc.constantFrom('amy', 'bob'),
      after: fc.integer({ min: 0, max: 400 }),
      lasts: fc.integer({ min: 0, max: 100 }),
    }),
    { maxLength: 4 },
  ),
})
const runs = fc.array(
  fc.record({
    at: second,
    type: fc.constantFrom('server_started', 'server_stopped', 'config_reloaded', 'token_issued'),
  }),
  { maxLength: 6 },
)

interface Desk {
  readonly rows: Row[]
  readonly events: (Event & { seq: number })[]
  readonly lives: LifeRow[]
}

/** Events in the order of their time, as a desk writes them, and each row's place in them. */
const desk = fc.tuple(fc.array(asked, { maxLength: 60 }), runs, fc.boolean()).map(([all, server, began]): Desk => {
  const unsorted: (Event & { row?: number; place?: 'created_seq' | 'closed_seq' })[] = server.map(({ at, type }) => ({
    ...{ at: sqlTime(at), type },
  }))
  if (began) unsorted.push({ at: sqlTime(FROM - 1000), type: 'server_started' })
  for (const [row, one] of all.entries()) {
    unsorted.push({ at: sqlTime(one.at), type: 'created', row, place: 'created_seq' })
    const deadline = one.at + one.timeout * 1000
    const ends = one.status === 'expired' || one.status === 'timeout' ? deadline : one.at
    const type = one.status === 'timeout' ? 'expired' : one.status
    if (one.isRecorded && one.status !== 'pending') {
      unsorted.push({ at: sqlTime(ends + one.takes * 1000), type, row, place: 'closed_seq' })
    }
  }
  // sort() keeps the order of equals: a request is asked before it ends.
  const events = unsorted
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map((one, i) => ({ ...one, seq: i + 1 }))
  const placeOf = (row: number, place: string) =>
    events.find((one) => one.row === row && one.place === place)?.seq ?? null
  const rows = all.map((one, n): Row => {
    const isDecided = one.status === 'approved' || one.status === 'rejected'
    return {
      request_id: `r${n}`,
      ...{ tool_name: one.tool_name, user_id: one.user_id, server: one.server, status: one.status, life: one.life },
      requested_at: one.start ?? one.write(one.at),
      expires_at: one.deadline ?? one.write(one.at + one.timeout * 1000),
      responded_at: isDecided ? one.write(one.at + one.takes * 1000) : null,
      responder_id: isDecided ? 'amy' : null,
      ...{ created_seq: placeOf(n, 'created_seq'), closed_seq: placeOf(n, 'closed_seq') },
    }
  })
  const lives = all.flatMap(({ at, seen, life }, n) =>
    seen
      .filter(({ what, who }, i) => life === 1 && seen.findIndex((o) => o.what === what && o.who === who) === i)
      .map(({ what, who, after, lasts }) => ({
        ...{ created_seq: rows[n]!.created_seq!, what, who },
        first_at: sqlTime(at + after * 1000),
        last_at: sqlTime(at + (after + lasts) * 1000),
      })),
  )
  return { rows, events: events.map(({ row: _, place: __, ...event }) => event), lives }
})

// ── The same questions, asked by loops ──────────────────────────────────────────────────────────────────────────────

const FORM = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?$/
const instant = (text: string | null | undefined): number =>
  FORM.test(text ?? '') ? Date.parse(`${text!.replace(' ', 'T')}Z`) : Number.NaN

/** Walks the record as a reader would: what the server was doing, second by second. */
function reasonOf(row: Row, { events, lives }: Desk): string {
  const [at, deadline] = [instant(row.requested_at), instant(row.expires_at)]
  const first = events.find(({ type }) => type === 'server_started')
  if (!first || Number.isNaN(at) || Number.isNaN(deadline) || at < instant(first.at) || deadline < at) return 'unknown'
  const end = events.find(({ seq, type }) => seq === row.closed_seq && type === 'expired')
  const expired = end ? instant(end.at) : Number.NaN

  let [secondsDown, killed, lostAfter] = [0, false, false]
  let state = 'up'
  let alive = instant(first.at)
  let stopped = 0
  const isIn = (ms: number, from: number, until: number) => from <= ms && ms < until
  const countDown = (from: number, until: number) => {
    for (let ms = at; ms < deadline; ms += 1000) if (isIn(ms, from, until)) secondsDown++
  }
  for (const { at: text, type } of events.filter(({ seq }) => seq > first.seq)) {
    const now = instant(text)
    if (type === 'server_started' && state === 'up') {
      // It was there at `alive` and is there again now; nobody knows when in between it went.
      const met = alive < deadline && now > at
      if (met && !(expired < now && now > deadline)) killed = true
      if (expired < now && alive < expired + 2000) lostAfter = true
    }
    if (type === 'server_started' && state === 'down') countDown(stopped, now)
    if (type === 'server_started') state = 'up'
    if (type === 'server_stopped') {
      // Of two stops without a start between them, the last word counts.
      stopped = now
      state = 'down'
    }
    if (type !== 'token_issued') alive = now
  }
  if (state === 'down') countDown(stopped, Number.POSITIVE_INFINITY)
  const life = (deadline - at) / 1000
  if (killed || (secondsDown > 0 && secondsDown >= life / 10)) return 'server_down'
  if (row.status === 'pending' ? NOW - deadline > 60_000 : expired - deadline > 60_000) return 'server_down'
  if (row.life !== 1) return 'unknown'
  const mine = lives.filter(({ created_seq }) => created_seq === row.created_seq)
  const times = (what: string) => mine.filter((one) => one.what === what)
  if (times('late').length > 0) return 'too_late'
  const left = times('left').map(({ last_at }) => instant(last_at))
  const there = times('waiting').map(({ last_at }) => instant(last_at))
  if (
    left.some((ms) => ms < deadline) &&
    left.some((ms) => there.every((other) => other < ms)) &&
    Math.max(...left) < deadline
  )
    return 'caller_gone'
  const before = (what: string) => times(what).some(({ first_at }) => instant(first_at) < deadline)
  if (before('opened')) return 'opened'
  if (Number.isNaN(expired) || lostAfter) return 'unknown'
  return before('notified') || before('listed') ? 'notified' : 'nobody'
}

const isUnanswered = ({ status, expires_at }: Row) =>
  status === 'expired' || status === 'timeout' || (status === 'pending' && expires_at! <= sqlTime(NOW))

function tally(keys: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}

const asRecord = (tallies: readonly { key: string | number; unanswered: number }[]) =>
  Object.fromEntries(tallies.filter(({ unanswered }) => unanswered > 0).map(({ key, unanswered }) => [key, unanswered]))

let run = 0
function open<T>({ rows, events, lives }: Desk, work: (reader: Reader) => T): T {
  const path = join(folder, `${++run}.db`)
  const db = createDatabase(path, { wal: false })
  insertEvents(db, events)
  insertRequests(db, rows)
  insertLives(db, lives)
  db.close()
  const reader = openReader(path, Object.values(reportQueries))
  try {
    return work(reader)
  } finally {
    reader.close()
    rmSync(path)
  }
}

const read = <T>(given: Desk, work: Parameters<Reader['read']>[0]): T => open(given, (reader) => reader.read(work) as T)

// ── The comparison ──────────────────────────────────────────────────────────────────────────────────────────────────

test.each(['Asia/Seoul', 'America/New_York'])('in %s every figure is what a loop over the rows says', (zone) => {
  const seen = new Set<string>()
  const period = { from: FROM - 3_600_000, until: NOW }
  fc.assert(
    fc.property(desk, (given) => {
      const found = open(given, (reader) => {
        let reads = 0
        const counted: Reader = {
          ...reader,
          read(work) {
            reads++
            return reader.read(work)
          },
        }
        const timeouts = readTimeouts(counted, { period, now: NOW, zone, limit: 1000, timeout: 300 }, 1_800_000)
        // No more than one part in a transaction, however long the period is.
        expect(reads).toBeGreaterThanOrEqual((period.until - period.from) / 1_800_000)
        return timeouts
      })
      // What is no time of ours stands where its text does.
      const asked = found.unanswered.latest.flatMap(({ requested_at: at }) => (/\.\d{3}Z$/.test(at!) ? at! : []))
      expect(asked).toEqual(asked.toSorted().reverse())
      const bounds = [sqlTime(period.from).slice(0, 19), sqlTime(period.until).slice(0, 19)] as const
      const inside = given.rows.filter(
        ({ requested_at: at, server }) => server !== 'ops-canary' && at! >= bounds[0] && at! < bounds[1],
      )
      const unanswered = inside.filter(isUnanswered)
      const expected = Object.fromEntries(unanswered.map((row) => [row.request_id!, reasonOf(row, given)]))
      for (const reason of Object.values(expected)) seen.add(reason)
      const { latest, total, reasons, by_tool, by_requester, by_hour, by_weekday, late_ms } = found.unanswered
      expect(Object.fromEntries(latest.map(({ request_id, reason }) => [request_id, reason]))).toEqual(expected)
      expect(total).toBe(unanswered.length)
      const known = Object.fromEntries(Object.entries(reasons).filter(([, n]) => n > 0))
      expect(known).toEqual(tally(Object.values(expected)))
      expect(asRecord(by_tool)).toEqual(tally(unanswered.map(({ tool_name }) => tool_name!)))
      expect(asRecord(by_requester)).toEqual(tally(unanswered.map(({ user_id }) => user_id!)))
      const local = (row: Row, options: Intl.DateTimeFormatOptions): string =>
        new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options }).format(instant(row.requested_at))
      const timed = unanswered.filter((row) => !Number.isNaN(instant(row.requested_at)))
      expect(asRecord(by_hour)).toEqual(
        tally(timed.map((row) => Number(local(row, { hour: '2-digit', hourCycle: 'h23' })))),
      )
      const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
      expect(asRecord(by_weekday)).toEqual(
        tally(timed.map((row) => days.indexOf(local(row, { weekday: 'short' })) + 1)),
      )

      const took = inside
        .filter(({ status }) => status === 'approved' || status === 'rejected')
        .map((row) => instant(row.responded_at) - instant(row.requested_at))
        .filter((ms) => ms >= 0)
      const buckets = tally(took.map((ms) => (ms >= 300_000 ? 10 : Math.floor(ms / 30_000))))
      expect(asRecord(found.distribution.map(({ decided }, key) => ({ key, unanswered: decided })))).toEqual(buckets)
      const late = unanswered
        .filter((row) => expected[row.request_id!] === 'too_late')
        .map((row) => {
          const mine = given.lives.filter(({ created_seq, what }) => created_seq === row.created_seq && what === 'late')
          return Math.min(...mine.map(({ first_at }) => instant(first_at))) - instant(row.requested_at)
        })
      expect(late_ms).toEqual(late.sort((a, b) => a - b))
      const cases = [...took, ...late]
      const { seconds, k, n, needed, censored } = found.suggestion
      expect([n, censored]).toEqual([cases.length, total - late.length])
      expect(seconds === null).toBe(n < needed)
      if (seconds !== null) {
        // The smallest whole number of seconds that keeps 95 %: it does, and one second less does not.
        expect(k).toBe(cases.filter((ms) => ms < seconds * 1000).length)
        expect(k / n).toBeGreaterThanOrEqual(0.95)
        expect(cases.filter((ms) => ms < (seconds - 1) * 1000).length / n).toBeLessThan(0.95)
      }
    }),
    { numRuns: 100, seed: 20261122 },
  )
  // A property that never meets a reason proves nothing about it.
  expect([...seen].sort()).toEqual([...REASONS].sort())
})

test('the most that were open at once, and what was decided twice, are what loops say', () => {
  fc.assert(
    fc.property(desk, ({ rows, events, lives }) => {
      // Decisions past the desk: on record, and not the one that counts.
      const ids = rows.filter((_, n) => n % 7 === 0).map(({ request_id }) => request_id!)
      const more = ids.map((request_id, n) => ({
        ...{ at: sqlTime(NOW - 1000), type: 'approved', request_id, seq: events.length + n + 1 },
      }))
      const given = { rows, lives, events: [...events, ...more] }
      const found = read<ReturnType<typeof readConcurrency>>(given, (tx) =>
        readConcurrency(tx, { from: FROM, until: NOW }, NOW),
      )
      const sound = rows
        .filter(({ server, requested_at: at }) => server !== 'ops-canary' && at! >= '2026-10-30' && at! < sqlTime(NOW))
        .map((row) => {
          const cancelled = events.find(({ seq }) => seq === row.closed_seq)?.at
          const end =
            row.status === 'cancelled'
              ? cancelled
              : row.status === 'approved' || row.status === 'rejected'
                ? row.responded_at
                : row.expires_at
          const known = ['pending', 'expired', 'timeout', 'approved', 'rejected', 'cancelled'].includes(row.status!)
          return [
            instant(row.requested_at),
            Math.min(instant(row.expires_at), known ? instant(end) : Number.NaN),
          ] as const
        })
        .filter(([from, until]) => !Number.isNaN(from + until))
      let [peak, at] = [0, null as string | null]
      for (let ms = FROM - 1000; ms < NOW; ms += 1000) {
        const open = sound.filter(([from, until]) => from <= ms && ms < until).length
        if (open > peak) [peak, at] = [open, new Date(ms).toISOString()]
      }
      expect([found.peak, found.peak_at]).toEqual([peak, at])
      const twice = ids.filter((id) => rows.find(({ request_id }) => request_id === id)!.server !== 'ops-canary')
      expect(found.decided_twice_total).toBe(twice.length)
    }),
    { numRuns: 40, seed: 20261122 },
  )
})

test('the peak of any spans in any window is that of a count at every instant', () => {
  const span = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -2, max: 30 }))
  fc.assert(
    fc.property(fc.array(span, { maxLength: 40 }), span, (spans, [from, length]) => {
      const all = spans.map(([begin, lasts]) => ({ from: begin, until: begin + lasts }))
      const window = { from, until: from + Math.max(0, length) }
      let expected = { peak: 0, at: null as number | null }
      for (let t = window.from; t < window.until; t++) {
        const open = all.filter((one) => one.from <= t && t < one.until).length
        if (open > expected.peak) expected = { peak: open, at: t }
      }
      expect(peakOf(all, window)).toEqual(expected)
    }),
    { numRuns: 500, seed: 20261122 },
  )
})
