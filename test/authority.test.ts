import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get, request as rawRequest } from 'node:http'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { sqlTime } from '../src/sql.ts'
import { NO_LIMIT, type RunningServer, request, startServer, TSX, temporaryFolder, until } from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let server: RunningServer
const started: RunningServer[] = []

beforeEach(() => {
  dir = temporaryFolder()
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((s) => s.kill('SIGKILL')))
  dir.remove()
})

const start = async (more: Record<string, string> = {}) => {
  server = await startServer(dir.path, { ...NO_LIMIT, ...more })
  started.push(server)
}
/** One server for all tests of a group that leave it as it was. */
function sharedServer(): void {
  const folder = temporaryFolder()
  let shared: RunningServer
  beforeAll(async () => {
    shared = await startServer(folder.path, NO_LIMIT)
  })
  beforeEach(() => {
    server = shared
  })
  afterAll(async () => {
    await shared?.kill('SIGKILL')
    folder.remove()
  })
}
const addUser = async (user_id: string, role: string): Promise<string> =>
  (await server.call('POST', '/api/users', { user_id, role })).json.token
const inDatabase = (sql: string) => {
  const db = new Database(`${dir.path}/security.db`)
  db.exec(sql)
  db.close()
}

describe('a user who is disabled', () => {
  test('in the middle of sending a decision does not decide', async () => {
    await start()
    const token = await addUser('amy', 'approver')
    const { request_id } = await server.ask()
    const body = '{"reason":"slowly"}'
    const headers = {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': body.length,
    }
    const slow = rawRequest(`${server.url}/api/approvals/${request_id}/approve`, { method: 'POST', headers })
    const answered = once(slow, 'response')
    slow.write(body.slice(0, 5))
    await new Promise((resolve) => setTimeout(resolve, 300))
    await server.call('POST', '/api/users/amy/disable')
    slow.end(body.slice(5))
    const [answer] = await answered
    expect(answer.statusCode).toBe(401)
    expect((await server.call('GET', `/api/approvals/${request_id}`)).json.status).toBe('pending')
  })

  test('reads no further in an open stream, and a held answer is not given', async () => {
    await start()
    const token = await addUser('amy', 'approver')
    const { request_id } = await server.ask()
    const stream = await fetch(`${server.url}/api/events`, { headers: { Authorization: `Bearer ${token}` } })
    const held = server.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, token)
    await until('both wait', async () => /callers 2/.test((await server.call('GET', '/metrics')).json))
    await server.call('POST', '/api/users/amy/disable')
    const text = await stream.text()
    expect(text).not.toContain('secret')
    await server.call('POST', `/api/approvals/${request_id}/reject`, { reason: 'secret' })
    expect((await held).status).toBe(401)
  })
})

test('a user who is disabled stays so when the server starts again, and the record stays', async () => {
  await start()
  const { dev_user } = server.tokens
  await server.call('POST', '/api/users/dev_user/disable')
  const { events } = (await server.call('GET', '/api/audit/verify')).json
  await server.kill('SIGTERM')
  await start()
  expect((await server.call('GET', '/api/approvals', undefined, dev_user)).status).toBe(401)
  const after = (await server.call('GET', '/api/audit/verify')).json
  expect([after.ok, after.events > events]).toEqual([true, true])
})

describe('without RBAC', () => {
  test('nobody but an administrator hands out tokens: whoever could, could answer their own request', async () => {
    await start({ RBAC_ENABLED: 'false' })
    const { request_id } = await server.ask()
    expect(
      (await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'me' }, 'dev_user')).json.code,
    ).toBe('self_approval')
    for (const [path, body] of [
      ['/api/users/admin_user/token', undefined],
      ['/api/users', { user_id: 'puppet', role: 'admin' }],
      ['/api/users/admin_user/disable', undefined],
    ] as const) {
      expect((await server.call('POST', path, body, 'dev_user')).json.code).toBe('role')
    }
  })
})

describe('what was written into the table behind the desk', () => {
  test.each([
    [
      'an approval',
      (id: string) =>
        `UPDATE approval_requests SET status = 'approved', responder_id = 'admin_user', responded_at = '${sqlTime(Date.now())}' WHERE request_id = '${id}'`,
    ],
    [
      'a new owner of an approved request',
      (id: string) => `UPDATE approval_requests SET user_id = 'admin_user' WHERE request_id = '${id}'`,
    ],
    [
      'a later time of the answer',
      (id: string) =>
        `UPDATE approval_requests SET responded_at = '2099-01-01 00:00:00.000' WHERE request_id = '${id}'`,
    ],
    [
      'a time of the answer that is none',
      (id: string) => `UPDATE approval_requests SET responded_at = 'never' WHERE request_id = '${id}'`,
    ],
  ])('%s runs nothing', async (what, sql) => {
    await start()
    const { request_id, digest } = await server.ask()
    if (what !== 'an approval') await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'ok' })
    inDatabase(sql(request_id))
    for (const user of ['dev_user', 'admin_user']) {
      expect(
        (await server.call('POST', `/api/approvals/${request_id}/consume`, { digest }, user)).status,
      ).toBeGreaterThanOrEqual(400)
    }
    expect((await server.call('GET', '/api/audit/verify')).json.ok).toBe(false)
  })

  test('a used approval that was reset is not used again', async () => {
    await start()
    const { request_id, digest } = await server.ask()
    await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'ok' })
    const use = () => server.call('POST', `/api/approvals/${request_id}/consume`, { digest }, 'dev_user')
    expect((await use()).status).toBe(200)
    inDatabase('UPDATE approval_requests SET consumed_at = NULL')
    expect((await use()).status).toBeGreaterThanOrEqual(400)
  })
})

