import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { sqlTime } from '../src/sql.ts'
import {
  environment,
  lines,
  NO_LIMIT,
  type RunningServer,
  request,
  startServer,
  TSX,
  temporaryFolder,
  until,
  writeEnv,
} from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let servers: RunningServer[]

beforeEach(() => {
  dir = temporaryFolder()
  servers = []
})
afterEach(async () => {
  await Promise.all(servers.map((server) => server.kill('SIGKILL')))
  dir.remove()
})

async function start(more: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startServer(dir.path, { ...NO_LIMIT, ...more })
  servers.push(server)
  return server
}

const health = async (server: RunningServer) => (await request(`${server.url}/health`, 'GET', undefined)).json
const eventTypes = (path = dir.path): string[] => {
  const db = new Database(`${path}/security.db`, { readonly: true })
  const types = db.prepare('SELECT type FROM approval_events ORDER BY seq').pluck().all() as string[]
  db.close()
  return types
}

describe('a decision', () => {
  test('releases the waiting caller, who learns who decided and why', async () => {
    const server = await start()
    const { request_id } = await server.ask()
    const waiting = server.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user')
    const decided = await server.call('POST', `/api/approvals/${request_id}/approve`, {
      reason: 'Approved by operations team',
    })
    expect(decided).toMatchObject({ status: 200, json: { status: 'approved', request_id, responder_id: 'admin_user' } })
    expect((await waiting).json).toMatchObject({ status: 'approved', response_reason: 'Approved by operations team' })
  })

  test('written by another process is noticed by those who wait, and cannot be used', async () => {
    const server = await start()
    const { request_id, digest } = await server.ask()
    const waiting = server.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user')
    await until('the caller waits', async () =>
      /approval_waiting_callers 1/.test((await server.call('GET', '/metrics')).json),
    )
    const other = new Database(`${dir.path}/security.db`)
    other
      .prepare("UPDATE approval_requests SET status = 'approved', responded_at = ?, responder_id = 'cli_admin'")
      .run(sqlTime(Date.now()))
    other.close()
    expect((await waiting).json).toMatchObject({ status: 'approved', responder_id: 'cli_admin' })
    const used = await server.call('POST', `/api/approvals/${request_id}/consume`, { digest }, 'dev_user')
    expect([used.status, used.json.code]).toEqual([409, 'decision_unverified'])
    expect((await server.call('GET', '/api/audit/verify')).json.ok).toBe(false)
  })

  test('in the last polling interval before the deadline is what the caller is told', async () => {
    const server = await start({ APPROVAL_POLLING_INTERVAL: '60', APPROVAL_TIMEOUT: '3' })
    for (let round = 0; round < 3; round++) {
      const { request_id, expires_at } = await server.ask()
      const waiting = server.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user')
      await new Promise((resolve) => setTimeout(resolve, Date.parse(expires_at) - Date.now() - 150))
      const decided = await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'just in time' })
      const told = (await waiting).json.status
      expect(told).toBe(decided.status === 200 ? 'approved' : 'expired')
      expect((await server.call('GET', `/api/approvals/${request_id}`)).json.status).toBe(told)
    }
  })

  test('after the requester has gone approves nothing into execution: it stays unused and expires', async () => {
    const server = await start({ APPROVAL_EXECUTION_TTL: '1' })
    const { request_id, digest } = await server.ask()
    const gone = new AbortController()
    const waiting = server
      .call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user', gone.signal)
      .catch(() => 'gone')
    await until('the caller waits', async () =>
      /approval_waiting_callers 1/.test((await server.call('GET', '/metrics')).json),
    )
    gone.abort()
    expect(await waiting).toBe('gone')
    await until('the server noticed', async () =>
      /approval_waiting_callers 0/.test((await server.call('GET', '/metrics')).json),
    )
    expect((await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'late' })).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect((await server.call('POST', `/api/approvals/${request_id}/consume`, { digest }, 'dev_user')).json.code).toBe(
      'expired',
    )
    expect((await server.call('GET', `/api/approvals/${request_id}`)).json.consumed_at).toBeNull()
  })
})

