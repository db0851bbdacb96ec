import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { command, type Io } from '../src/command.ts'
import { EXIT } from '../src/exit-codes.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'
import { changesBetween } from '../src/report/kept.ts'
import { jobArgv, SCHEDULE } from '../src/schedule/table.ts'
import { sqlTime } from '../src/sql.ts'
import { createDatabase, insertEvents, insertRequests, type Row } from './support/report-database.ts'
import { temporaryFolder } from './support/server.ts'

/** Sunday 18:00 in Seoul. */
const NOW = Date.parse('2026-11-22T18:00:00+09:00')
const MINUTE = 60_000

let dir: ReturnType<typeof temporaryFolder>
let reports: string
beforeEach(() => {
  dir = temporaryFolder()
  reports = join(dir.path, 'reports')
  const db = createDatabase(join(dir.path, 'security.db'))
  insertRequests(db, [decided('11-22T09:00:00', 5), decided('11-22T09:05:00', 7), decided('11-15T10:00:00', 9)])
  insertEvents(db, [{ at: '2026-11-01 00:00:00.000', type: 'server_started', data: { version: '1.0.0' } }])
  db.close()
})
afterEach(() => dir.remove())

const decided = (at: string, seconds: number, responder_id = 'kim'): Row => {
  const asked = Date.parse(`2026-${at}+09:00`)
  const times = { requested_at: sqlTime(asked), responded_at: sqlTime(asked + seconds * 1000) }
  return { status: 'approved', responder_id, expires_at: sqlTime(asked + 5 * MINUTE), ...times }
}

const late = (...rows: Row[]) => {
  const db = new Database(join(dir.path, 'security.db'))
  insertRequests(db, rows)
  db.close()
}

async function run(argv: readonly string[], { now = NOW, env = {} }: { now?: number; env?: object } = {}) {
  let stdout = ''
  let stderr = ''
  const io: Io = {
    argv: ['node', 'daily-report', ...argv],
    env: { APPROVAL_ENV_FILE: join(dir.path, '.env'), SECURITY_DB_PATH: join(dir.path, 'security.db'), ...env },
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    now,
  }
  return { code: await command(dailyReport, io), stdout, stderr }
}

const kept = (): Record<string, string> =>
  Object.fromEntries(readdirSync(reports).map((name) => [name, readFileSync(join(reports, name), 'utf8')]))
const json = (name: string) => JSON.parse(readFileSync(join(reports, `${name}.json`), 'utf8'))
const DAILY = ['2026-11-22-daily.html', '2026-11-22-daily.json', '2026-11-22-daily.md']