describe('what JSON.parse would change without a word', () => {
  sharedServer()

  test.each([
    ['an integer beyond 2^53', '{"account":9007199254740993}'],
    ['digits that a double cannot hold', '{"x":0.1000000000000000055511151231257827}'],
    ['a key that stands twice', '{"a":1,"b":{"c":1,"c":2}}'],
    ['a key that stands twice in two spellings', '{"a":1,"\\u0061":2}'],
  ])('%s is refused', async (_what, args) => {
    const answer = await server.call('POST', '/api/approvals', `{"tool_name":"t","arguments":${args}}`, 'dev_user')
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid'])
  })

  test('numbers that stay what they are may be written in any way', async () => {
    const args = '{"a":[1.0,1e3,4.50,-0,0.1,9007199254740992,1e21,"1,2:{\\"a\\":1}",{"a":1}],"b":{"a":2}}'
    expect(
      (await server.call('POST', '/api/approvals', `{"tool_name":"t","arguments":${args}}`, 'dev_user')).status,
    ).toBe(201)
  })
})

describe('nobody can freeze the server', () => {
  test('a guest who replays a long record, and an audit of it, let others through between their pages', async () => {
    await start()
    const token = await addUser('gus', 'guest')
    await server.kill('SIGTERM')
    const db = new Database(`${dir.path}/security.db`)
    const { seq } = db.prepare('SELECT max(seq) AS seq FROM approval_events').get() as { seq: number }
    const insert = db.prepare(
      "INSERT INTO approval_events VALUES (?, '2026-11-22 00:00:00.000', 'config_reloaded', NULL, 'server', '{}', '', '')",
    )
    db.transaction(() => {
      for (let n = 1; n <= 60_000; n++) insert.run(seq + n)
    })()
    db.close()
    await start()
    const stream = await fetch(`${server.url}/api/events`, {
      headers: { Authorization: `Bearer ${token}`, 'Last-Event-ID': '0' },
    })
    let verified = false
    const audit = server.call('GET', '/api/audit/verify').then(() => {
      verified = true
    })
    let between = 0
    while (!verified) {
      await request(`${server.url}/health`, 'GET', undefined)
      between++
    }
    // One answer before, one after: anything more came through in the middle.
    expect(between).toBeGreaterThan(5)
    await audit
    await stream.body?.cancel()
  })
})

describe('the health of a server that cannot write', () => {
  test('is not ok: its database was moved away', async () => {
    await start()
    const { renameSync } = await import('node:fs')
    renameSync(`${dir.path}/security.db`, `${dir.path}/moved.db`)
    const health = await request(`${server.url}/health`, 'GET', undefined)
    expect([health.status, health.json.status, health.json.store.ok]).toEqual([503, 'degraded', false])
  })
})

describe('adopted rows', () => {
  test('with the old system’s times are listed page by page, each once', async () => {
    await start()
    const row = (n: number, at: string) =>
      `INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at) VALUES ('0000000${n}-0000-4000-8000-000000000000', 't', 'dev_user', 'developer', 'approved', '${at}', '${at}');`
    inDatabase([1, 2, 3, 4, 5].map((n) => row(n, n === 5 ? 'unknown' : '2025-10-24 09:00:00')).join(''))
    const seen: string[] = []
    let cursor = ''
    for (let page = 0; page < 9; page++) {
      const { json } = await server.call('GET', `/api/approvals?limit=2${cursor && `&cursor=${cursor}`}`)
      seen.push(...json.approvals.map((r: { short_id: string }) => r.short_id))
      cursor = json.next_cursor
      if (!cursor) break
    }
    expect(seen.sort()).toEqual(['00000001', '00000002', '00000003', '00000004', '00000005'])
  })

  test('with a deadline that is none are expired, cost nothing, and deciding them is refused', async () => {
    await start()
    inDatabase(
      "INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at) VALUES ('00000001-0000-4000-8000-000000000000', 't', 'dev_user', 'developer', 'pending', '2026-11-22T09:00:00', 'never')",
    )
    const answer = await server.call('POST', '/api/approvals/00000001/approve', { reason: 'x' })
    expect([answer.status, answer.json.code]).toEqual([410, 'expired'])
    expect((await server.call('GET', '/api/approvals/00000001?wait=5')).json.status).toBe('expired')
  })
})

