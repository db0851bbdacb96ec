import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { command, type Io } from '../src/command.ts'
import { ROOT } from '../src/config.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'
import { EVENING } from '../src/jobs/daily-report-periods.ts'
import type { DailyReportData } from '../src/report/daily-report-data.ts'
import { displayWidth } from '../src/report/printable.ts'
import type { RollbackResult } from '../src/report/rollback-result.ts'
import { jobArgv, SCHEDULE } from '../src/schedule/table.ts'
import { sqlTime } from '../src/sql.ts'
import { createDatabase, type Event, insertEvents, insertRequests, type Row } from './support/report-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'daily-report-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Sunday 18:00 in Seoul. */
const NOW = Date.parse('2026-11-22T18:00:00+09:00')
const at = (text: string) => sqlTime(Date.parse(`2026-11-${text}+09:00`))

let runs = 0
let path: string
beforeEach(() => {
  path = join(folder, `${++runs}.db`)
})

function given(rows: readonly Row[], events: readonly Event[] = []): void {
  const db = createDatabase(path)
  insertRequests(db, rows)
  insertEvents(db, events)
  db.close()
}

async function run(argv: readonly string[] = [], { now = NOW, tty = false, env = {} } = {}) {
  let stdout = ''
  let stderr = ''
  const io: Io = {
    argv: ['node', 'daily-report', ...argv],
    env: { APPROVAL_ENV_FILE: join(folder, 'no.env'), SECURITY_DB_PATH: path, ...env },
    stdout: { isTTY: tty, columns: 80, write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    now,
  }
  const code = await command(dailyReport, io)
  return { code, stdout, stderr }
}

const data = async (argv: readonly string[] = [], options = {}): Promise<DailyReportData & { schema: string }> =>
  JSON.parse((await run([...argv, '--format', 'json'], options)).stdout)

const decided = (day: string, status: string, seconds: number, more: Partial<Row> = {}): Row => ({
  status,
  requested_at: at(day),
  responded_at: sqlTime(Date.parse(`2026-11-${day}+09:00`) + seconds * 1000),
  responder_id: 'kim',
  expires_at: sqlTime(Date.parse(`2026-11-${day}+09:00`) + 300_000),
  ...more,
})
const asked = (day: string, status: string, more: Partial<Row> = {}): Row => ({
  ...{ status, requested_at: at(day), expires_at: sqlTime(Date.parse(`2026-11-${day}+09:00`) + 300_000) },
  ...more,
})

const ROLLBACK: RollbackResult = {
  ...{
    id: '20261122T041000Z-disable-x3f2',
    scenario: 'disable',
    kind: 'apply',
    outcome: 'done',
    exit_code: 0,
    by: 'park',
  },
  ...{ host: 'ops1', reason: 'every call waits for ever', ticket: 'OPS-12', until: '2026-11-22T05:10:00.000Z' },
  ...{ started_at: '2026-11-22T04:09:50.000Z', finished_at: '2026-11-22T04:10:01.000Z', target: '4120' },
  ...{ runtime: 'process', changes: [], summary: { ko: '게이트를 껐습니다', en: 'The gate is off' } },
}

test('a day that ended before the record begins has no figures, which is not zero, and nothing is kept', async () => {
  given([asked('21 10:00:00', 'expired')], [{ type: 'server_started', request_id: null, at: at('21 09:00:00') }])
  const before = await run(['--date', '2026-11-20', '--keep'])
  expect(before.code).toBe(3)
  expect(before.stdout).toContain('그 전은 기록이 없어 알 수 없습니다')
  expect(before.stderr).toMatch(/2026-11-21 00:00:00 UTC.* npm run backup -- list\n$/)
  const english = await run(['--date', '2026-11-20', '--lang', 'en', '--format', 'json'])
  expect(JSON.parse(english.stdout)).toMatchObject({ verdict: 'unknown', error: { code: 'before_record' } })
  expect((await data(['--date', '2026-11-21'])).today.totals.total).toBe(1)
})

test('on the first evening, what was before the record is not said to have been without requests', async () => {
  given([], [{ type: 'server_started', request_id: null, at: at('22 18:30:00') }])
  const { stdout } = await run([], { now: NOW + 3_600_000 })
  expect(stdout).toContain('이 기간은 기록이 시작되기 전입니다(기록 시작 2026-11-22 18:30:00)')
  expect(stdout).not.toContain('이 기간에는 요청이 없었습니다')
})

/** A Sunday with everything in it. */
function givenSunday(): void {
  given(
    [
      decided('15T10:00:00.000', 'approved', 30),
      asked('15T11:00:00.000', 'expired', { tool_name: 'run_command' }),
      ...Array.from({ length: 9 }, (_, i) => decided(`22T09:0${i}:00.000`, 'approved', 1 + i / 8)),
      ...Array.from({ length: 3 }, (_, i) =>
        decided(`22T10:0${i}:00.000`, 'rejected', 60 * (i + 1), { responder_id: 'lee' }),
      ),
      decided('21T20:00:00.000', 'approved', 45, { responder_id: 'admin', tool_name: 'write_file' }),
      decided('22T11:00:00.000', 'approved', 20, { responder_id: 'dev_user', tool_name: 'write_file' }),
      asked('22T12:00:00.000', 'expired', { tool_name: 'run_command' }),
      asked('22T12:30:00.000', 'timeout', { tool_name: 'run_command' }),
      asked('22T13:00:00.000', 'pending', { tool_name: '위험한 도구\u001b[31m|`x`' }),
      asked('22T17:58:00.000', 'pending'),
      asked('22T14:00:00.000', 'cancelled'),
      asked('22T15:00:00.000', 'lost'),
      decided('22T16:00:00.000', 'approved', -60),
      // Of the morning drill, of the day before yesterday, and of a clock that was wrong.
      asked('22T09:00:30.000', 'expired', { server: 'ops-canary' }),
      asked('20T12:00:00.000', 'approved'),
      { requested_at: '2031-01-01 00:00:00.000', status: 'approved' },
    ],
    [
      { at: at('22T08:00:00.000'), type: 'server_started', data: { version: '0.1.0', pid: 1 } },
      {
        at: at('22T08:30:00.000'),
        type: 'user_added',
        actor: 'admin_user',
        data: { user_id: 'lee', role: 'approver' },
      },
      {
        at: at('22T13:10:00.000'),
        type: 'gate_off',
        data: { until: '2026-11-22T05:10:00.000Z', cause: 'APPROVAL_DISABLED_UNTIL' },
      },
      ...['ops-canary', ''].map((server) => ({
        ...{ at: at('22T13:20:00.000'), type: 'bypassed', actor: 'dev_user' },
        data: { server, tool: 'execute_bash', level: 'CRITICAL', digest: 'c0ffee00c0ffee00', arguments: '{}' },
      })),
      { at: at('22T13:40:00.000'), type: 'gate_on' },
      { at: at('22T13:40:02.000'), type: 'rollback', data: ROLLBACK },
    ],
  )
}

describe('the figures', () => {
  test('add up, and account for today and for everything since the last report', async () => {
    givenSunday()
    const { today, since_last_report: since, same_day_last_week, schema } = await data()
    expect(schema).toBe('ops.daily-report.v1')
    expect(today.totals).toMatchObject({
      total: 19,
      open: 1,
      unanswered: 3,
      decided: 14,
      cancelled: 1,
      unknown_status: 1,
    })
    expect(since.totals).toMatchObject({ total: 20, decided: 15, approved: 12, rejected: 3 })
    expect(since.totals.answered_rate).toEqual({ k: 15, n: 18 })
    expect(since.decision_times).toEqual({ n: 14, p50_ms: 1750, p90_ms: 120_000, p95_ms: 180_000, max_ms: 180_000 })
    expect(same_day_last_week?.totals).toMatchObject({ total: 2, decided: 1, unanswered: 1 })
    expect(since.unanswered_by_tool[0]).toMatchObject({ tool_name: 'run_command', unanswered: 2 })
  })

  test('tell why nobody answered, as far as that was recorded', async () => {
    givenSunday()
    const { since_last_report: since } = await data()
    const none = { too_late: 0, caller_gone: 0, opened: 0, notified: 0, nobody: 0 }
    expect(since.unanswered_reasons).toEqual({ ...none, server_down: 1, unknown: 2 })
    expect(since.unanswered_by_tool.map(({ reasons }) => reasons)).toEqual([
      { ...none, server_down: 0, unknown: 2 },
      { ...none, server_down: 1, unknown: 0 },
    ])
    expect(since.by_hour.find(({ hour }) => hour === '13:00')?.reasons).toMatchObject({ server_down: 1 })
    expect((await run(['--lang', 'en'])).stdout).toMatch(/^11-22 13:00 +1 +1 +server down or sweeper dead: 1$/m)
  })

  test('tell who decided how fast, what of their own, and under a name that is nobody', async () => {
    givenSunday()
    const { approvers } = (await data()).since_last_report
    const of = (user: string) => approvers.find(({ user_id }) => user_id === user)
    expect(of('kim')).toMatchObject({ decided: 10, timed: 9, fast: 9, median_ms: 1500, maybe_fast: 0 })
    expect(of('dev_user')).toMatchObject({ own: 1, is_generic: false })
    expect(of('admin')).toMatchObject({ is_generic: true, decided: 1 })
  })

  test('name each rollback, who did it and why, and ask for the one whose end is uncertain', async () => {
    const rollback = (minute: number, more: object) => ({
      ...{ at: at(`22T13:${minute}:00.000`), type: 'rollback', data: { ...ROLLBACK, ...more } },
    })
    given([], [rollback(10, { outcome: 'done' }), rollback(20, { outcome: 'uncertain', kind: 'undo' })])
    const { administrative_acts: acts, actions } = await data()
    expect(acts[0]).toMatchObject({
      ...{ type: 'rollback', actor: 'server', about: ROLLBACK.id },
      rollback: {
        ...{ scenario: 'disable', kind: 'apply', outcome: 'done', by: 'park', host: 'ops1', ticket: 'OPS-12' },
        ...{ until: ROLLBACK.until, reason: ROLLBACK.reason },
      },
    })
    const command = `npm run rollback-disable -- status ${ROLLBACK.id}`
    expect(actions[0]).toMatchObject({ code: 'uncertain_rollback', command })
    expect((await run(['--lang', 'en'])).stdout).toContain('disable undo: failed, state uncertain')
  })

  test.each([
    ['en', 'A rollback (disable, by park) failed and was taken back', 'Nothing needs action'],
    ['ko', '롤백(disable, park)이 실패해 이전 상태로 되돌려졌습니다', '조치할 일이 없습니다'],
  ])('ask in %s for a rollback that failed and was taken back', async (lang, said, nothing) => {
    const event = (minute: number, more: object) => ({
      ...{ at: at(`22T13:${minute}:00.000`), type: 'rollback', data: { ...ROLLBACK, ...more } },
    })
    const failed = { outcome: 'restored', exit_code: 1 }
    const other = event(30, { id: `${ROLLBACK.id}-1`, scenario: 'cli' })
    given([], [event(10, { outcome: 'uncertain', exit_code: 3 }), event(20, failed), other])
    const command = `npm run rollback-disable -- status ${ROLLBACK.id}`
    // The same one, which was resumed: only its last word counts.
    const facts = { n: 1, scenario: 'disable', by: 'park' }
    expect((await data()).actions).toEqual([{ code: 'failed_rollback', state: 'warning', command, facts }])
    const { stdout, code } = await run(['--lang', lang])
    for (const text of [said, command]) expect(stdout).toContain(text)
    expect(stdout).not.toContain(nothing)
    expect(code).toBe(1)
  })

  test('ask for no failed rollback that was cleared up by a later one of its kind, and believe no row of another shape', async () => {
    const rollback = (minute: number, data: object) => ({ at: at(`22T13:${minute}:00.000`), type: 'rollback', data })
    const [first, second] = [`${ROLLBACK.id}-1`, `${ROLLBACK.id}-2`]
    given(
      [],
      [
        rollback(10, { ...ROLLBACK, id: first, outcome: 'uncertain' }),
        rollback(15, { ...ROLLBACK, id: second, outcome: 'restored' }),
        rollback(20, ROLLBACK),
        rollback(30, { id: 'x' }),
      ],
    )
    const { administrative_acts: acts, actions } = await data()
    expect(actions).toEqual([])
    expect(acts.at(-1)).toMatchObject({ type: 'rollback', about: '', rollback: null })
  })

  test('believe no restore of another shape, and say what is unknown of one', async () => {
    const restore = {
      ...{ backup: 'security-20261121T183000.000Z', taken_at: '2026-11-21T18:30:00.000Z' },
      ...{ started_at: '2026-11-22T04:00:00.000Z', finished_at: '2026-11-22T04:00:02.000Z' },
      ...{ by: 'park', host: 'ops1', reason: 'disk failed', lost: null, aside: null },
    }
    const event = (minute: number, data: object) => ({ at: at(`22T13:${minute}:00.000`), type: 'restored', data })
    given([], [event(10, { ...restore, taken_at: 'yesterday' }), event(20, restore)])
    const { administrative_acts: acts, actions } = await data()
    expect(acts.map(({ about, restored }) => [about, restored])).toEqual([
      ['', null],
      [restore.backup, restore],
    ])
    expect(actions.map(({ code, command }) => [code, command])).toEqual([['restored', 'npm run backup -- list']])
    const { stdout } = await run(['--lang', 'en'])
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /2026-11-22 03:30:00 – 2026-11-22 13:00:00 lost, how much is unknown, secur/,
    )
  })

  test('show when the gate was off and each call that ran meanwhile, drills excepted', async () => {
    givenSunday()
    const { gate } = await data()
    expect(gate.off_now).toBeNull()
    expect(gate.off).toEqual([{ from: '2026-11-22T04:10:00.000Z', until: '2026-11-22T04:40:00.000Z', ms: 1_800_000 }])
    expect(gate.calls_total).toBe(1)
    expect(gate.calls).toEqual([
      {
        ...{ seq: 5, at: '2026-11-22T04:20:00.000Z', user_id: 'dev_user', server: '' },
        ...{ tool_name: 'execute_bash', level: 'CRITICAL', digest: 'c0ffee00c0ffee00' },
      },
    ])
  })

  test('count the rows that make no sense and drop none', async () => {
    givenSunday()
    const { data_quality } = await data()
    expect(data_quality).toMatchObject({ odd_rows: 2, in_future: 1, unreadable: 0 })
    expect(data_quality.kinds).toMatchObject({ unknown_status: 1, decided_before_request: 1, unreadable_deadline: 0 })
  })

  test('list at most five actions, the most urgent first, each with a command; JSON has them all', async () => {
    givenSunday()
    const { actions, actions_total, verdict } = await data()
    expect(actions.map(({ code }) => code)).toEqual([
      'own_decisions',
      'unapproved_calls',
      'open_requests',
      'unanswered',
      'generic_approvers',
      'odd_rows',
    ])
    expect(actions_total).toBe(6)
    expect(verdict).toBe('critical')
    for (const { command } of actions) expect(command).toMatch(/^(npx|npm|grep) /)
    const { code, stdout } = await run(['--lang', 'en'])
    expect(code).toBe(2)
    expect(stdout.match(/^\d\. \[/gm)).toHaveLength(5)
    expect(stdout).toContain('1 more: npm run -s daily-report -- --date 2026-11-22 --format json')
  })

  test('name their day in the commands that show the rest of it', async () => {
    givenSunday()
    const later = { now: NOW + 24 * 3_600_000 }
    const commands = (await data(['--date', '2026-11-22'], later)).actions.map(({ command }) => command)
    expect(commands).toContain('npm run -s daily-report -- --date 2026-11-22 --format json')
  })

  test('flag an approver from ten decisions and thirty percent of fast ones on', async () => {
    const fast = (n: number) => Array.from({ length: n }, (_, i) => decided(`22T09:${10 + i}:00.000`, 'approved', 2))
    const slow = (n: number) => Array.from({ length: n }, (_, i) => decided(`22T10:${10 + i}:00.000`, 'approved', 40))
    const flagged = async () =>
      (await data()).actions.filter(({ code }) => code === 'fast_approver').map(({ facts }) => facts)
    given([...fast(3), ...slow(7)])
    expect(await flagged()).toEqual([{ user: 'kim', k: 3, n: 10 }])
    path = `${path}-nine`
    given(fast(9))
    expect(await flagged()).toEqual([])
    path = `${path}-few`
    given([...fast(2), ...slow(8)])
    expect(await flagged()).toEqual([])
  })
})

describe('the gate', () => {
  const off = (day: string, until: string | null) => ({
    ...{ at: at(day), type: 'gate_off' },
    data: { until, cause: until === null ? 'APPROVAL_WORKFLOW_ENABLED' : 'APPROVAL_DISABLED_UNTIL' },
  })

  test('that was off before the period and still is, is off all of it', async () => {
    given([], [off('10T10:00:00.000', null)])
    const { gate, actions } = await data()
    expect(gate.off).toEqual([{ from: '2026-11-21T09:00:00.000Z', until: '2026-11-22T09:00:00.000Z', ms: 86_400_000 }])
    expect(gate.off_now).toEqual({ since: '2026-11-10T01:00:00.000Z', until: null })
    expect(actions[0]).toMatchObject({ code: 'gate_off_now', state: 'critical' })
  })

  test('is not said to have been on before the record of it begins', async () => {
    const started = (day: string) => ({ at: at(day), type: 'server_started', data: { version: '1' } })
    const section = async () => (await run(['--lang', 'en'])).stdout.split('Gate off\n')[1]!.split('\n\n')[0]
    given([decided('22T09:00:00.000', 'approved', 40)], [started('23T09:00:00.000')])
    expect(await section()).toBe('Not known: the record begins 2026-11-23 09:00:00.')
    path = `${path}-part`
    given([], [started('22T08:00:00.000')])
    expect((await data()).gate.record_begins).toBe('2026-11-21T23:00:00.000Z')
    expect(await section()).toMatch(/^The gate was on all the time since 2026-11-22 08:00:00\. What was before is not/)
    path = `${path}-whole`
    given([], [started('21T18:00:00.000')])
    expect(await section()).toBe('The gate was on all the time.')
  })

  test('whose lease ran out is on again, although nobody was there to record it', async () => {
    given([], [off('22T10:00:00.000', '2026-11-22T02:00:00.000Z')])
    const { gate, actions } = await data()
    expect(gate.off_now).toBeNull()
    expect(gate.off).toEqual([{ from: '2026-11-22T01:00:00.000Z', until: '2026-11-22T02:00:00.000Z', ms: 3_600_000 }])
    expect(actions).toEqual([])
  })

  test('that is on a lease says until when', async () => {
    given([], [off('22T17:00:00.000', '2026-11-22T10:00:00.000Z')])
    const { stdout } = await run(['--lang', 'en'])
    expect(stdout).toContain('The gate is off from 2026-11-22 17:00 to 2026-11-22 19:00.')
  })
})

describe('the comparison', () => {
  test('is with the weeks that had data, and says how many they are', async () => {
    given([
      ...[decided('15T10:00:00.000', 'approved', 10), decided('15T11:00:00.000', 'approved', 30)],
      ...[asked('08T09:00:00.000', 'expired'), decided('08T17:59:59.999', 'rejected', 60)],
      ...[asked('08T09:30:00.000', 'cancelled'), asked('08T18:00:00.000', 'expired')],
    ])
    const { four_week_median: median, same_day_last_week: lastWeek } = await data()
    expect(lastWeek?.totals.total).toBe(2)
    expect(median?.weeks.map(({ until }) => until)).toEqual(['2026-11-15T09:00:00.000Z', '2026-11-08T09:00:00.000Z'])
    expect(median?.totals).toMatchObject({ total: 2.5, unanswered: 0.5, decided: 1.5, cancelled: 0.5 })
    expect(median?.totals.answered_rate).toEqual({ k: 3, n: 4 })
    expect(median?.decision_times).toEqual({ n: 1.5, p50_ms: 35_000, p90_ms: 45_000, p95_ms: 45_000, max_ms: 45_000 })
    const { stdout } = await run(['--lang', 'en'])
    expect(stdout).toMatch(/^Total +0 +0 +2 +2\.5$/m)
    expect(stdout).toContain('Median (2 weeks)')
    expect(stdout.replace(/\s+/g, ' ')).toContain('2 of the last 4 weeks (11-15, 11-08)')
  })

  test('with a week that was silent, after the record had begun, is with zero', async () => {
    given([asked('10T09:00:00.000', 'expired')])
    const { four_week_median: median, same_day_last_week: lastWeek } = await data()
    expect([lastWeek?.totals.total, median?.totals.total, median?.weeks.length]).toEqual([0, 0, 1])
    expect(median?.decision_times.p50_ms).toBeNull()
  })
})

describe('working hours', () => {
  const calendar = (more: object): string => {
    const file = join(folder, `calendar-${runs}.json`)
    const good = {
      working_hours: { from: '09:00', until: '18:00' },
      working_days: ['sun'],
      ...{ years: [2026], holidays: {} },
    }
    writeFileSync(file, JSON.stringify({ ...good, ...more }, null, 2))
    return file
  }
  const givenThree = () =>
    given([
      decided('22T08:59:50.000', 'approved', 9.999),
      decided('22T08:59:50.000', 'approved', 10),
      decided('22T17:59:00.000', 'rejected', 60),
    ])
  const look = async (file: string) => {
    const options = { env: { CALENDAR_PATH: file } }
    const { stdout, code } = await run(['--lang', 'en'], options)
    return { ...(await data([], options)), text: stdout.replace(/\s+/g, ' '), code }
  }

  test('tell what was decided outside of them, by the instant of the decision', async () => {
    givenThree()
    const { since_last_report, text } = await look(calendar({}))
    expect(since_last_report.approvers[0]?.out_of_hours).toEqual({ k: 2, n: 3 })
    expect(text).toContain('Working hours are 09:00–18:00; 2026-11-22 is a working day.')
  })

  test('are none on a holiday, which is named', async () => {
    givenThree()
    const found = await look(calendar({ holidays: { '2026-11-22': '대체공휴일(시험)' } }))
    expect(found.since_last_report.approvers[0]?.out_of_hours).toEqual({ k: 3, n: 3 })
    expect(found.calendar.day).toEqual({ kind: 'holiday', name: '대체공휴일(시험)' })
    expect(found.text).toContain('2026-11-22 is a holiday (대체공휴일(시험))')
    expect((await look(calendar({ working_days: [] }))).text).toContain('2026-11-22 is none')
  })

  test('are unknown without a calendar, and that is a warning in words', async () => {
    givenThree()
    const found = await look(join(folder, 'none.json'))
    expect([found.code, found.verdict]).toEqual([1, 'warning'])
    expect(found.actions).toEqual([
      {
        ...{ code: 'calendar_missing', state: 'warning', command: `ls -l ${join(folder, 'none.json')}` },
        facts: { path: join(folder, 'none.json') },
      },
    ])
    expect(found.since_last_report.approvers[0]?.out_of_hours).toBeNull()
    expect(found.text).toContain(`WARNING: There is no ${join(folder, 'none.json')}`)
  })

  test('are unknown with a broken calendar, whose line and field are named', async () => {
    givenThree()
    const file = calendar({ years: [2026], holidays: { '2026-13-01': 'x' } })
    const found = await look(file)
    expect(found.actions).toMatchObject([{ code: 'calendar_invalid', command: `vi ${file}` }])
    expect(found.calendar.problems).toEqual([expect.stringMatching(/calendar-\d+\.json:\d+: holidays\.2026-13-01: /)])
    expect(found.since_last_report.approvers[0]?.out_of_hours).toBeNull()
  })

  test('are unknown in a year whose holidays nobody has listed', async () => {
    givenThree()
    const found = await look(calendar({ years: [2025] }))
    expect(found.actions).toMatchObject([{ code: 'calendar_year', facts: { year: '2026' } }])
    expect(found.text).toContain('lists no holidays of 2026')
  })
})

describe('the hours', () => {
  test('of nobody answering are named, the one that comes twice by its distance to UTC', async () => {
    const missed = (iso: string): Row => ({
      ...{ requested_at: sqlTime(Date.parse(iso)), status: 'expired', expires_at: sqlTime(Date.parse(iso)) },
    })
    given([
      missed('2026-11-01T01:30:00-04:00'),
      missed('2026-11-01T01:30:00-05:00'),
      missed('2026-11-01T01:40:00-05:00'),
    ])
    const options = { now: Date.parse('2026-11-01T20:00:00-05:00') }
    const { stdout } = await run(['--tz', 'America/New_York', '--lang', 'en'], options)
    expect(stdout).toMatch(/^11-01 01:00 \(UTC-04:00\) +1 +1 +–$/m)
    expect(stdout).toMatch(/^11-01 01:00 \(UTC-05:00\) +2 +2 +–$/m)
    expect((await data(['--tz', 'America/New_York'], options)).day_curve.length).toBe(25)
  })

  test('to come are shown as such, and are not zero', async () => {
    givenSunday()
    const { day_curve: curve } = await data([], { now: NOW - 5 * 60_000 })
    expect(curve.map(({ requests }) => requests)).toEqual([
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 3, 1, 2, 1, 1, 0, 1, 0, null, null, null, null, null, null],
    ])
    expect((await run(['--lang', 'en'])).stdout).toContain('6\nhours are still to come, shown as ·.')
  })
})

