import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { command, type Io } from '../src/command.ts'
import { weeklySummary } from '../src/jobs/weekly-summary.ts'
import { displayWidth } from '../src/report/printable.ts'
import type { ToolRiskData } from '../src/report/tool-risk-data.ts'
import type { WeeklySummaryData } from '../src/report/weekly-summary-data.ts'
import { jobArgv, SCHEDULE } from '../src/schedule/table.ts'
import { sqlTime } from '../src/sql.ts'
import { createDatabase, type Event, insertEvents, insertRequests, type Row } from './support/report-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'weekly-summary-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Monday 09:05 in Seoul, when the schedule has it. */
const NOW = Date.parse('2026-11-23T09:05:00+09:00')
const HOUR = 3_600_000

let runs = 0
let path: string
beforeEach(() => {
  path = join(folder, String(++runs), 'security.db')
})

function given(rows: readonly Row[], events: readonly Event[] = [], level: string | null = 'HIGH'): void {
  rmSync(join(path, '..'), { recursive: true, force: true })
  mkdirSync(join(path, '..'))
  const db = createDatabase(path)
  insertRequests(db, rows)
  db.prepare('UPDATE approval_requests SET level = ?').run(level)
  insertEvents(db, events)
  db.close()
}

async function run(argv: readonly string[] = [], { now = NOW, env = {} } = {}) {
  let stdout = ''
  let stderr = ''
  const io: Io = {
    argv: ['node', 'weekly-summary', ...argv],
    env: { APPROVAL_ENV_FILE: join(folder, 'no.env'), SECURITY_DB_PATH: path, ...env },
    stdout: { columns: 80, write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    now,
  }
  const code = await command(weeklySummary, io)
  return { code, stdout, stderr }
}

const data = async (argv: readonly string[] = [], options = {}): Promise<WeeklySummaryData> =>
  JSON.parse((await run([...argv, '--format', 'json'], options)).stdout)
const risk = async (argv: readonly string[] = [], options = {}): Promise<ToolRiskData> =>
  JSON.parse((await run(['--risk', ...argv, '--format', 'json'], options)).stdout)

/** `2026-11-20T10:00` in Seoul. */
const ms = (text: string) => Date.parse(`${text}+09:00`)
const decided = (text: string, status: string, seconds: number, more: Partial<Row> = {}): Row => ({
  ...{ status, requested_at: sqlTime(ms(text)), responded_at: sqlTime(ms(text) + seconds * 1000), responder_id: 'kim' },
  ...{ expires_at: sqlTime(ms(text) + 300_000), ...more },
})
const asked = (text: string, status = 'expired', more: Partial<Row> = {}): Row => ({
  ...{ status, requested_at: sqlTime(ms(text)), expires_at: sqlTime(ms(text) + 300_000), ...more },
})
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))
const minute = (date: string, i: number) =>
  `${date}T${String(9 + Math.floor(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}`
const event = (text: string, type: string, more: Partial<Event> = {}): Event => ({
  at: sqlTime(ms(text)),
  type,
  ...more,
})
const bypassed = (text: string, tool: string, server = ''): Event =>
  event(text, 'bypassed', { actor: 'dev_user', data: { server, tool, level: 'CRITICAL', digest: 'c0ffee' } })