describe('tokens', () => {
  test('two first starts at once leave credentials that both servers accept', async () => {
    const [one, two] = await Promise.all([startServer(dir.path), startServer(dir.path)])
    started.push(one, two)
    const { readFileSync } = await import('node:fs')
    const tokens = JSON.parse(readFileSync(`${dir.path}/credentials.json`, 'utf8'))
    for (const each of [one, two]) {
      for (const token of Object.values<string>(tokens)) {
        expect((await each.call('GET', '/api/approvals/pending', undefined, token)).status).toBe(200)
      }
    }
  })

  test('the last administrator cannot be shut out, and a lost token is replaced on the server’s machine', async () => {
    await start()
    expect((await server.call('POST', '/api/users/admin_user/disable')).json.code).toBe('last_admin')
    const main = `${ROOT}/src/server.ts`
    const run = (user: string) =>
      execFileSync(process.execPath, ['--import', TSX, main, '--new-token', user], {
        env: server.env,
        encoding: 'utf8',
        stdio: 'pipe',
      })
    expect(run('admin_user')).toContain('credentials.json')
    expect((await server.call('GET', '/api/approvals')).status).toBe(401)
    const { readFileSync } = await import('node:fs')
    const { admin_user } = JSON.parse(readFileSync(`${dir.path}/credentials.json`, 'utf8'))
    expect((await server.call('GET', '/api/approvals', undefined, admin_user)).status).toBe(200)
    expect((await server.call('GET', '/api/audit/verify', undefined, admin_user)).json.ok).toBe(true)
    expect(() => run('nobody')).toThrow(expect.objectContaining({ status: 78 }))
  })
})

describe('HTTP at its edges', () => {
  sharedServer()

  test('another method is 405 and says which are allowed', async () => {
    const answer = await server.call('PUT', '/api/approvals')
    expect([answer.status, answer.json.code, answer.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'GET, POST',
    ])
    expect((await server.call('DELETE', '/api/approvals/00000000')).headers.get('allow')).toBe('GET')
  })

  test('what is no HTTP is a problem too', async () => {
    const { connect } = await import('node:net')
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end('GARBAGE\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json/)
  })

  test('a caller that hangs up in the middle is no error of the server', async () => {
    const headers = {
      Authorization: `Bearer ${server.tokens.dev_user}`,
      'Content-Type': 'application/json',
      'Content-Length': 1000,
    }
    const cut = rawRequest(`${server.url}/api/approvals`, { method: 'POST', headers })
    cut.on('error', () => undefined)
    cut.write('{"tool_name":')
    await new Promise((resolve) => setTimeout(resolve, 200))
    cut.destroy()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(`${server.dir}/server.log`, 'utf8')).not.toContain('"level":50')
  })

  test('a caller that was silent for a while finds its connection still there', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async () => {
      const [answer] = await once(get(`${server.url}/health`, { agent }), 'response')
      const { localPort } = answer.socket
      await once(answer.resume(), 'end')
      return localPort
    }
    const first = await ask()
    await new Promise((resolve) => setTimeout(resolve, 7000))
    expect(await ask()).toBe(first)
    agent.destroy()
  })

  test('the published description accepts what the server accepts', async () => {
    const { json } = await request(`${server.url}/openapi.json`, 'GET', undefined)
    const { pattern } = json.components.schemas.Ask.properties.tool_name
    expect(new RegExp(pattern, 'u').test('execute_python')).toBe(true)
    const refs = [...JSON.stringify(json).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)]
    for (const [, kind, name] of refs) expect(json.components[kind!]).toHaveProperty(name!)
    expect(Object.keys(json.paths)).toEqual(expect.arrayContaining(['/health', '/metrics', '/api/events']))
  })
})

test('one approval releases one caller: of two that joined, one may run', async () => {
  await start()
  const cli = () => {
    const args = [`${ROOT}/bin/approval.js`, 'request', 'execute_python', '--args', '{"twice":1}']
    const child = spawn(process.execPath, args, { env: { ...server.env, APPROVAL_URL: server.url }, stdio: 'ignore' })
    return once(child, 'exit').then(([code]) => code as number)
  }
  const codes = [cli(), cli()]
  await until('both wait', async () => /callers 2/.test((await server.call('GET', '/metrics')).json))
  const { short_id } = (await server.call('GET', '/api/approvals/pending')).json.pending_approvals[0]
  await server.call('POST', `/api/approvals/${short_id}/approve`, { reason: 'once' })
  expect((await Promise.all(codes)).sort()).toEqual([0, 2])
})
