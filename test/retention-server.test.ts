import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { asked, uuid } from './store-contract.ts'
import { addUsers, archiveFiles, chainOf, folderOf, openDesk, tokenOf } from './support/archives.ts'
import { type RunningServer, startServer, temporaryFolder, until, writeEnv } from './support/server.ts'

/** Older than RETENTION_DAYS on any day on which this test can run. */
const OLD = Date.parse('2026-03-10T00:00:00Z')

let dir: ReturnType<typeof temporaryFolder>
let server: RunningServer | undefined

beforeEach(async () => {
  dir = temporaryFolder()
  const desk = await openDesk(`${dir.path}/security.db`, OLD)
  await addUsers(desk.store, OLD)
  for (let n = 1; n <= 5; n++) await desk.store.create(asked(n, { at: OLD, expires_at: OLD + 1000 }), 10)
  await desk.store.expireDue(OLD + 1000, 10)
  await desk.store.close()
  const tokens = { admin_user: tokenOf('admin_user'), dev_user: tokenOf('dev_user') }
  writeFileSync(`${dir.path}/credentials.json`, JSON.stringify(tokens))
})
afterEach(async () => {
  await server?.kill('SIGKILL')
  dir.remove()
})

async function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [`${ROOT}/bin/approval.js`, ...args], {
    env: { ...server!.env, APPROVAL_URL: server!.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const [code] = await once(child, 'close')
  return { code, out, err }
}

test('the server moves what is old when it is told to, and everybody is told where it went', async () => {
  writeEnv(dir.path, 'RETENTION_DAYS=0\n')
  server = await startServer(dir.path)
  const path = `${dir.path}/security.db`
  const { short_id } = await server.ask()
  expect((await server.call('GET', `/api/approvals/${uuid(1)}`)).json.status).toBe('expired')
  expect(archiveFiles(folderOf(path))).toEqual([])

  writeEnv(dir.path, 'RETENTION_DAYS=31\n')
  server.child.kill('SIGHUP')
  const isMoved = async () => (await server!.call('GET', `/api/approvals/${uuid(1)}`)).status === 404
  await until('what is old is gone', isMoved)
  // The audit waits for the end of the move.
  const { json } = await server.call('GET', '/api/audit/verify')
  expect(json).toMatchObject({ ok: true, requests: 6, archives: { verified: 1, events: 12, missing: [] } })
  expect(archiveFiles(folderOf(path))).toEqual(['2026-03.db'])
  expect(chainOf(path)).toEqual(json.head)
  expect((await server.call('GET', `/api/approvals/${uuid(2)}`)).json.detail).toContain(
    'Requests from before 2026-03-31 15:00:00 UTC are in the archives',
  )
  expect((await server.call('GET', `/api/approvals/${short_id}`)).json.status).toBe('pending')

  expect(await cli('audit', 'verify', '--lang', 'en')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^The record is whole: \d+ events in 1 archive\(s\) and the database\.\n/),
  })
  const file = new Database(`${folderOf(path)}/2026-03.db`, { readonly: true })
  const { hash } = file.prepare('SELECT hash FROM approval_events WHERE seq = 5').get() as { hash: string }
  file.close()
  expect((await cli('audit', 'verify', '--head', `5:${hash}`)).code).toBe(0)
  expect((await cli('audit', 'verify', '--head', `5:${'f'.repeat(64)}`)).code).toBe(2)

  renameSync(`${folderOf(path)}/2026-03.db`, `${dir.path}/elsewhere.db`)
  const missing = await cli('audit', 'verify', '--lang', 'ko')
  expect([missing.code, missing.out]).toEqual([3, expect.stringContaining('2026-03.db: 보관 파일이 없어')])
  expect(missing.out).not.toContain('온전합니다')
  expect(await server.kill('SIGTERM')).toBe(0)
})