describe('approve and reject racing from many processes', () => {
  const RACER = `
    const [url, token, ids, action] = process.argv.slice(1)
    const answers = await Promise.all(ids.split(',').map(async (id) => {
      const r = await fetch(url + '/api/approvals/' + id + '/' + action, { method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + token }, body: JSON.stringify({ reason: action }) })
      return [id, r.status, await r.json()]
    }))
    console.log(JSON.stringify(answers))
  `
  test('on 20 requests: exactly one 200 each, every other caller is told who was first', async () => {
    // Two servers on one database make the race one between writers, too.
    const server = await start()
    const second = await startServer(dir.path)
    servers.push(second)
    const ids: string[] = []
    for (let n = 0; n < 20; n++) ids.push((await server.ask()).request_id)
    const race = async (n: number) => {
      const action = n % 2 ? 'approve' : 'reject'
      const url = n % 4 < 2 ? server.url : second.url
      const args = ['--input-type=module', '-e', RACER, url, server.tokens.admin_user, ids.join(), action]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      child.stdout.on('data', (chunk) => (text += chunk))
      await once(child, 'close')
      return JSON.parse(text) as [
        string,
        number,
        { status: string; code?: string; decided_by?: string; decision?: string },
      ][]
    }
    const answers = (await Promise.all(Array.from({ length: 6 }, (_, n) => race(n)))).flat()
    for (const id of ids) {
      const mine = answers.filter(([answered]) => answered === id)
      const won = mine.filter(([, status]) => status === 200)
      expect(won).toHaveLength(1)
      for (const [, status, body] of mine.filter((answer) => answer !== won[0])) {
        expect(status).toBe(409)
        expect(body).toMatchObject({ code: 'already_decided', decided_by: 'admin_user', decision: won[0]![2].status })
      }
    }
    expect((await server.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, requests: 20 })
  })
})

describe('the queue', () => {
  test('200 callers at once with room for 50: exactly 50 wait, the others hear queue_full and when to come back', async () => {
    const server = await start()
    const body = (n: number) => ({ tool_name: 'write_file', arguments: { n } })
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => server.call('POST', '/api/approvals', body(n), 'dev_user')),
    )
    expect(answers.filter((a) => a.status === 201)).toHaveLength(50)
    const refused = answers.filter((a) => a.status !== 201)
    expect(refused.every((a) => a.status === 429 && a.json.code === 'queue_full' && a.headers.get('retry-after'))).toBe(
      true,
    )
    const { json } = await server.call('GET', '/api/approvals/pending?limit=10')
    expect([json.count, json.pending_approvals.length]).toEqual([50, 10])
    const again = await server.call(
      'POST',
      '/api/approvals',
      body(answers.findIndex((a) => a.status === 201)),
      'dev_user',
    )
    expect(again.status).toBe(200)
  })
})

describe('kill -9 with 20 callers waiting', () => {
  test('after the restart all 20 are decidable, callers resume, nothing is lost, the chain is whole', async () => {
    const first = await start()
    const asked = await Promise.all(Array.from({ length: 20 }, () => first.ask()))
    const dropped = asked.map(({ request_id }) =>
      first.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user').catch(() => 'dropped'),
    )
    await until('all wait', async () => /approval_waiting_callers 20/.test((await first.call('GET', '/metrics')).json))
    await first.kill('SIGKILL')
    expect(new Set(await Promise.all(dropped))).toEqual(new Set(['dropped']))

    const second = await start()
    expect((await second.call('GET', '/api/approvals/pending')).json.count).toBe(20)
    const resumed = asked.map(({ request_id }) =>
      second.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user'),
    )
    const ids = asked.map((r) => r.request_id)
    const batch = await second.call('POST', '/api/approvals/batch', {
      action: 'approve',
      ids,
      reason: 'after the crash',
    })
    expect([batch.status, batch.json.count]).toEqual([200, 20])
    expect((await Promise.all(resumed)).every((a) => a.json.status === 'approved')).toBe(true)
    const { digest, request_id } = asked[0]!
    expect((await second.call('POST', `/api/approvals/${request_id}/consume`, { digest }, 'dev_user')).status).toBe(200)
    expect((await second.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, requests: 20 })
  })

  test('killed while it writes: what was answered is there, what is there is whole', async () => {
    const first = await start({ APPROVAL_MAX_PENDING: '100000' })
    const answered: string[] = []
    const flood = Array.from({ length: 20 }, async () => {
      for (;;) answered.push((await first.ask()).request_id)
    }).map((p) => p.catch(() => undefined))
    await until('some are answered', () => answered.length > 300)
    await first.kill('SIGKILL')
    await Promise.all(flood)
    const second = await start({ APPROVAL_MAX_PENDING: '100000' })
    const db = new Database(`${dir.path}/security.db`, { readonly: true })
    const stored = new Set(db.prepare('SELECT request_id FROM approval_requests').pluck().all())
    db.close()
    expect(answered.filter((id) => !stored.has(id))).toEqual([])
    expect((await second.call('GET', '/api/audit/verify')).json.ok).toBe(true)
  })
})

