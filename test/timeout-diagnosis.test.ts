import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { command, type Io } from '../src/command.ts'
import { timeoutDiagnosis } from '../src/jobs/timeout-diagnosis.ts'
import { distributionOf, NEEDED, suggestionOf } from '../src/jobs/timeout-times.ts'
import { displayWidth } from '../src/report/printable.ts'
import type { TimeoutDiagnosisData } from '../src/report/timeout-diagnosis-data.ts'
import { sqlTime } from '../src/sql.ts'
import {
  createDatabase,
  createOldDatabase,
  insertEvents,
  insertLives,
  insertRequests,
} from './support/report-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'timeout-diagnosis-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Monday 10:00 in Seoul. */
const NOW = Date.parse('2026-11-23T10:00:00+09:00')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let runs = 0
let path: string
beforeEach(() => {
  path = join(folder, `${++runs}.db`)
})

async function run(argv: readonly string[] = [], env: Record<string, string> = {}) {
  let stdout = ''
  let stderr = ''
  const io: Io = {
    argv: ['node', 'timeout-diagnosis', ...argv],
    env: {
      ...{ APPROVAL_ENV_FILE: join(folder, 'no.env'), SECURITY_DB_PATH: path, APPROVAL_URL: 'http://127.0.0.1:9' },
      ...{ LOG_PATH: join(folder, 'server.log'), ...env },
    },
    stdout: { columns: 80, write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    now: NOW,
  }
  return { code: await command(timeoutDiagnosis, io), stdout, stderr }
}

const data = async (argv: readonly string[] = [], env = {}): Promise<TimeoutDiagnosisData & { schema: string }> =>
  JSON.parse((await run([...argv, '--format', 'json'], env)).stdout)

type Seen = readonly [what: string, who: string, after: number]
interface Asked {
  readonly ago: number
  readonly tool?: string
  readonly status?: string
  readonly takes?: number
  readonly life?: number | null
  readonly seen?: readonly Seen[]
}

/** A desk that has run for eight days, was killed once and stopped once, and these requests. */
function given(all: readonly Asked[], more: readonly { at: number; type: string; request_id?: string }[] = []): void {
  const db = createDatabase(path)
  const sorted = all.map((one, n) => ({ ...one, id: `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000` }))
  const events = [
    { at: NOW - 8 * 24 * HOUR, type: 'server_started', row: -1 },
    ...more.map((one) => ({ ...one, row: -1 })),
    ...sorted.flatMap(({ ago, status = 'expired' }, row) => [
      { at: NOW - ago, type: 'created', row },
      ...(status === 'expired' ? [{ at: NOW - ago + 5 * MINUTE, type: 'expired', row }] : []),
    ]),
  ].sort((a, b) => a.at - b.at)
  insertEvents(
    db,
    events.map(({ row: _, at, ...event }) => ({ ...event, at: sqlTime(at) })),
  )
  const seqOf = (row: number, type: string) => {
    const found = events.findIndex((event) => event.row === row && event.type === type)
    return found < 0 ? null : found + 1
  }
  insertRequests(
    db,
    sorted.map(({ id, ago, tool = 'execute_python', status = 'expired', takes = 0, life = 1 }, row) => {
      const isDecided = status === 'approved' || status === 'rejected'
      return {
        ...{ request_id: id, tool_name: tool, status, life },
        requested_at: sqlTime(NOW - ago),
        expires_at: sqlTime(NOW - ago + 5 * MINUTE),
        responded_at: isDecided ? sqlTime(NOW - ago + takes) : null,
        responder_id: isDecided ? 'kim' : null,
        ...{ created_seq: seqOf(row, 'created'), closed_seq: seqOf(row, 'expired') },
      }
    }),
  )
  insertLives(
    db,
    sorted.flatMap(({ ago, seen = [] }, row) =>
      seen.map(([what, who, after]) => {
        const at = sqlTime(NOW - ago + after)
        return { created_seq: seqOf(row, 'created')!, what, who, first_at: at, last_at: at }
      }),
    ),
  )
  db.close()
}

/** A week with every reason in it, hostile names, and enough decisions to suggest a timeout from. */
function givenWeek(): void {
  given(
    [
      ...Array.from({ length: 70 }, (_, n) => ({ ago: (n + 2) * HOUR, status: 'approved', takes: (n + 1) * 3500 })),
      { ago: 7 * HOUR, tool: 'run_command' },
      { ago: 8 * HOUR, tool: 'run_command', seen: [['notified', 'lee', 100]] },
      {
        ago: 9 * HOUR,
        seen: [
          ['listed', 'lee', 100],
          ['listed', 'kim', 200],
        ],
      },
      {
        ago: 33 * HOUR,
        tool: '위험한 도구\u001b[31m|`x`',
        seen: [
          ['listed', 'lee', 10],
          ['opened', 'lee', 20_000],
        ],
      },
      {
        ago: 34 * HOUR,
        seen: [
          ['waiting', 'dev_user', 0],
          ['left', 'dev_user', 30_000],
        ],
      },
      {
        ago: 35 * HOUR,
        tool: 'write_file',
        seen: [
          ['opened', 'kim', 280_000],
          ['late', 'kim', 320_000],
        ],
      },
      // The server was killed at some time in its life, and started again.
      { ago: 50 * HOUR, seen: [['opened', 'kim', 1000]] },
      { ago: 60 * HOUR, life: null },
      { ago: 20 * MINUTE, status: 'pending', tool: 'run_command' },
      { ago: 1 * MINUTE, status: 'pending' },
    ],
    [{ at: NOW - 50 * HOUR + 2 * MINUTE, type: 'server_started' }],
  )
}

describe('the diagnosis', () => {
  test('gives each unanswered request one reason, the sums, and whom to call about which', async () => {
    givenWeek()
    const { schema, verdict, timeouts, findings, timeout, server_answers, concurrency, size } = await data()
    expect([schema, verdict, server_answers]).toEqual(['ops.timeout-diagnosis.v1', 'critical', false])
    expect([concurrency, size]).toEqual([null, null])
    expect(timeout).toEqual({ configured: 300, effective: null })
    expect(timeouts!.unanswered.reasons).toEqual({
      ...{ server_down: 2, too_late: 1, caller_gone: 1, opened: 1, notified: 2, nobody: 1, unknown: 1 },
    })
    expect(timeouts!.zombies).toMatchObject({ count: 1, ids: ['00000078'] })
    const contacts = findings.map(({ code, contact }) => [code, contact?.call[0].role])
    expect(contacts).toEqual([
      ['server_silent', 'On-Call Engineer'],
      ['zombies', 'On-Call Engineer'],
      ...['server_down', 'nobody', 'notified', 'opened', 'caller_gone', 'too_late', 'unknown'].map((code) => [
        code,
        undefined,
      ]),
    ])
  })

  test('lists the latest of them, as many as asked for', async () => {
    givenWeek()
    const { latest, total } = (await data(['--limit', '3'])).timeouts!.unanswered
    expect([latest.length, total]).toEqual([3, 9])
    expect(latest.map(({ reason }) => reason)).toEqual(['server_down', 'nobody', 'notified'])
    expect(latest[2]).toMatchObject({ notified: ['lee'], opened: [], late: null, left_at: null })
    const { stdout } = await run(['--limit', '3', '--days', '30', '--lang', 'en'])
    expect(stdout).toContain('6 more: npm run timeout-diagnosis -- --days 30 --limit 9')
  })

  test('says every number of its charts in words', async () => {
    givenWeek()
    const { by_weekday, by_hour } = (await data()).timeouts!.unanswered
    const { stdout } = await run(['--lang', 'en'])
    const said = stdout.replace(/\s+/g, ' ')
    const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
    const hours = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`)
    const each = (tallies: typeof by_hour, labels: string[]) =>
      tallies.flatMap(({ unanswered: n }, i) => (n > 0 ? [`${labels[i]} (${n})`] : [])).join(', ')
    expect(said).toContain(each(by_weekday, names))
    expect(said).toContain(each(by_hour, hours))
  })

  test('says from when on anything is known, when that is not all of the days', async () => {
    givenWeek()
    const { record_begins } = (await data(['--days', '30'])).timeouts!
    expect(record_begins).toBe('2026-11-15T01:00:00.000Z')
    expect((await run(['--days', '30', '--lang', 'en'])).stdout).toContain('Nothing is known of the time before')
    expect((await data(['--days', '1'])).timeouts!.record_begins).toBeNull()
    expect((await run(['--days', '1', '--lang', 'en'])).stdout).not.toContain('Nothing is known')
  })

  test('looks back as many days as asked for', async () => {
    givenWeek()
    expect((await data(['--days', '1'])).timeouts!.unanswered.total).toBe(4)
    expect((await data(['--days', '400'])).timeouts!.unanswered.total).toBe(9)
  })

  test('takes the timeout that the running server has, and is content with a healthy desk', async () => {
    given([{ ago: HOUR, status: 'approved', takes: 1000 }])
    const instant = new Date(NOW).toISOString()
    const health = {
      ...{ status: 'ok', service: 'approval-ops', version: '1', pid: process.pid, started_at: instant, now: instant },
      ...{ uptime_seconds: 1, gate: { configured: true, effective: true, disabled_until: null }, rbac: true },
      ...{ trust_user_header: false, policy: { path: 'p', loaded_at: instant, error: null }, open: 0, max_pending: 7 },
      config: { loaded_at: instant, error: null, effective: { APPROVAL_TIMEOUT: '120' } },
      ...{ store: { ok: true }, clock_behind_seconds: 0 },
    }
    const server = createServer((_, response) => response.end(JSON.stringify(health))).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const env = { APPROVAL_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
    try {
      const { timeout, verdict, timeouts } = await data([], env)
      expect(timeout).toEqual({ configured: 300, effective: 120 })
      expect(timeouts!.distribution.at(-1)).toEqual({ from_ms: 120_000, until_ms: null, decided: 0 })
      expect(verdict).toBe('ok')
      expect((await data(['--concurrency'], env)).concurrency!.max).toBe(7)
      const { code, stdout, stderr } = await run([], env)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain('정상: 조치할 일이 없습니다')
    } finally {
      server.close()
    }
  })

  test('a broken contacts.json hides no finding', async () => {
    givenWeek()
    const file = join(folder, 'contacts.json')
    writeFileSync(file, '{')
    const { findings, contacts_problem } = await data([], { CONTACTS_PATH: file })
    expect(findings[0]?.code).toBe('server_silent')
    expect(contacts_problem).toContain('contacts.json')
  })
})

describe('a database that cannot be read', () => {
  const broken: readonly (readonly [string, (file: string) => void, string])[] = [
    ['is missing', () => undefined, 'missing'],
    ['is empty', (file) => writeFileSync(file, ''), 'empty'],
    ['is no database', (file) => writeFileSync(file, 'x'.repeat(8192)), 'not_a_database'],
    ['is of before this version', createOldDatabase, 'schema'],
    ['is damaged', damaged, 'corrupt'],
  ]
  test.each(broken)('and %s: exit 3, the cause and what to type, and nothing is created', async (_, make, code) => {
    make(path)
    const before = existsSync(path)
    for (const argv of [[], ['--concurrency', '--size']]) {
      const { code: exit, stdout, stderr } = await run([...argv, '--format', 'json'])
      expect(exit).toBe(3)
      expect(JSON.parse(stdout)).toMatchObject({ verdict: 'unknown', error: { code } })
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    }
    expect(existsSync(path)).toBe(before)
  })

  test('and is locked by somebody who lets nobody read', async () => {
    createDatabase(path, { wal: false }).close()
    const holder = new Database(path)
    holder.exec('BEGIN EXCLUSIVE')
    const { code, stderr } = await run(['--lang', 'en'])
    holder.close()
    expect(code).toBe(3)
    expect(stderr).toContain(`fuser -v ${path}`)
  })

  function damaged(file: string): void {
    given(Array.from({ length: 400 }, (_, n) => ({ ago: (n + 1) * MINUTE })))
    const bytes = readFileSync(file)
    // Every page but the first, which holds the schema and its header.
    bytes.fill(0xff, 4096)
    writeFileSync(file, bytes)
  }
})

test.each([
  ['--days', '0'],
  ['--days', '401'],
  ['--days', 'soon'],
  ['--limit', '-1'],
  ['--limit', '1001'],
  ['--sise'],
  ['now'],
])('%s %s is refused with 64, and nothing on stdout', async (...argv) => {
  given([])
  const { code, stdout, stderr } = await run([...argv].filter(Boolean))
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toContain('npm run timeout-diagnosis')
})

describe('a timeout is suggested', () => {
  const seconds = (n: number) => Float64Array.from({ length: n }, (_, i) => (i + 1) * 1000)

  test('only from enough cases, and says how many that are', () => {
    expect(suggestionOf(seconds(NEEDED - 1), { total: 3, late_ms: [] })).toEqual({
      ...{ seconds: null, k: 0, n: 58, needed: 59, late: 0, censored: 3 },
    })
    expect(suggestionOf(seconds(NEEDED), { total: 0, late_ms: [] })).toMatchObject({ seconds: 58, k: 57, n: 59 })
  })

  test('with those who were too late: what the timeout cut off counts where it was seen', () => {
    const late_ms = Array.from({ length: 10 }, () => 400_000)
    expect(suggestionOf(seconds(90), { total: 25, late_ms })).toEqual({
      ...{ seconds: 401, k: 100, n: 100, needed: 59, late: 10, censored: 15 },
    })
  })

  test('a decision exactly at a bound lies in the bar that begins there', () => {
    const counts = distributionOf([0, 29_999, 30_000, 299_999, 300_000, 1e9], 300_000).map(({ decided }) => decided)
    expect(counts).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2])
  })
})

describe('concurrency', () => {
  test('open now, the peak, nothing decided twice, locks in the log, the mode and who has the file', async () => {
    given([
      { ago: 3 * HOUR, status: 'approved', takes: MINUTE },
      { ago: 3 * HOUR - 30_000, status: 'rejected', takes: MINUTE },
      { ago: MINUTE, status: 'pending' },
    ])
    const line = (at: number, msg: string) => JSON.stringify({ level: 50, time: at, msg })
    const locked = 'SQLITE_BUSY: database is locked'
    writeFileSync(
      join(folder, 'server.log'),
      `${[line(NOW - 30 * HOUR, locked), line(NOW - HOUR, locked), line(NOW - 2, 'other'), line(NOW - 1, locked)].join('\n')}\n`,
    )
    const { concurrency, timeouts } = await data(['--concurrency'])
    expect(timeouts).toBeNull()
    expect(concurrency).toMatchObject({
      ...{ open: 1, max: 50, peak: 2, peak_at: new Date(NOW - 3 * HOUR + 30_000).toISOString(), unreadable: 0 },
      ...{ decided_twice: [], decided_twice_total: 0, busy_errors: 2, journal_mode: 'wal' },
    })
  })

  test('a second decision on record is critical, and the Database Admin is called', async () => {
    const request_id = '00000000-0000-4000-8000-000000000000'
    given([{ ago: 3 * HOUR, status: 'approved', takes: 1000 }], [{ at: NOW - HOUR, type: 'rejected', request_id }])
    const { concurrency, findings } = await data(['--concurrency'])
    expect(concurrency).toMatchObject({ decided_twice: ['00000000'], decided_twice_total: 1 })
    expect(findings[0]).toMatchObject({ code: 'decided_twice', state: 'critical' })
    expect(findings[0]!.contact!.call[0].role).toBe('Database Admin')
  })

  test('a log that is not there is unknown, not free of errors', async () => {
    given([])
    expect((await data(['--concurrency'], { LOG_PATH: join(folder, 'none') })).concurrency!.busy_errors).toBeNull()
  })

  test('a desk that is full is critical', async () => {
    given([
      { ago: MINUTE, status: 'pending' },
      { ago: MINUTE + 1, status: 'pending' },
    ])
    const { findings } = await data(['--concurrency'], { APPROVAL_MAX_PENDING: '2' })
    expect(findings.map(({ code }) => code)).toContain('queue_full')
  })
})

describe('size', () => {
  test('growth is the requests of a day times what one takes, and the disk lasts so many days', async () => {
    given(Array.from({ length: 48 }, (_, n) => ({ ago: (n + 1) * HOUR, status: 'approved', takes: 1000 })))
    const size = (await data(['--size'])).size!
    expect(size.requests).toBe(48)
    expect(size.requests_per_day).toBe(24)
    expect(size.growth_bytes_per_day! / (24 * size.bytes_per_request!)).toBeCloseTo(1, 2)
    expect(size.days_to_full).toBe(Math.floor(size.disk_free_bytes! / size.growth_bytes_per_day!))
    expect(size.db_bytes).toBeGreaterThan(4096)
  })

  test('with less than a day of data the growth is unknown', async () => {
    given([{ ago: HOUR, status: 'approved', takes: 1000 }])
    const size = (await data(['--size'])).size!
    expect([size.requests_per_day, size.growth_bytes_per_day, size.days_to_full]).toEqual([null, null, null])
    expect((await run(['--size'])).stdout).toContain('알 수 없음 (하루치 자료가 없음)')
  })
})

describe('what people read', () => {
  test.each(['ko', 'en'])('fits 80 columns in %s, and no name of a tool reaches the terminal raw', async (lang) => {
    givenWeek()
    const { code, stdout, stderr } = await run(['--lang', lang])
    expect(code).toBe(2)
    for (const line of stdout.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(stderr).toMatch(/\. npm start\n$/)
    await expect(stdout).toMatchFileSnapshot(`golden/timeout-diagnosis.${lang}.txt`)
  })

  test.each(['ko', 'en'])('the Markdown in %s', async (lang) => {
    givenWeek()
    await expect((await run(['--lang', lang, '--format', 'markdown'])).stdout).toMatchFileSnapshot(
      `golden/timeout-diagnosis.${lang}.md`,
    )
  })

  test.each(['ko', 'en'])('the HTML in %s stands alone, also with everything in it', async (lang) => {
    givenWeek()
    for (const argv of [[], ['--concurrency', '--size']]) {
      const { stdout } = await run(['--lang', lang, '--format', 'html', ...argv])
      expect(stdout).toContain(`<html lang="${lang}">`)
      expect(stdout).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import/)
      if (argv.length === 0) await expect(stdout).toMatchFileSnapshot(`golden/timeout-diagnosis.${lang}.html`)
    }
  })

  test('the JSON is the same in both languages', async () => {
    givenWeek()
    const { stdout } = await run(['--lang', 'ko', '--format', 'json'])
    expect((await run(['--lang', 'en', '--format', 'json'])).stdout).toBe(stdout)
    await expect(stdout).toMatchFileSnapshot('golden/timeout-diagnosis.json')
  })
})