test('an approver who decides too fast to read is named in words where the approvers are', async () => {
  given(Array.from({ length: 10 }, (_, i) => decided(`22T10:${10 + i}:00.000`, 'approved', i < 3 ? 2 : 40)))
  const { stdout } = await run(['--lang', 'en'])
  expect(stdout.replace(/\s+/g, ' ')).toContain(
    'WARNING: kim decided 3 of 10 within 2 s: it looks as if nobody read them',
  )
})

describe('days without much', () => {
  test('an empty database is a valid, quiet report', async () => {
    given([])
    for (const format of ['table', 'markdown', 'html', 'json']) {
      for (const lang of ['ko', 'en']) {
        const { code, stdout, stderr } = await run(['--format', format, '--lang', lang])
        expect(code).toBe(0)
        expect(stderr).toBe('')
        expect(stdout).not.toMatch(/NaN|undefined|Infinity|\[object/)
      }
    }
    const { stdout } = await run(['--lang', 'en'])
    expect(stdout).toContain('OK: 2026-11-22: no requests. Nothing needs action')
    expect(stdout).toContain('There are no figures of the same weekday last week to compare with.')
    expect((await data()).same_day_last_week).toBeNull()
  })

  test('a day on which everything still waits has no times and says so', async () => {
    given([asked('22T17:57:00.000', 'pending'), asked('22T17:59:00.000', 'pending')])
    const { code, stdout } = await run(['--lang', 'en'])
    expect(code).toBe(1)
    expect(stdout).toContain('Nothing was decided')
    expect(stdout).not.toMatch(/NaN|undefined/)
    expect((await data()).today.decision_times).toEqual({
      n: 0,
      p50_ms: null,
      p90_ms: null,
      p95_ms: null,
      max_ms: null,
    })
  })

  test('a day that has no requests, after a week that had some, is compared with it', async () => {
    given([asked('15T09:00:00.000', 'approved')])
    expect((await data()).same_day_last_week?.totals.total).toBe(1)
  })
})

describe('the time', () => {
  test('counts a request of 18:00 sharp in the next report, and one a millisecond earlier in this one', async () => {
    given([
      decided('22T17:59:59.999', 'approved', 5),
      decided('22T18:00:00.000', 'approved', 5),
      decided('22T18:00:00', 'approved', 5),
    ])
    const evening = (await data([], { now: NOW + 90_000 })).since_last_report.totals.total
    const next = (await data([], { now: NOW + 86_400_000 })).since_last_report.totals.total
    expect([evening, next]).toEqual([1, 2])
  })

  test('is that of the zone asked for, not of the machine', async () => {
    given([decided('22T08:30:00.000', 'approved', 5)])
    expect((await data(['--tz', 'Asia/Seoul'])).today.totals.total).toBe(1)
    expect((await data(['--tz', 'UTC'])).today.totals.total).toBe(0)
    const { stdout } = await run(['--tz', 'America/New_York', '--lang', 'en'])
    expect(stdout).toContain('2026-11-22 04:00:00 (America/New_York, UTC-05:00)')
  })

  test('of a report that was missed is the day it was meant for', async () => {
    given([decided('22T17:00:00.000', 'approved', 5), decided('23T05:00:00.000', 'approved', 5)])
    const missed = await data(['--date', '2026-11-22'], { now: NOW + 13 * 3_600_000 })
    expect([missed.date, missed.today.totals.total, missed.since_last_report.totals.total]).toEqual([
      '2026-11-22',
      1,
      1,
    ])
  })

  test('of the evening is the same here and in the schedule, which says the date', async () => {
    const scheduled = SCHEDULE.find(({ name }) => name === 'daily-report')!
    expect(scheduled.at).toBe(EVENING)
    given([])
    const argv = jobArgv('node', scheduled, '2026-11-21').slice(4)
    expect((await data(argv)).date).toBe('2026-11-21')
  })
})

describe('on paper', () => {
  test('the same data and the same clock give the same bytes', async () => {
    givenSunday()
    for (const format of ['table', 'markdown', 'html', 'json']) {
      expect((await run(['--format', format])).stdout).toBe((await run(['--format', format])).stdout)
    }
  })

  test.each(['ko', 'en'])('the table in %s fits 80 columns, without a control character', async (lang) => {
    givenSunday()
    const { stdout, code } = await run(['--lang', lang])
    expect(code).toBe(2)
    for (const line of stdout.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    await expect(stdout).toMatchFileSnapshot(`golden/daily-report.${lang}.txt`)
  })

  test.each(['ko', 'en'])('the Markdown in %s has padded tables and no stray markup', async (lang) => {
    givenSunday()
    const { stdout } = await run(['--lang', lang, '--format', 'markdown'])
    for (const table of stdout.split('\n\n').filter((part) => part.startsWith('|'))) {
      const lines = table.trimEnd().split('\n')
      expect(new Set(lines.map(displayWidth)).size).toBe(1)
      const cells = lines.map((line) => line.replaceAll('\\|', '').split('|').length)
      expect(new Set(cells).size).toBe(1)
    }
    await expect(stdout).toMatchFileSnapshot(`golden/daily-report.${lang}.md`)
  })

  test.each(['ko', 'en'])('the HTML in %s stands alone', async (lang) => {
    givenSunday()
    const { stdout } = await run(['--lang', lang, '--format', 'html'])
    expect(stdout).toContain(`<html lang="${lang}">`)
    expect(stdout).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import/)
    expect(stdout.match(/<table>/g)?.length).toBe(stdout.match(/<caption>/g)?.length)
    expect(stdout).not.toMatch(/<th\b(?! scope=)/)
    expect(stdout).toContain('prefers-color-scheme: dark')
    expect(stdout).toContain('위험한 도구\\u001b[31m|`x`')
    await expect(stdout).toMatchFileSnapshot(`golden/daily-report.${lang}.html`)
  })

  test('colours show on a terminal only, and not against NO_COLOR', async () => {
    givenSunday()
    expect((await run([], { tty: true })).stdout).toContain('\u001b[33m')
    expect((await run([], { tty: true, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b')
    expect((await run([], { tty: true, env: { TERM: 'dumb' } })).stdout).not.toContain('\u001b')
    expect((await run()).stdout).not.toContain('\u001b')
  })

  test('JSON has untranslated keys and ISO instants in both languages', async () => {
    givenSunday()
    const korean = await run(['--format', 'json', '--lang', 'ko'])
    expect(korean.stdout).toBe((await run(['--format', 'json', '--lang', 'en'])).stdout)
    await expect(korean.stdout.replaceAll(ROOT, '/opt/approval-ops')).toMatchFileSnapshot('golden/daily-report.json')
    expect(Object.keys(JSON.parse(korean.stdout))).toEqual([
      ...['schema', 'now', 'zone', 'date', 'verdict', 'actions_total', 'actions', 'today', 'since_last_report'],
      ...[
        'same_day_last_week',
        'four_week_median',
        'day_curve',
        'calendar',
        'gate',
        'administrative_acts_total',
        'administrative_acts',
        'audit_head',
        'data_quality',
      ],
    ])
  })
})

describe('a report that could not be made', () => {
  test.each(['table', 'markdown', 'html', 'json'])(
    'says so as %s, exits 3, and creates no database',
    async (format) => {
      const { code, stdout, stderr } = await run(['--format', format, '--lang', 'en'])
      expect(code).toBe(3)
      expect(stdout).toContain(path)
      expect(stderr).toBe(`${path} does not exist. npm start\n`)
      if (format === 'json')
        expect(JSON.parse(stdout)).toMatchObject({ verdict: 'unknown', error: { code: 'missing' } })
      expect((await run()).code).toBe(3)
    },
  )

  test('names a date that does not exist or has not begun', async () => {
    given([])
    for (const date of ['2026-02-30', '2026-11-23', 'tomorrow']) {
      const { code, stdout, stderr } = await run(['--date', date, '--lang', 'en'])
      expect([code, stdout]).toEqual([64, ''])
      expect(stderr).toContain(`Bad value for --date: ${date}`)
    }
  })
})