describe('stopping', () => {
  test('SIGTERM lets waiting callers go with a clear answer, ends event streams and exits 0', async () => {
    const server = await start()
    const { request_id } = await server.ask()
    const waiting = server.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user')
    const stream = await fetch(`${server.url}/api/events`, {
      headers: { Authorization: `Bearer ${server.tokens.admin_user}` },
    })
    await until('the caller waits, and the stream', async () =>
      /approval_waiting_callers 2/.test((await server.call('GET', '/metrics')).json),
    )
    const code = server.kill('SIGTERM')
    expect(await waiting).toMatchObject({ status: 503, json: { code: 'shutting_down' } })
    await stream.text()
    expect(await code).toBe(0)
    expect(eventTypes().at(-1)).toBe('server_stopped')
    const again = await start()
    expect((await again.call('GET', `/api/approvals/${request_id}`)).json.status).toBe('pending')
  })
})

describe('events', () => {
  test('arrive as they happen, and a reader that comes back has missed nothing', async () => {
    const server = await start()
    const read = async (lastEventId: string, wanted: number) => {
      const headers = { Authorization: `Bearer ${server.tokens.admin_user}`, 'Last-Event-ID': lastEventId }
      const response = await fetch(`${server.url}/api/events`, { headers })
      let text = ''
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk
        if ([...text.matchAll(/^event: /gm)].length >= wanted && text.endsWith('\n\n')) break
      }
      return [...text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1])
    }
    const before = eventTypes().length
    const live = read(String(before), 2)
    const { request_id } = await server.ask()
    await server.call('POST', `/api/approvals/${request_id}/reject`, { reason: 'no' })
    expect(await live).toEqual(['created', 'rejected'])
    expect(await read(String(before), 2)).toEqual(['created', 'rejected'])
  })
})

