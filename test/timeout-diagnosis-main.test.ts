import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { environment, type RunningServer, startServer, TSX, temporaryFolder } from './support/server.ts'

const dir = temporaryFolder()
let server: RunningServer
beforeAll(async () => {
  server = await startServer(dir.path)
})
afterAll(async () => {
  await server.kill('SIGKILL')
  dir.remove()
})

const run = (argv: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, ['--import', TSX, join(ROOT, 'ops/timeout-diagnosis.ts'), ...argv], {
    env: environment(dir.path, { APPROVAL_URL: server.url, ...env }),
    encoding: 'utf8',
  })

test('on a running desk: exit 0, nothing unanswered, the server found by its process, as the one who has the file', async () => {
  const { request_id } = await server.ask()
  await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'ok' })
  await server.ask()
  const { status, stdout, stderr } = run(['--format', 'json', '--concurrency', '--size'])
  expect([status, stderr]).toEqual([0, ''])
  const { concurrency, size, server_answers } = JSON.parse(stdout)
  expect(server_answers).toBe(true)
  expect(concurrency).toMatchObject({ open: 1, peak: expect.any(Number), decided_twice_total: 0, busy_errors: 0 })
  // Where the system tells who has a file open, the server is there, and this program is not.
  if (concurrency.holders) {
    expect(concurrency.holders.seen).toEqual([{ pid: server.child.pid, name: expect.any(String), is_server: true }])
  }
  expect(size).toMatchObject({ requests: 2, growth_bytes_per_day: null })
})

test('a missing database exits 3 and is not created; nonsense exits 64', () => {
  const file = join(dir.path, 'other', 'security.db')
  const { status, stderr } = run(['--lang', 'en'], { SECURITY_DB_PATH: file })
  expect([status, stderr]).toEqual([3, `${file} does not exist. npm start\n`])
  expect(existsSync(file)).toBe(false)
  expect(run(['--days', 'x'])).toMatchObject({ status: 64, stdout: '' })
})