describe('an evening report that is kept', () => {
  test('is the report that was printed, in three formats and the language of the team, for its owner alone', async () => {
    const { code, stderr } = await run(['--keep', '--lang', 'en'])
    expect([code, stderr]).toEqual([EXIT.OK, `Kept: ${join(reports, '2026-11-22-daily.md')}\n`])
    expect(Object.keys(kept())).toEqual(DAILY)
    for (const [ending, format] of [
      ['md', 'markdown'],
      ['html', 'html'],
      ['json', 'json'],
    ] as const) {
      const { stdout } = await run(['--format', format, '--lang', 'ko'])
      expect(kept()[`2026-11-22-daily.${ending}`]).toBe(stdout)
      expect(statSync(join(reports, `2026-11-22-daily.${ending}`)).mode & 0o777).toBe(0o600)
    }
    expect(statSync(reports).mode & 0o777).toBe(0o700)
  })

  test('stays byte by byte when it is repeated with the same figures, then and the next morning', async () => {
    await run(['--keep'])
    const before = kept()
    for (const now of [NOW, NOW + 5 * MINUTE, NOW + 13 * 60 * MINUTE]) {
      // What comes after the evening is in the next report.
      if (now > NOW) late(decided('11-22T18:02:00', 4))
      const { code, stderr } = await run(['--keep', '--date', '2026-11-22', '--lang', 'en'], { now })
      expect([code, stderr]).toEqual([
        EXIT.OK,
        `The same as the report that is kept already: ${join(reports, '2026-11-22-daily.md')}\n`,
      ])
      expect(kept()).toEqual(before)
    }
  })

  test('gets a revision that says what changed when rows came late, and the first one stays', async () => {
    await run(['--keep'])
    const first = kept()
    late(decided('11-22T09:10:00', 3, 'lee'))
    const { stderr } = await run(['--keep', '--lang', 'en'], { now: NOW + 60 * MINUTE })
    expect(stderr).toMatch(/^\d+ figures have changed\. Kept as revision 2: .*2026-11-22-daily\.r2\.md\n$/)
    expect(kept()).toMatchObject(first)
    const second = json('2026-11-22-daily.r2')
    expect(second).toMatchObject({ schema: 'ops.daily-report.v1', revision: 2, date: '2026-11-22' })
    expect(second.changed).toEqual(
      expect.arrayContaining([
        { figure: 'today.totals.total', before: 2, after: 3 },
        { figure: 'since_last_report.approvers[lee].decided', before: null, after: 1 },
      ]),
    )
    expect(second.changed.map(({ figure }: { figure: string }) => figure)).not.toContain('now')
    expect(kept()['2026-11-22-daily.r2.md']).toMatch(
      /수정본 2: 1판 이후 달라진 값[^#]*\| today\.totals\.total +\| +2 \| +3 \|/,
    )
    expect(kept()['2026-11-22-daily.r2.html']).toContain('<caption>수정본 2: 1판 이후 달라진 값</caption>')
    const both = kept()
    await run(['--keep'], { now: NOW + 61 * MINUTE })
    expect(kept()).toEqual(both)
    late(decided('11-22T09:15:00', 3, 'lee'))
    await run(['--keep'], { now: NOW + 62 * MINUTE })
    expect(json('2026-11-22-daily.r3').changed).toContainEqual({ figure: 'today.totals.total', before: 3, after: 4 })
    expect(kept()).toMatchObject(both)
  })

  test('is that of 18:00 although it was made the next morning', async () => {
    await run(['--keep', '--date', '2026-11-22'], { now: NOW + 13 * 60 * MINUTE })
    expect(json('2026-11-22-daily').today.until).toBe('2026-11-22T09:00:00.000Z')
  })

  test('is no report of the afternoon, nor of another zone, nor one that nobody asked to keep', async () => {
    for (const [argv, now] of [
      [['--keep'], NOW - 4 * 60 * MINUTE],
      [['--keep'], NOW - 1],
      [['--keep', '--tz', 'UTC'], NOW + 12 * 60 * MINUTE],
    ] as const) {
      const { code, stdout, stderr } = await run([...argv, '--lang', 'en'], { now })
      expect([code, stdout]).toEqual([EXIT.USAGE, ''])
      expect(stderr).toMatch(/^Bad value for --(keep|tz): .* npm run daily-report -- --help\n$/)
    }
    expect((await run([])).code).toBe(EXIT.OK)
    expect(existsSync(reports)).toBe(false)
  })

  test('is made by the schedule', async () => {
    const scheduled = SCHEDULE.find(({ name }) => name === 'daily-report')!
    expect((await run(jobArgv('node', scheduled, '2026-11-22').slice(4), { now: NOW + 2000 })).code).toBe(EXIT.OK)
    expect(Object.keys(kept())).toEqual(DAILY)
  })

  test('is none when the database could not be read', async () => {
    rmSync(join(dir.path, 'security.db'))
    expect((await run(['--keep'])).code).toBe(EXIT.UNKNOWN)
    expect(existsSync(reports)).toBe(false)
  })

  test('is written whole by the next run when a crash left only a part of it', async () => {
    mkdirSync(reports)
    writeFileSync(join(reports, '2026-11-22-daily.md'), 'half a rep')
    writeFileSync(join(reports, '2026-11-22-daily.html.approval-ops-new'), 'half')
    await run(['--keep'])
    expect(Object.keys(kept())).toEqual(DAILY)
    expect(kept()['2026-11-22-daily.md']).toBe((await run(['--format', 'markdown'])).stdout)
  })
})

describe('a report that cannot be kept', () => {
  test('is printed all the same, exits 3 and says why', async () => {
    writeFileSync(reports, 'a file where the folder should be')
    const { code, stdout, stderr } = await run(['--keep', '--lang', 'en'])
    expect(code).toBe(EXIT.UNKNOWN)
    expect(stdout).toContain('Approval workflow, daily report 2026-11-22')
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^The report could not be kept \(E\w+.*\)\. df -h /)
  })

  test('for want of space leaves nothing behind, and is kept once there is some', async () => {
    mkdirSync(reports)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', reports])
    try {
      const { code, stderr } = await run(['--keep', '--lang', 'en'])
      expect([code, stderr]).toEqual([EXIT.UNKNOWN, expect.stringMatching(/^The report could not be kept \(ENOSPC/)])
      expect(readdirSync(reports)).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=1m', reports])
      expect((await run(['--keep'])).code).toBe(EXIT.OK)
      expect(Object.keys(kept())).toEqual(DAILY)
    } finally {
      execFileSync('umount', [reports])
    }
  })

  test('because the kept one is damaged does not replace it', async () => {
    await run(['--keep'])
    for (const text of ['{"schema":', '{"schema":"ops.daily-report.v9"}', '{"schema":"ops.daily-report.v1"}']) {
      writeFileSync(join(reports, '2026-11-22-daily.json'), text)
      const { code, stderr } = await run(['--keep', '--lang', 'en'])
      expect([code, stderr]).toEqual([EXIT.UNKNOWN, expect.stringContaining('2026-11-22-daily.json is not what was')])
      expect(kept()['2026-11-22-daily.json']).toBe(text)
      expect(Object.keys(kept())).toEqual(DAILY)
    }
  })
})

describe('what changed', () => {
  const row = (tool: string, n: number) => ({ tool, n })

  test('is named by what a row is about, wherever it stands', () => {
    expect(
      changesBetween(
        { tools: [row('a', 1), row('b', 2)], n: null },
        { tools: [row('c', 9), row('b', 3), row('a', 1)], n: 0 },
      ),
    ).toEqual([
      { figure: 'tools[c].tool', before: null, after: 'c' },
      { figure: 'tools[c].n', before: null, after: 9 },
      { figure: 'tools[b].n', before: 2, after: 3 },
      { figure: 'n', before: null, after: 0 },
    ])
  })

  test('is also what is no more, and rows that are called alike are told apart', () => {
    expect(changesBetween({ a: [row('x', 1), row('x', 2)] }, { a: [row('x', 1)] })).toEqual([
      { figure: 'a[x#1].tool', before: 'x', after: null },
      { figure: 'a[x#1].n', before: 2, after: null },
    ])
    expect(changesBetween({ a: { b: 1 } }, { a: null })).toEqual([{ figure: 'a.b', before: 1, after: null }])
    expect(changesBetween({ a: [] }, { a: [] })).toEqual([])
  })
})