describe('the gate', () => {
  test('off by configuration: calls pass, /health says so, each is an event', async () => {
    writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=false\n')
    const server = await start()
    expect(server.output()).toMatch(/게이트가 꺼져|gate is off/)
    expect((await server.ask()) as unknown).toEqual({ status: 'bypassed', level: 'CRITICAL' })
    expect((await health(server)).gate).toEqual({ configured: false, effective: false, disabled_until: null })
    expect(eventTypes()).toEqual(expect.arrayContaining(['gate_off', 'bypassed']))
  })

  test('turned off while somebody waits: the call is still decided, and what nobody decides still expires', async () => {
    const server = await start()
    const { request_id } = await server.ask()
    const soon = { tool_name: 'execute_python', arguments: { code: 'soon' }, timeout_seconds: 5 }
    const ignored = (await server.call('POST', '/api/approvals', soon, 'dev_user')).json.request_id
    const waiting = server.call('GET', `/api/approvals/${request_id}?wait=50`, undefined, 'dev_user')
    writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=false\n')
    server.child.kill('SIGHUP')
    await until('the gate is off', async () => !(await health(server)).gate.effective)
    expect((await server.call('POST', `/api/approvals/${request_id}/reject`, { reason: 'no' })).status).toBe(200)
    expect((await waiting).json.status).toBe('rejected')
    const stored = () => {
      const db = new Database(`${dir.path}/security.db`, { readonly: true })
      const status = db.prepare('SELECT status FROM approval_requests WHERE request_id = ?').pluck().get(ignored)
      db.close()
      return status
    }
    await until('it is expired in the table, too', () => stored() === 'expired')
  })

  test('off by a lease: re-arms by itself, and the record says when', async () => {
    // Time enough for a start, whatever that takes on this machine.
    const began = Date.now()
    await (await start()).kill('SIGTERM')
    const until_ = new Date(Date.now() + 5000 + 3 * (Date.now() - began)).toISOString()
    writeEnv(dir.path, `APPROVAL_DISABLED_UNTIL=${until_}\n`)
    const server = await start()
    expect((await health(server)).gate).toEqual({ configured: true, effective: false, disabled_until: until_ })
    await until('the gate is on again', async () => (await health(server)).gate.effective, 100)
    expect((await server.ask()).request_id).toMatch(/^[0-9a-f-]{36}$/)
    await until('it is recorded', () => eventTypes().includes('gate_on'))
  }, 300_000)

  test('SIGHUP takes a changed .env over, and keeps the old one when the new one is broken', async () => {
    writeEnv(dir.path, 'APPROVAL_MAX_PENDING=1\n')
    const server = await start()
    await server.ask()
    expect((await server.ask()) as unknown).toMatchObject({ code: 'queue_full' })
    writeEnv(dir.path, 'APPROVAL_MAX_PENDING=2\n')
    server.child.kill('SIGHUP')
    await until('2 are allowed', async () => (await health(server)).max_pending === 2)
    expect((await server.ask()).request_id).toBeDefined()
    writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=fasle\nAPPROVAL_MAX_PENDING=9\n')
    server.child.kill('SIGHUP')
    await until('the error is said', async () => /fasle/.test((await health(server)).config.error ?? ''))
    expect(await health(server)).toMatchObject({ max_pending: 2, gate: { effective: true } })
    writeEnv(dir.path, 'APPROVAL_MAX_PENDING=3\nOPS_TIMEZONE=UTC\n')
    server.child.kill('SIGHUP')
    await until('a restart is asked for', async () => /OPS_TIMEZONE/.test((await health(server)).config.error ?? ''))
    expect((await health(server)).max_pending).toBe(3)
  })

  test('a policy that cannot be read keeps the old one in force', async () => {
    const { writeFileSync } = await import('node:fs')
    const path = `${dir.path}/policy.json`
    writeFileSync(path, '{"tools":{"list_files":"LOW"}}')
    const server = await start({ POLICY_PATH: path })
    writeFileSync(path, '{"tools":{"execute_python":"LOW"')
    server.child.kill('SIGHUP')
    await until('the error is said', async () => (await health(server)).policy.error !== null)
    expect((await server.ask()).request_id).toBeDefined()
  })
})

describe('the lines of the runbook', () => {
  const approve = (server: RunningServer, id: string, headers: Record<string, string>) =>
    request(`${server.url}/api/approvals/${id}/approve`, 'POST', { reason: 'Approved by operations team' }, headers)

  test('work with a bearer token, and without one are refused with the way out', async () => {
    const server = await start()
    const { request_id } = await server.ask()
    expect((await approve(server, request_id, { 'X-User-ID': 'admin_user' })).status).toBe(401)
    const bearer = { Authorization: `Bearer ${server.tokens.admin_user}` }
    expect((await approve(server, request_id, bearer)).json.status).toBe('approved')
  })

  test('work exactly as the runbook has them with APPROVAL_TRUST_USER_HEADER=true', async () => {
    const server = await start({ APPROVAL_TRUST_USER_HEADER: 'true' })
    const { request_id } = await server.ask()
    expect((await approve(server, request_id, { 'X-User-ID': 'admin_user' })).json.status).toBe('approved')
    expect((await health(server)).trust_user_header).toBe(true)
    const own = await server.ask()
    expect((await approve(server, own.request_id, { 'X-User-ID': 'dev_user' })).json.code).toBe('role')
  })
})

