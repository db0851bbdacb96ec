import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArguments } from '../src/schedule/arguments.ts'
import type { ScheduledJob } from '../src/schedule/table.ts'
import { jobThat, NINE, startSchedule } from './support/schedule-process.ts'
import { HOUR } from './support/scheduler.ts'
import { temporaryFolder } from './support/server.ts'

let dir: string
let remove: () => void
beforeEach(() => {
  const folder = temporaryFolder()
  dir = folder.path
  remove = folder.remove
})
afterEach(() => remove())

async function schedule(args: string[], more: Partial<Parameters<typeof startSchedule>[1]> = {}) {
  const process = startSchedule(args, { dir, ...more })
  return { code: await process.ended, stdout: process.stdout(), stderr: process.stderr() }
}
const real = (args: string[], env: Record<string, string> = {}) => schedule(args, { main: 'src/scheduler.ts', env })
const weekly: ScheduledJob = { ...jobThat('/tmp'), name: 'weekly', at: '09:05', weekday: 1 }

describe('npm run schedule --', () => {
  it('show prints the table, in Korean and English, and the crontab line of this machine', async () => {
    const { stdout, code } = await real(['show', '--lang', 'ko'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/daily-check\s+09:00\s+0 9 \* \* \*\s+3시간\s+2분/)
    expect(stdout).toMatch(/daily-report\s+18:00\s+0 18 \* \* \*\s+14시간\s+10분/)
    expect(stdout).toContain(`${process.execPath} --import tsx/esm src/scheduler.ts run --due --by cron`)
    expect((await schedule(['show'], { table: [weekly] })).stdout).toMatch(
      /weekly\s+Mon 09:05\s+5 9 \* \* 1\s+3 h\s+1 min/,
    )
  })

  it('next prints the next runs in order, in the zone of the team', async () => {
    const table = [weekly, jobThat(dir)]
    const { stdout } = await schedule(['next', '-n', '3'], { table })
    expect(stdout).toContain('Asia/Seoul, UTC+09:00')
    const lines = stdout.split('\n').filter((line) => line.startsWith('2026'))
    expect(lines).toEqual(['2026-11-23 09:00  morning', '2026-11-23 09:05  weekly', '2026-11-24 09:00  morning'])
    const json = JSON.parse((await schedule(['next', '-n', '1', '--format', 'json'], { table })).stdout)
    expect(json).toMatchObject({ schema: 'ops.schedule-next.v1', runs: [{ due_at: '2026-11-23T00:00:00.000Z' }] })
    const winter = { table: [jobThat(dir)], env: { OPS_TIMEZONE: 'America/New_York' } }
    expect((await schedule(['next', '-n', '1'], winter)).stdout).toContain('America/New_York, UTC-05:00')
  })

  it('run prints the output of the job, takes over its exit code and goes into the history', async () => {
    const ran = await schedule(['run', 'morning'])
    expect(ran).toMatchObject({ code: 0, stdout: '결과: OK\n' })
    expect(ran.stderr).toMatch(/morning 2026-11-22: DONE, exit 0, [\d.]+ s, .*morning-2026-11-22\.log/)
    const again = await schedule(['run', 'morning', '--by', 'cron'], { at: NINE + 60_000 })
    expect(again).toMatchObject({ code: 75, stdout: '' })
    expect(again.stderr).toMatch(
      /already DONE \(hand, process \d+ on .+\)\. npm run schedule -- history --job morning\n$/,
    )
    const { stdout } = await schedule(['history'])
    expect(stdout).toMatch(/2026-11-22 09:00\s+morning\s+DONE\s+hand\s+[\d.]+ s\s+0/)
    const json = JSON.parse((await schedule(['history', '--job', 'morning', '--format', 'json'])).stdout)
    expect(json.runs).toMatchObject([{ job: 'morning', state: 'DONE', started_by: 'hand', exit_code: 0, attempt: 1 }])
  })

  it('run hands on a failure of the job', async () => {
    const broken = { ...jobThat(dir), command: ['test/support/no-such-job.ts'] }
    const { code, stdout, stderr } = await schedule(['run', 'morning'], { table: [broken] })
    expect(code).toBe(1)
    expect(stdout).toContain('no-such-job')
    expect(stderr).toContain('FAILED')
  })

  it('run refuses what is out of its window', async () => {
    const { code, stderr } = await schedule(['run', 'morning'], { at: NINE + 4 * HOUR })
    expect([code, existsSync(join(dir, 'ran'))]).toEqual([75, false])
    expect(stderr).toMatch(/npm run morning\n$/)
  })

  it('history says that nothing has run, and makes no file for that', async () => {
    expect((await schedule(['history'])).stdout).toContain('Nothing has run yet.')
    expect(existsSync(join(dir, 'ops.db'))).toBe(false)
  })

  it('history shows what was missed with its count', async () => {
    await schedule(['run', 'morning'])
    await schedule(['run', '--due'], { at: NINE + 10 * 24 * HOUR + 1000 })
    expect((await schedule(['history'])).stdout).toMatch(/morning\s+MISSED\s+hand\s+-\s+-\s+9 from 2026-11-23/)
  })

  it('refuses what it does not understand with 64, and says how to get help', async () => {
    const { code, stdout, stderr } = await schedule(['next', '--frobnicate'])
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toMatch(/: Unknown option '--frobnicate'\. npm run schedule -- --help\n$/)
  })

  it('explains itself in both languages', async () => {
    expect((await schedule(['--help'])).stdout).toMatch(/^Usage: npm run schedule[\s\S]*Exit codes:/)
    expect((await schedule(['run', '--help', '--lang', 'ko'])).stdout).toMatch(/^사용법/)
  })

  it('names every problem of the configuration and exits with 78', async () => {
    const { code, stderr } = await schedule([], { env: { OPS_TIMEZONE: 'Mars/Base', PORT: 'x' } })
    expect(code).toBe(78)
    expect(stderr).toMatch(/OPS_TIMEZONE[\s\S]*PORT|PORT[\s\S]*OPS_TIMEZONE/)
    const english = await schedule([], { env: { OPS_LANG: 'en', PORT: 'x' } })
    expect(english.stderr).toMatch(/^The configuration/m)
  })

  it('does not touch a file that is no ledger', async () => {
    const other = new Database(join(dir, 'ops.db'))
    other.exec('CREATE TABLE notes (text)')
    other.close()
    const { code, stderr } = await schedule(['run', 'morning'])
    expect([code, existsSync(join(dir, 'ran'))]).toEqual([3, false])
    expect(stderr).toContain('another program')
  })

  it('runs with a loud warning when the ledger was damaged', async () => {
    writeFileSync(join(dir, 'ops.db'), 'garbage '.repeat(1000))
    const { code, stderr } = await schedule(['run', 'morning'])
    expect(code).toBe(0)
    expect(stderr).toMatch(/Warning: .*ops\.db was damaged and lies now at .*ops\.db\.damaged-/)
  })

  it('writes no colours into a pipe', async () => {
    await schedule(['run', 'morning'])
    expect((await schedule(['history'], { env: { TERM: 'xterm-256color' } })).stdout).not.toContain('\u001b')
  })
})

describe('the command line', () => {
  it.each([
    ['an unknown option', ['next', '--frobnicate']],
    ['an unknown word', ['later']],
    ['a word too many', ['next', 'week']],
    ['an unknown job', ['run', 'backup']],
    ['no job', ['run']],
    ['an option of another command', ['show', '-n', '3']],
    ['a bad number', ['next', '-n', '0']],
    ['a bad format', ['next', '--format', 'xml']],
    ['a bad language', ['next', '--lang', 'de']],
    ['a caller it does not know', ['run', 'morning', '--by', 'node-cron']],
  ])('with %s is refused', (_, args) => {
    expect(() => readArguments(args, ['morning'], 'ko')).toThrow()
  })

  it('is read into a command', () => {
    expect(readArguments([], ['morning'], 'ko')).toMatchObject({ command: { name: 'keep' }, lang: 'ko', by: 'hand' })
    const run = readArguments(['run', 'morning', '--by', 'cron', '--lang', 'en'], ['morning'], 'ko')
    expect(run).toMatchObject({ command: { name: 'run', job: 'morning' }, lang: 'en', by: 'cron' })
    const history = readArguments(['history', '--job', 'morning', '-n', '5'], ['morning'], 'ko')
    expect(history.command).toEqual({ name: 'history', job: 'morning', count: 5 })
  })
})
