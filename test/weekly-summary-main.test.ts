import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { dateIn } from '../src/report/period.ts'
import { jobArgv, SCHEDULE } from '../src/schedule/table.ts'
import { sqlTime } from '../src/sql.ts'
import { createDatabase, insertEvents } from './support/report-database.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weekly-summary-main-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const scheduled = SCHEDULE.find(({ name }) => name === 'weekly-summary')!
const argv = ['--import', 'tsx/esm', join(ROOT, 'ops/weekly-summary.ts')]
const start = (args: readonly string[]) =>
  spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    // As bare as cron's.
    env: {
      PATH: process.env.PATH ?? '',
      APPROVAL_ENV_FILE: join(folder, '.env'),
      SECURITY_DB_PATH: join(folder, 'security.db'),
    },
  })
const run = (more: readonly string[]) => start([...argv, ...more])

test('quiet weeks exit 0 with the summary on stdout and nothing else anywhere', () => {
  createDatabase(join(folder, 'security.db')).close()
  const { status, stdout, stderr } = run([])
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain('승인 워크플로우 주간 요약')
  expect(stdout).not.toContain('\u001b')
})

test('a tool that ran past the gate exits 2, and JSON is all there is on stdout', () => {
  const db = createDatabase(join(folder, 'security.db'))
  const call = { type: 'bypassed', data: { server: '', tool: 'sudo', level: 'CRITICAL' } }
  insertEvents(db, [{ at: sqlTime(Date.now() - 1000), ...call }])
  db.close()
  const { status, stdout, stderr } = run(['--risk', '--days', '2', '--format', 'json'])
  expect([status, stderr]).toEqual([2, ''])
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'ops.tool-risk.v1', verdict: 'critical', days: 2 })
})

test('what the schedule starts prints the summary and keeps it', () => {
  createDatabase(join(folder, 'security.db')).close()
  const [node, ...args] = jobArgv(process.execPath, scheduled, dateIn(Date.now(), 'Asia/Seoul'))
  expect(node).toBe(process.execPath)
  const { status, stdout, stderr } = start(args)
  expect(status, stderr).toBe(0)
  expect(stdout).toContain('승인 워크플로우 주간 요약')
  const kept = readdirSync(join(folder, 'reports')).sort()
  expect(kept).toHaveLength(3)
  for (const name of kept) expect(name).toMatch(/^\d{4}-W\d\d-weekly\.(html|json|md)$/)
})

test('a missing database exits 3, says what to do, and is not created', () => {
  const { status, stdout, stderr } = run(['--lang', 'en'])
  expect(status).toBe(3)
  expect(stdout).toContain('UNKNOWN')
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`${join(folder, 'security.db')} does not exist. npm start`)
  expect(existsSync(join(folder, 'security.db'))).toBe(false)
})

test('a wrong option exits 64 and a wrong configuration 78, with nothing on stdout', () => {
  expect(run(['--weeks', 'many'])).toMatchObject({ status: 64, stdout: '' })
  writeFileSync(join(folder, '.env'), 'OPS_TIMEZONE=Asia/Soul\n')
  expect(run([])).toMatchObject({ status: 78, stdout: '' })
})

test('the page is short enough to be read in a minute', () => {
  expect(readFileSync(join(ROOT, 'ops/weekly-summary.ts'), 'utf8').split('\n').length).toBeLessThanOrEqual(20)
})