describe('a start that cannot succeed says why, changes nothing and exits 78', () => {
  async function failing(more: Record<string, string>): Promise<string> {
    const child = spawn(process.execPath, ['--import', TSX, `${ROOT}/src/server.ts`, '--no-scheduler'], {
      env: environment(dir.path, more),
      cwd: '/',
    })
    let text = ''
    child.stderr.on('data', (chunk) => (text += chunk))
    const [code] = await once(child, 'close')
    expect([code, text]).toEqual([78, expect.stringMatching(/\S/)])
    return text
  }

  test('port in use', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const { port } = blocker.address() as { port: number }
    expect(await failing({ PORT: String(port), OPS_LANG: 'en' })).toContain(`port ${port} is taken`)
    expect(await failing({ PORT: String(port) })).toMatch(
      new RegExp(`${port}번 포트는 다른 프로그램이 쓰고 있습니다.*\\. npm run daily-check\n$`),
    )
    blocker.close()
  })

  test('the last line says in the language of the team why, and what to type', async () => {
    writeEnv(dir.path, 'OPS_LANG=ko\nAPPROVAL_TIMEOUT=soon\n')
    const file = `${dir.path}/.env`
    expect(await failing({})).toMatch(new RegExp(`\n설정이 잘못되었습니다.*\\. vi ${file}\n$`))
    expect(await failing({ OPS_LANG: 'en' })).toMatch(new RegExp(`\nThe configuration is wrong.*\\. vi ${file}\n$`))
    writeEnv(dir.path, '')
    const none = { POLICY_PATH: `${dir.path}/none.json` }
    expect(await failing(none)).toMatch(/서버를 시작하지 못했습니다: .*none\.json.*\. npm run daily-check\n$/)
    expect(await failing({ ...none, OPS_LANG: 'en' })).toMatch(/The server did not start: .*\. npm run daily-check\n$/)
  })

  test('every wrong line of .env at once, with its number', async () => {
    writeEnv(
      dir.path,
      'APPROVAL_TIMEOUT=soon\nnonsense\nRBAC_ENABLED=yes\nOPS_TIMEZONE=Asia/Soul\nOPS_LANG="ko\nX=${HOME}\n',
    )
    const text = await failing({})
    for (const n of [1, 2, 3, 4, 5, 6]) expect(text).toContain(`.env:${n}: `)
  })

  test('an .env that cannot be read', async () => {
    const text = await failing({ APPROVAL_ENV_FILE: dir.path, OPS_LANG: 'en' })
    expect(text).toMatch(new RegExp(`^${dir.path}: EISDIR.*\nThe configuration is wrong \\(1 problem above\\)\\. `))
  })

  test('reaching beyond this machine without permission', async () => {
    expect(await failing({ HOST: '0.0.0.0' })).toContain('APPROVAL_ALLOW_REMOTE')
    expect(
      await failing({ HOST: '0.0.0.0', APPROVAL_ALLOW_REMOTE: 'true', APPROVAL_TRUST_USER_HEADER: 'true' }),
    ).toContain('TRUST_USER_HEADER')
  })

  test('a policy that is missing or broken', async () => {
    expect(await failing({ POLICY_PATH: `${dir.path}/none.json` })).toContain('none.json')
  })

  test.each([
    [
      'is not a database',
      (path: string, fs: typeof import('node:fs')) => fs.writeFileSync(path, 'hello '.repeat(1000)),
    ],
    ['is a folder', (path: string, fs: typeof import('node:fs')) => fs.mkdirSync(path)],
  ])('a database file that %s', async (_what, make) => {
    const fs = await import('node:fs')
    make(`${dir.path}/security.db`, fs)
    const before = fs.statSync(`${dir.path}/security.db`).size
    await failing({})
    expect(fs.statSync(`${dir.path}/security.db`).size).toBe(before)
  })

  test('an unknown option is 64', async () => {
    const child = spawn(process.execPath, ['--import', TSX, `${ROOT}/src/server.ts`, '--nope'], {
      env: environment(dir.path),
    })
    expect((await once(child, 'exit'))[0]).toBe(64)
  })
})

test('nothing of what happened reaches the log as an unforeseen failure', async () => {
  const server = await start()
  await server.call('GET', '/api/approvals/zz')
  await server.ask()
  await server.kill('SIGTERM')
  expect(
    lines(`${dir.path}/server.log`)
      .map((line) => JSON.parse(line))
      .filter((entry) => entry.level >= 50),
  ).toEqual([])
})