/** Three weeks with something of everything, in Seoul; the record begins on Wednesday, 4 November. */
function givenAutumn(): void {
  const tools = ['execute_python', 'run_command', '한글_도구', 'write_file\u001b[31m|`x`']
  const everyDay = (date: string, n: number) =>
    times(n, (i) => {
      const who = i % 5 === 0 ? 'park' : i % 3 === 0 ? 'lee' : 'kim'
      const more = { tool_name: tools[i % 4 === 3 ? (i % 8 === 3 ? 2 : 3) : i % 3]!, responder_id: who }
      if (i % 11 === 10) return asked(minute(date, 7 * i), 'expired', more)
      return decided(minute(date, 7 * i), i % 6 === 1 ? 'rejected' : 'approved', who === 'park' ? 1.5 : 20 + i, more)
    })
  given(
    [
      ...everyDay('2026-11-05', 30),
      ...everyDay('2026-11-06', 12),
      ...times(5, (i) => everyDay(`2026-11-${String(9 + i).padStart(2, '0')}`, 14 + i)).flat(),
      ...times(5, (i) => everyDay(`2026-11-${16 + i}`, 11 + i)).flat(),
      decided('2026-11-22T23:59:59.999', 'approved', 30),
      decided('2026-11-23T00:00:00', 'approved', 30, { user_id: 'lee', responder_id: 'lee' }),
      asked('2026-11-23T09:04', 'pending'),
      asked('2026-11-20T12:00', 'lost'),
      { requested_at: '2031-01-01 00:00:00.000', status: 'approved' },
    ],
    [
      event('2026-11-04T10:00', 'server_started'),
      event('2026-11-12T13:00', 'gate_off', { data: { until: '2026-11-12T06:00:00.000Z' } }),
      ...['ops-canary', ''].map((server) => bypassed('2026-11-12T13:20', 'execute_bash', server)),
      event('2026-11-12T14:10:30', 'gate_on'),
      bypassed('2026-11-19T14:10', 'execute_bash'),
    ],
  )
}

