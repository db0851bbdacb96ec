import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { lockElsewhere } from './support/lock.ts'
import {
  environment,
  NO_LIMIT,
  type RunningServer,
  request,
  startServer,
  TSX,
  temporaryFolder,
  until,
} from './support/server.ts'

const isRoot = process.getuid?.() === 0
let dir: ReturnType<typeof temporaryFolder>
let server: RunningServer | undefined
let mounted: string | undefined

beforeEach(() => {
  dir = temporaryFolder()
  server = undefined
  mounted = undefined
})
afterEach(async () => {
  await server?.kill('SIGKILL')
  if (mounted) execFileSync('umount', [mounted])
  dir.remove()
})

/** A filesystem of its own, so small that it can be filled. */
function smallDisk(options: string): string {
  const path = `${dir.path}/disk`
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
  mounted = path
  return path
}

const ask = (body: object = { code: Math.random() }) =>
  server!.call('POST', '/api/approvals', { tool_name: 'execute_python', arguments: body }, 'dev_user')

async function startFails(where: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', TSX, `${ROOT}/src/server.ts`, '--no-scheduler'], {
    env: environment(where),
  })
  let text = ''
  child.stderr.on('data', (chunk) => (text += chunk))
  const [code] = await once(child, 'close')
  expect(code).toBe(78)
  return text
}

describe('a database that another process locks', () => {
  test('for 3 s: callers wait and are served, and the server answers others meanwhile', async () => {
    server = await startServer(dir.path, NO_LIMIT)
    // It waits for 5 s. On a machine too busy to give the lock back by then, they are asked again.
    for (let round = 1; ; round++) {
      const unlock = await lockElsewhere(`${dir.path}/security.db`)
      const began = performance.now()
      const asked = Promise.all([ask(), ask(), ask()])
      const release = new Promise((resolve) => setTimeout(resolve, 3000)).then(unlock)
      expect((await request(`${server.url}/health`, 'GET', undefined)).json.status).toBe('ok')
      expect((await server.call('GET', '/api/approvals/pending')).status).toBe(200)
      await release
      const isLate = performance.now() - began > 4500 && round < 5
      const statuses = (await asked).map((a) => a.status)
      if (isLate) {
        await ask()
        continue
      }
      expect(statuses).toEqual([201, 201, 201])
      return
    }
  })

  test('for 30 s: writers hear store_unavailable in time, nothing of theirs is stored, then all goes on', async () => {
    server = await startServer(dir.path, NO_LIMIT)
    const unlock = await lockElsewhere(`${dir.path}/security.db`)
    const release = new Promise((resolve) => setTimeout(resolve, 30_000)).then(unlock)
    const answer = await ask()
    expect(answer).toMatchObject({ status: 503, json: { code: 'store_unavailable' } })
    expect(answer.headers.get('retry-after')).toBeTruthy()
    expect(JSON.stringify(answer.json)).not.toContain('SQLITE')
    expect((await request(`${server.url}/health`, 'GET', undefined)).json).toMatchObject({
      status: 'degraded',
      store: { ok: false },
    })
    await release
    expect((await ask()).status).toBe(201)
    await until(
      'it is well again',
      async () => (await request(`${server!.url}/health`, 'GET', undefined)).status === 200,
    )
    expect((await server.call('GET', '/api/approvals/pending')).json.count).toBe(1)
  })
})

describe('a full disk', () => {
  test.skipIf(!isRoot)('refuses the asker, loses nothing, and works again when there is room', async () => {
    const disk = smallDisk('size=1500k')
    server = await startServer(disk, NO_LIMIT)
    const { json: kept } = await ask()
    const full: number[] = []
    for (let n = 0; n < 60 && !full.includes(503); n++) full.push((await ask({ n, code: 'x'.repeat(60_000) })).status)
    expect(full.at(-1)).toBe(503)
    expect((await server.call('GET', `/api/approvals/${kept.request_id}`)).json.status).toBe('pending')
    execFileSync('mount', ['-o', 'remount,size=50m', disk])
    expect((await ask()).status).toBe(201)
    const stored = full.filter((status) => status === 201).length + 2
    expect((await server.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, requests: stored })
  })

  test.skipIf(!isRoot)('at the start is said, and what it left is no obstacle when there is room', async () => {
    const disk = smallDisk('size=16k')
    expect(await startFails(disk)).toMatch(/full|disk|space/i)
    execFileSync('mount', ['-o', 'remount,size=20m', disk])
    server = await startServer(disk, NO_LIMIT)
    expect((await ask()).status).toBe(201)
    expect((await server.call('GET', '/api/audit/verify')).json.ok).toBe(true)
  })
})

