import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { sqlTime } from '../src/sql.ts'
import { awayFrom } from './support/away-from.ts'
import { createDatabase, insertRequests } from './support/report-database.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daily-report-main-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const argv = (more: readonly string[]) => ['--import', 'tsx/esm', join(ROOT, 'ops/daily-report.ts'), ...more]
const options = (env: Record<string, string> = {}) => ({
  cwd: ROOT,
  // As bare as cron's.
  env: {
    ...{
      PATH: process.env.PATH ?? '',
      APPROVAL_ENV_FILE: join(folder, '.env'),
      SECURITY_DB_PATH: join(folder, 'security.db'),
    },
    ...env,
  },
})
const run = (more: readonly string[], env?: Record<string, string>) =>
  spawnSync(process.execPath, argv(more), { ...options(env), encoding: 'utf8' })

test('an empty day exits 0 with the report on stdout and nothing else anywhere', () => {
  createDatabase(join(folder, 'security.db')).close()
  const { status, stdout, stderr } = run([])
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain('승인 워크플로우 일일 보고')
  expect(stdout).not.toContain('\u001b')
})

test('something to do exits 1, and JSON is all there is on stdout', async () => {
  // The day of the report ends at 18:00 in Seoul.
  await awayFrom(9 * 3_600_000)
  const db = createDatabase(join(folder, 'security.db'))
  insertRequests(db, [{ requested_at: sqlTime(Date.now() - 1000) }])
  db.close()
  const { status, stdout, stderr } = run(['--format', 'json'])
  expect([status, stderr]).toEqual([1, ''])
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'ops.daily-report.v1', verdict: 'warning' })
})

test('a missing database exits 3, says what to do, and is not created', () => {
  const { status, stdout, stderr } = run(['--lang', 'en'])
  expect(status).toBe(3)
  expect(stdout).toContain('UNKNOWN')
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`${join(folder, 'security.db')} does not exist. npm start`)
  expect(existsSync(join(folder, 'security.db'))).toBe(false)
})

test('a wrong option exits 64 and a wrong configuration 78, with nothing on stdout', () => {
  expect(run(['--frmat', 'json'])).toMatchObject({ status: 64, stdout: '' })
  writeFileSync(join(folder, '.env'), 'OPS_TIMEZONE=Asia/Soul\n')
  expect(run([])).toMatchObject({ status: 78, stdout: '' })
})

test('a reader that goes away early is no failure', async () => {
  createDatabase(join(folder, 'security.db')).close()
  const child = spawn(process.execPath, argv(['--format', 'html']), { ...options(), stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, stderr]).toEqual([0, ''])
})

test('the page is short enough to be read in a minute', () => {
  expect(readFileSync(join(ROOT, 'ops/daily-report.ts'), 'utf8').split('\n').length).toBeLessThanOrEqual(20)
})