describe('the weeks', () => {
  test('are four complete ones and the current one, marked, from Monday to Monday in the zone', async () => {
    givenAutumn()
    const { weeks, from, until } = await data()
    expect(weeks.map(({ week, state, record_begins }) => [week, state, record_begins])).toEqual([
      ['2026-W44', 'before_record', null],
      ['2026-W45', 'complete', '2026-11-04T01:00:00.000Z'],
      ['2026-W46', 'complete', null],
      ['2026-W47', 'complete', null],
      ['2026-W48', 'in_progress', null],
    ])
    expect(weeks.map(({ totals }) => totals?.total ?? null)).toEqual([null, 42, 80, 66, 2])
    expect([from, until]).toEqual(['2026-10-25T15:00:00.000Z', '2026-11-23T00:05:00.000Z'])
    expect((await data(['--tz', 'UTC'])).weeks.at(-2)?.totals?.total).toBe(67)
  })

  test('are compared when they are complete and were recorded from end to end', async () => {
    givenAutumn()
    const { weeks } = await data()
    expect(weeks.map(({ change }) => change?.total ?? null)).toEqual([
      null,
      null,
      null,
      { by: -14, direction: 'down' },
      null,
    ])
    const { stdout } = await run(['--lang', 'en'])
    expect(stdout).toContain('2026-W47: 66 requests (14 fewer than the week\nbefore)')
  })

  test('without a request are rows of zeros once the record has begun', async () => {
    given([asked('2026-10-26T00:00:00')], [event('2026-10-20T00:00', 'server_started')])
    const { weeks } = await data()
    expect(weeks.map(({ totals }) => totals?.total)).toEqual([1, 0, 0, 0, 0])
    expect(weeks[1]!.change).toEqual({
      total: { by: -1, direction: 'down' },
      unanswered: { by: -1, direction: 'down' },
    })
    expect(weeks[2]!.change?.total).toEqual({ by: 0, direction: 'same' })
    expect(weeks[0]!.record_begins).toBeNull()
  })

  test('are all before the record in an empty database, which is a valid, quiet summary', async () => {
    given([])
    for (const format of ['table', 'markdown', 'html', 'json']) {
      for (const lang of ['ko', 'en']) {
        const { code, stdout, stderr } = await run(['--format', format, '--lang', lang])
        expect([code, stderr]).toEqual([0, ''])
        expect(stdout).not.toMatch(/NaN|undefined|Infinity|\[object/)
      }
    }
    expect((await data()).weeks.every(({ state, totals }) => state === 'before_record' && totals === null)).toBe(true)
    expect((await data()).hours.flat().every((n) => n === null)).toBe(true)
  })

  test.each([
    ['2021-01-04', ['2020-W52', '2020-W53', '2021-W01']],
    ['2025-01-06', ['2024-W52', '2025-W01', '2025-W02']],
    ['2027-01-04', ['2026-W52', '2026-W53', '2027-W01']],
  ])('around New Year are those of ISO 8601: %s', async (date, expected) => {
    given([])
    const { weeks } = await data(['--weeks', '2', '--date', date], { now: ms(`${date}T09:05`) })
    expect(weeks.map(({ week }) => week)).toEqual(expected)
  })

  test('of a summary that is caught up on Wednesday are those it was meant for', async () => {
    givenAutumn()
    const scheduled = SCHEDULE.find(({ name }) => name === 'weekly-summary')!
    expect(scheduled).toMatchObject({ at: '09:05', weekday: 1 })
    const argv = jobArgv('node', scheduled, '2026-11-23').slice(4)
    const late = NOW + scheduled.catchUpMs
    const complete = ({ weeks }: WeeklySummaryData) => weeks.filter(({ state }) => state === 'complete')
    expect(complete(await data(argv, { now: late }))).toEqual(complete(await data(argv)))
    const muchLater = await data(['--date', '2026-11-23'], { now: NOW + 30 * 24 * HOUR })
    expect(muchLater.weeks.map(({ week, state }) => [week, state]).at(-1)).toEqual(['2026-W48', 'complete'])
  })
})

describe('the gate', () => {
  test('was off for the minutes that the record has, cut at the weeks', async () => {
    given(
      [asked('2026-10-26T00:00')],
      [
        event('2026-10-20T00:00', 'server_started'),
        event('2026-11-15T23:30', 'gate_off', { data: { until: null } }),
        event('2026-11-16T00:45', 'gate_on'),
      ],
    )
    expect((await data()).weeks.map(({ gate_off }) => gate_off?.ms)).toEqual(
      [0, 0, 30, 45, 0].map((n) => n && n * 60_000),
    )
  })

  test('of a week without any record of it is unknown, not on', async () => {
    given([asked('2026-10-26T00:00')], [event('2026-11-12T12:00', 'server_started')])
    const { weeks } = await data()
    const nothing = { ms: 0, complete: true }
    expect(weeks.map(({ gate_off }) => gate_off)).toEqual([null, null, { ms: 0, complete: false }, nothing, nothing])
    const { stdout } = await run(['--lang', 'en'])
    expect(stdout).toMatch(/2026-W45 .*not recorded/)
    expect(stdout).toMatch(/2026-W46 .*0 min or more/)
  })
})

describe('the hours', () => {
  const newYork = ['--tz', 'America/New_York', '--weeks', '2']
  const at = (iso: string): Row => ({
    status: 'expired',
    requested_at: sqlTime(Date.parse(iso)),
    expires_at: '2026-12-01 00:00:00.000',
  })
  const begin = [event('2026-01-01T00:00', 'server_started')]

  test('count both of the hours that come twice, and the weekday is that of the wall', async () => {
    given(
      [at('2026-11-01T05:30Z'), at('2026-11-01T06:30Z'), at('2026-11-01T07:00Z'), at('2026-11-02T04:59:59.999Z')],
      begin,
    )
    const { hours } = await data(newYork, { now: Date.parse('2026-11-09T14:05Z') })
    expect([hours[1]![6], hours[2]![6], hours[23]![6]]).toEqual([2, 1, 1])
    expect(hours.flat().reduce((sum: number, n) => sum + (n ?? 0), 0)).toBe(4)
  })

  test('do not call the hour zero that never came', async () => {
    given([at('2026-03-08T06:59:59Z'), at('2026-03-08T07:00:00Z')], begin)
    const { hours } = await data(['--tz', 'America/New_York', '--weeks', '1'], { now: Date.parse('2026-03-09T04:00Z') })
    expect([hours[1]![6], hours[2]![6], hours[3]![6]]).toEqual([1, null, 1])
  })

  test('that are not on record are not zero', async () => {
    given([asked('2026-11-20T10:00')])
    const { hours } = await data(['--weeks', '1'])
    // The first request came on Friday at 10; Monday has begun again.
    expect([hours[9]![4], hours[10]![4], hours[9]![0], hours[10]![0]]).toEqual([null, 1, 0, null])
    const { stdout } = await run(['--lang', 'en', '--weeks', '1'])
    expect(stdout).toContain('Most on Friday from 10:00: 1. 1 in all.')
  })
})

describe('an approver', () => {
  const stamps = async (rows: readonly Row[]) => {
    given(rows)
    return (await data()).findings.filter(({ code }) => code === 'rubber_stamp').map(({ facts }) => facts)
  }

  test('is flagged from ten decisions and thirty percent of certainly fast ones on, over all weeks', async () => {
    const fast = (n: number) => times(n, (i) => decided(minute('2026-11-11', i), 'approved', 2))
    const slow = (n: number, seconds = 40) => times(n, (i) => decided(minute('2026-11-18', i), 'approved', seconds))
    expect(await stamps([...fast(3), ...slow(7)])).toEqual([{ user: 'kim', k: 3, n: 10 }])
    expect(await stamps(fast(9))).toEqual([])
    expect(await stamps([...fast(2), ...slow(8)])).toEqual([])
    // Between two and three seconds they may have been slow enough.
    expect(await stamps(slow(20, 2.5))).toEqual([])
    expect((await data()).approvers).toMatchObject([{ user_id: 'kim', fast: 0, maybe_fast: 20, timed: 20 }])
  })

  test('carries the load of all the weeks', async () => {
    givenAutumn()
    const { approvers, verdict, findings } = await data()
    expect(approvers.map(({ user_id }) => user_id)).toEqual(['kim', 'lee', 'park'])
    expect(approvers.reduce((sum, { decided: n }) => sum + n, 0)).toBe(
      (await data()).weeks.reduce((sum, { totals }) => sum + (totals?.decided ?? 0), 0),
    )
    expect(verdict).toBe('critical')
    expect(findings.map(({ code }) => code)).toEqual([
      ...['calls_past_gate', 'own_decisions', 'rubber_stamp', 'calls_while_off', 'odd_rows'],
    ])
  })
})

describe('tools by risk', () => {
  test('of days before the record begins are not known, which is not none', async () => {
    given([asked('2026-11-20T10:00')])
    const { code, stdout, stderr } = await run(['--risk', '--date', '2026-11-19', '--lang', 'en'])
    expect([code, stdout]).toEqual([3, expect.stringMatching(/^UNKNOWN: .* begins/)])
    expect(stderr).toMatch(/npm run backup -- list\n$/)
    expect((await run(['--risk', '--date', '2026-11-20'])).code).toBe(0)
  })

  const decisions = (tool: string, rejected: number, n: number): Row[] =>
    times(n, (i) => decided(minute('2026-11-18', i), i < rejected ? 'rejected' : 'approved', 30, { tool_name: tool }))

  test('are ranked by the lower bound of what their rejections prove, and few decisions prove nothing', async () => {
    given([
      ...decisions('often', 30, 100),
      ...decisions('once', 1, 1),
      ...decisions('some', 4, 10),
      ...decisions('never', 0, 50),
    ])
    const { ranked, few, verdict } = await risk()
    expect(ranked.map(({ tool_name }) => tool_name)).toEqual(['often', 'some', 'never'])
    expect(ranked[0]).toMatchObject({ rejected: 30, decided: 100, level: 'HIGH' })
    expect(ranked[0]!.low).toBeCloseTo(0.2189, 4)
    expect(ranked[0]!.score).toBeCloseTo(3 * 0.2189, 3)
    expect(few).toMatchObject([{ tool_name: 'once', rejected: 1, decided: 1, score: null }])
    expect(verdict).toBe('ok')
    const { stdout } = await run(['--risk', '--lang', 'en'])
    expect(stdout.indexOf('often')).toBeLessThan(stdout.indexOf('once'))
    expect(stdout).not.toMatch(/once.*%/)
  })

  test('weigh more at a higher level, and as much as HIGH where none is on record', async () => {
    const levels: [string, string | null][] = [
      ['a', 'CRITICAL'],
      ['b', 'HIGH'],
      ['c', null],
      ['d', 'LOW'],
    ]
    given(levels.flatMap(([tool]) => decisions(tool, 5, 20)))
    const db = new Database(path)
    for (const [tool, level] of levels)
      db.prepare('UPDATE approval_requests SET level = ? WHERE tool_name = ?').run(level, tool)
    db.close()
    const { ranked } = await risk()
    expect(ranked.map(({ tool_name, level }) => [tool_name, level])).toEqual(levels)
    expect(ranked[1]!.score).toBe(ranked[2]!.score)
    expect((await run(['--risk', '--lang', 'en'])).stdout).toMatch(/c +not recorded/)
  })

  test('and approvers that are too many to show are by a command about the same weeks', async () => {
    const rows = times(25, (i) => decided(minute('2026-11-17', i), 'approved', 40, { responder_id: `user-${i}` }))
    const tools = times(12, (i) => times(10, () => decided('2026-11-18T10:00', 'approved', 40, { tool_name: `t${i}` })))
    given([...rows, ...tools.flat()])
    const said = (await run(['--lang', 'en'])).stdout.replace(/\s+/g, ' ')
    expect(said).toMatch(/\d more: npm run -s weekly-summary -- --date 2026-11-23 --format json/)
    expect(said).toContain('3 more: npm run -s weekly-summary -- --risk --days 29 --date 2026-11-23')
  })

  test('are shown for all the weeks by the command that a finding names', async () => {
    given([], [bypassed('2026-10-26T01:00', 'early')])
    const [found] = (await data()).findings
    const argv = found!.command.split(' -- ')[1]!.split(' ')
    // A week later it is still about the same days.
    const { stdout } = await run([...argv, '--lang', 'en'], { now: NOW + 7 * 24 * HOUR })
    expect(stdout).toContain('early')
  })

  test('that ran without a request while the gate was on are critical, however few', async () => {
    givenAutumn()
    const { critical, few, verdict } = await risk()
    expect(critical).toMatchObject([
      { tool_name: 'execute_bash', requests: 0, while_on: 1, while_off: 1, level: 'CRITICAL' },
    ])
    expect(few.map(({ tool_name }) => tool_name)).toContain('execute_bash')
    expect(verdict).toBe('critical')
    const { code, stdout } = await run(['--risk', '--lang', 'en'])
    expect(code).toBe(2)
    expect(stdout).toContain('CRITICAL: 1 tool ran without a request while the gate was on: execute_bash')
    expect(stdout.replaceAll('\n', ' ')).toContain('are not recorded: nothing is known of them here.')
  })

  test('are those of as many days as asked for, today counted', async () => {
    given([
      ...decisions('monday', 1, 10).map((row) => ({
        ...row,
        requested_at: row.requested_at!.replace('11-18', '11-23'),
      })),
    ])
    expect((await risk(['--days', '1'])).from).toBe('2026-11-22T15:00:00.000Z')
    given([asked('2026-11-16T00:00'), asked('2026-11-15T23:59:59.999', 'expired', { tool_name: 'older' })])
    expect((await risk(['--days', '8'])).few.map(({ tool_name }) => tool_name)).toEqual(['execute_python'])
    expect((await risk(['--days', '9'])).few).toHaveLength(2)
  })
})

describe('on paper', () => {
  test.each(['ko', 'en'])('the table in %s fits 80 columns, without a control character', async (lang) => {
    givenAutumn()
    const { stdout, code } = await run(['--lang', lang])
    expect(code).toBe(2)
    for (const line of stdout.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    await expect(stdout).toMatchFileSnapshot(`golden/weekly-summary.${lang}.txt`)
    const { stdout: tools } = await run(['--risk', '--lang', lang])
    for (const line of tools.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    await expect(tools).toMatchFileSnapshot(`golden/tool-risk.${lang}.txt`)
  })

  test.each(['ko', 'en'])('the Markdown in %s has padded tables', async (lang) => {
    givenAutumn()
    const { stdout } = await run(['--lang', lang, '--format', 'markdown'])
    for (const table of stdout.split('\n\n').filter((part) => part.startsWith('|'))) {
      expect(new Set(table.trimEnd().split('\n').map(displayWidth)).size).toBe(1)
    }
    await expect(stdout).toMatchFileSnapshot(`golden/weekly-summary.${lang}.md`)
  })

  test.each(['ko', 'en'])('the HTML in %s has its two pictures with their words, and stands alone', async (lang) => {
    givenAutumn()
    const { stdout } = await run(['--lang', lang, '--format', 'html'])
    expect(stdout.match(/<svg role="img"/g)).toHaveLength(2)
    expect(stdout).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import/)
    await expect(stdout).toMatchFileSnapshot(`golden/weekly-summary.${lang}.html`)
  })

  test('JSON is the same in both languages, and the same bytes every time', async () => {
    givenAutumn()
    const korean = await run(['--format', 'json', '--lang', 'ko'])
    expect(korean.stdout).toBe((await run(['--format', 'json', '--lang', 'en'])).stdout)
    await expect(korean.stdout).toMatchFileSnapshot('golden/weekly-summary.json')
  })
})

describe('kept', () => {
  const names = () => readdirSync(join(path, '../reports')).sort()

  test('it is that of the last complete week, and another figure of a week that is over is a revision', async () => {
    givenAutumn()
    await run(['--keep', '--date', '2026-11-23'])
    expect(names()).toEqual(['html', 'json', 'md'].map((ending) => `2026-W47-weekly.${ending}`))
    // On Wednesday the current week has gone on, which is no news of the weeks before.
    await run(['--keep', '--date', '2026-11-23'], { now: NOW + 48 * HOUR })
    expect(names()).toHaveLength(3)
    const db = new Database(path)
    insertRequests(db, [asked('2026-11-17T10:00')])
    db.close()
    await run(['--keep', '--date', '2026-11-23'], { now: NOW + 48 * HOUR })
    expect(names()).toContain('2026-W47-weekly.r2.json')
    expect(readFileSync(join(path, '../reports/2026-W47-weekly.r2.json'), 'utf8')).toContain(
      'weeks[2026-W47].totals.total',
    )
  })

  test.each([[['--tz', 'UTC']], [['--weeks', '8']], [['--risk']]])('it is not what %s shows', async (argv) => {
    given([])
    expect((await run(['--keep', ...argv])).code).toBe(64)
  })
})

describe('refused', () => {
  test.each([
    [['--weeks', '0']],
    [['--weeks', '27']],
    [['--weeks', '4.5']],
    [['--days', '7']],
    [['--risk', '--weeks', '4']],
    [['--risk', '--days', '400']],
    [['--date', '2026-02-30']],
    [['--date', '2026-11-24']],
    [['--wekks', '4']],
    [['now']],
  ])('%s, with a sentence and nothing on stdout', async (argv) => {
    given([])
    const { code, stdout, stderr } = await run([...argv, '--lang', 'en'])
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain('npm run weekly-summary -- --help')
  })
})