describe('a database that is', () => {
  test.skipIf(!isRoot)('read-only: the start says so and changes nothing', async () => {
    const disk = smallDisk('size=20m')
    server = await startServer(disk, NO_LIMIT)
    await server.kill('SIGTERM')
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const before = readFileSync(`${disk}/security.db`)
    expect(await startFails(disk)).toMatch(/read-?only/i)
    expect(readFileSync(`${disk}/security.db`).equals(before)).toBe(true)
  })

  test('missing at the first start: it is made, with users and tokens that only the owner can read', async () => {
    server = await startServer(dir.path, NO_LIMIT)
    const { mode } = statSync(`${dir.path}/credentials.json`)
    expect(mode & 0o777).toBe(0o600)
    expect(Object.keys(JSON.parse(readFileSync(`${dir.path}/credentials.json`, 'utf8')))).toEqual([
      'admin_user',
      'dev_user',
    ])
    const bytes =
      readFileSync(`${dir.path}/security.db`).toString('latin1') +
      readFileSync(`${dir.path}/security.db-wal`).toString('latin1')
    expect(bytes).not.toContain(server.tokens.admin_user)
  })

  test.each([
    ['missing', (path: string) => rmSync(path)],
    ['emptied', (path: string) => truncateSync(path)],
  ])('%s later: a new one is made, and the operator is told', async (_what, lose) => {
    server = await startServer(dir.path, NO_LIMIT)
    await server.kill('SIGTERM')
    lose(`${dir.path}/security.db`)
    server = await startServer(dir.path, { OPS_LANG: 'en' })
    expect(server.output()).toContain('was missing or empty')
    expect((await ask()).status).toBe(201)
  })

  test('damaged: the start says so and leaves it as it is', async () => {
    server = await startServer(dir.path, NO_LIMIT)
    await server.kill('SIGTERM')
    const path = `${dir.path}/security.db`
    const bytes = readFileSync(path)
    bytes.fill(0x58, 0, 4096)
    writeFileSync(path, bytes)
    expect(await startFails(dir.path)).toMatch(/not a database|damaged|malformed/)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('deleted under the running server: no caller is told that a write was kept', async () => {
    server = await startServer(dir.path, NO_LIMIT)
    rmSync(`${dir.path}/security.db`)
    expect((await ask()).json.code).toBe('store_unavailable')
  })
})

describe('a database of the old system', () => {
  const OLD = `
    CREATE TABLE security_roles (role_id INTEGER PRIMARY KEY AUTOINCREMENT, role_name TEXT NOT NULL UNIQUE, description TEXT,
      created_at TEXT DEFAULT (datetime('now')), is_system_role INTEGER DEFAULT 0);
    CREATE TABLE security_users (user_id TEXT PRIMARY KEY, username TEXT NOT NULL, role_id INTEGER REFERENCES security_roles(role_id) ON DELETE SET NULL,
      created_at TEXT DEFAULT (datetime('now')), updated_at TEXT DEFAULT (datetime('now')), is_active INTEGER DEFAULT 1);
    CREATE TABLE approval_requests (request_id TEXT PRIMARY KEY, tool_name TEXT NOT NULL, user_id TEXT NOT NULL, role TEXT NOT NULL, request_data TEXT,
      status TEXT DEFAULT 'pending', requested_at TEXT DEFAULT (datetime('now')), responded_at TEXT, responder_id TEXT, response_reason TEXT,
      expires_at TEXT NOT NULL, FOREIGN KEY(user_id) REFERENCES security_users(user_id));
    CREATE INDEX idx_status ON approval_requests(status, expires_at);
    CREATE VIEW pending_approvals AS SELECT * FROM approval_requests WHERE status='pending' AND datetime('now') < expires_at;
    CREATE TABLE security_audit_logs (log_id INTEGER PRIMARY KEY, user_id TEXT, action TEXT);
    INSERT INTO security_roles (role_name) VALUES ('guest'), ('developer'), ('admin');
    INSERT INTO security_users (user_id, username, role_id, is_active) VALUES ('guest_user','g',1,1), ('dev_user','d',2,1), ('admin_user','a',3,0);
    INSERT INTO approval_requests VALUES
      ('11111111-0000-4000-8000-000000000000','execute_python','dev_user','developer','{"code":"1"}','approved','2025-10-24 09:00:00','2025-10-24 09:00:10','admin_user','ok','2025-10-24 09:05:00'),
      ('22222222-0000-4000-8000-000000000000','execute_bash','dev_user','developer','{"cmd":"ls"}','timeout','2025-10-24 09:10:00','2025-10-24 09:15:00','system','Request timed out','2025-10-24 09:15:00'),
      ('33333333-0000-4000-8000-000000000000','write_file','dev_user','developer',NULL,'pending','2025-10-24 09:20:00',NULL,NULL,NULL,'2025-10-24 09:25:00'),
      ('44444444-0000-4000-8000-000000000000','write_file','dev_user','developer','{}','pending','2025-10-24 09:20:00',NULL,NULL,NULL,'2099-01-01 00:00:00');`

  test('is adopted in place after a verified backup; its rows, users and foreign tables stay', async () => {
    const path = `${dir.path}/security.db`
    const old = new Database(path)
    old.exec(OLD)
    old.close()
    // A start that was killed left these.
    mkdirSync(`${dir.path}/backups`)
    for (const end of ['part', 'part-journal']) {
      writeFileSync(`${dir.path}/backups/security-before-adoption-20261122T090000Z.db.${end}`, 'half')
    }
    server = await startServer(dir.path, NO_LIMIT)
    const [backup] = readdirSync(`${dir.path}/backups`)
    expect(server.output()).toContain(backup)
    const copy = new Database(`${dir.path}/backups/${backup}`, { readonly: true })
    expect(copy.prepare('SELECT count(*) FROM approval_requests').pluck().get()).toBe(4)
    expect(copy.prepare("SELECT count(*) FROM pragma_table_info('approval_requests')").pluck().get()).toBe(11)
    copy.close()

    // admin_user was disabled there, and stays so: an approver of ours is needed.
    const credentials = JSON.parse(readFileSync(`${dir.path}/credentials.json`, 'utf8'))
    expect(Object.keys(credentials)).toEqual(['dev_user'])
    const mine = await server.call('GET', '/api/approvals', undefined, 'dev_user')
    expect(mine.json.approvals.map((r: { short_id: string; status: string }) => [r.short_id, r.status])).toEqual([
      ['44444444', 'pending'],
      ['33333333', 'expired'],
      ['22222222', 'expired'],
      ['11111111', 'approved'],
    ])
    expect((await ask()).status).toBe(201)
    await server.kill('SIGTERM')
    server = await startServer(dir.path, NO_LIMIT)
    expect(readdirSync(`${dir.path}/backups`)).toHaveLength(1)
  })

  test('is on record as adopted when the first thing that somebody wants of it is a new token', async () => {
    const old = new Database(`${dir.path}/security.db`)
    old.exec(OLD)
    old.close()
    execFileSync(process.execPath, ['--import', TSX, `${ROOT}/src/server.ts`, '--new-token', 'admin_user'], {
      env: environment(dir.path),
    })
    server = await startServer(dir.path, NO_LIMIT)
    expect((await server.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, problems: [] })
  })

  test('that is damaged is not adopted and not changed', async () => {
    const path = `${dir.path}/security.db`
    const old = new Database(path)
    old.exec(OLD)
    old.pragma('synchronous = OFF')
    const insert = old.prepare("INSERT INTO security_audit_logs (user_id, action) VALUES (?, 'x')")
    for (let n = 0; n < 5000; n++) insert.run(`user ${n}`.padEnd(100))
    old.close()
    const bytes = readFileSync(path)
    bytes.fill(0x58, bytes.length - 60_000, bytes.length - 20_000)
    writeFileSync(path, bytes)
    expect(await startFails(dir.path)).toMatch(/damaged|malformed/)
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(
      existsSync(`${dir.path}/backups`) ? readdirSync(`${dir.path}/backups`).filter((f) => f.endsWith('.db')) : [],
    ).toEqual([])
  })
})

test('a server whose log folder is gone still serves', async () => {
  mkdirSync(`${dir.path}/logs`)
  server = await startServer(dir.path, { LOG_PATH: `${dir.path}/logs/server.log` })
  renameSync(`${dir.path}/logs`, `${dir.path}/moved`)
  server.child.kill('SIGHUP')
  await until('it answers', async () => (await ask()).status === 201)
})
