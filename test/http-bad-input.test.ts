import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NO_LIMIT, type RunningServer, request, startServer, temporaryFolder } from './support/server.ts'

const dir = temporaryFolder()
let server: RunningServer

beforeAll(async () => {
  server = await startServer(dir.path, NO_LIMIT)
})
afterAll(async () => {
  await server.kill('SIGTERM')
  dir.remove()
})

const ask = (body: unknown, headers: Record<string, string> = {}) =>
  request(`${server.url}/api/approvals`, 'POST', body, {
    Authorization: `Bearer ${server.tokens.dev_user}`,
    ...headers,
  })
const good = { tool_name: 'execute_python', arguments: { code: 'print(1)' } }
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')

describe('what is not a well-formed request to ask is refused, and creates nothing', () => {
  test.each<[string, unknown, Record<string, string>, number, string]>([
    ['no JSON at all', '{"tool_name":', {}, 400, 'malformed'],
    ['an empty body', '', {}, 400, 'malformed'],
    ['JSON with a comment', '{"tool_name":"x"/**/}', {}, 400, 'malformed'],
    [
      'invalid UTF-8',
      Buffer.from([...Buffer.from('{"tool_name":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
      {},
      400,
      'malformed',
    ],
    ['a UTF-16 body', utf16(JSON.stringify(good)), {}, 400, 'malformed'],
    [
      'a UTF-16 body that says so',
      utf16(JSON.stringify(good)),
      { 'Content-Type': 'application/json; charset=utf-16' },
      415,
      'unsupported_media_type',
    ],
    ['a byte order mark', `\ufeff${JSON.stringify(good)}`, {}, 400, 'malformed'],
    ['another content type', JSON.stringify(good), { 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['a form', 'tool_name=x', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    ['a body of 2 MB', { ...good, arguments: { code: 'x'.repeat(2_000_000) } }, {}, 413, 'too_large'],
    ['arguments that are a list', { ...good, arguments: [1] }, {}, 422, 'invalid'],
    ['arguments that are text', { ...good, arguments: 'x' }, {}, 422, 'invalid'],
    ['arguments that are null', { ...good, arguments: null }, {}, 422, 'invalid'],
    ['no arguments', { tool_name: 'x' }, {}, 422, 'invalid'],
    ['no tool', { arguments: {} }, {}, 422, 'invalid'],
    ['a tool name with a line break', { ...good, tool_name: 'a\nb' }, {}, 422, 'invalid'],
    ['a tool name with a right-to-left mark', { ...good, tool_name: 'a\u202eb' }, {}, 422, 'invalid'],
    ['a tool that would count in no report, as drills', { ...good, server: 'ops-canary' }, {}, 422, 'invalid'],
    ['an unknown member', { ...good, request_id: 'mine' }, {}, 422, 'invalid'],
    ['a body that is a list', [], {}, 422, 'invalid'],
    ['an infinite number', '{"tool_name":"x","arguments":{"n":1e999}}', {}, 422, 'invalid'],
    ['half a surrogate pair', '{"tool_name":"x","arguments":{"s":"\\ud800"}}', {}, 422, 'invalid'],
    [
      'very deep nesting',
      `{"tool_name":"x","arguments":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
      {},
      422,
      'invalid',
    ],
    ['an empty reason', { ...good, reason: '  ' }, {}, 422, 'invalid'],
    ['a deadline of no seconds', { ...good, timeout_seconds: 0 }, {}, 422, 'invalid'],
  ])('%s', async (_what, body, headers, status, code) => {
    const answer = await ask(body, headers)
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(Object.keys(answer.json)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'code']))
    expect(JSON.stringify(answer.json)).not.toMatch(/node_modules|\.ts:|SQLITE|at async/)
    expect((await server.call('GET', '/api/approvals')).json.approvals).toEqual([])
  })

  test('a chunked body is counted while it arrives', async () => {
    const chunk = new Uint8Array(100_000).fill(32)
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        if (sent++ < 20) controller.enqueue(chunk)
        else controller.close()
      },
    })
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${server.tokens.dev_user}` },
    }
    expect((await fetch(`${server.url}/api/approvals`, init as RequestInit)).status).toBe(413)
  })
})

describe('ids', () => {
  test.each([
    '%',
    '_',
    '%25',
    '********',
    '1234567',
    '12345678%',
    'zzzzzzzz',
    '00000000-0000-4000-8000-000000000000',
    '..%2fpending',
  ])('%s is nobody’s request', async (id) => {
    await server.ask()
    expect((await server.call('GET', `/api/approvals/${id}/status`)).status).toBe(404)
    expect((await server.call('POST', `/api/approvals/${id}/approve`, { reason: 'x' })).json.code).toBe('not_found')
  })

  test('a short id is enough while it is unique, in upper case too', async () => {
    const { request_id, short_id } = await server.ask()
    expect((await server.call('GET', `/api/approvals/${short_id.toUpperCase()}`)).json.request_id).toBe(request_id)
  })

  test('a beginning that fits two requests is 409 and decides neither', async () => {
    const ids = ['7e57c0de-0000-4000-8000-000000000001', '7e57c0de-0000-4000-8000-000000000002']
    const db = new Database(`${dir.path}/security.db`)
    const insert =
      db.prepare(`INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, requested_at, expires_at)
      VALUES (?, 'execute_python', 'dev_user', 'developer', '{}', '2026-11-22 09:00:00', '2099-01-01 00:00:00')`)
    for (const id of ids) insert.run(id)
    db.close()
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['GET', '/status', undefined],
      ['POST', '/approve', { reason: 'which one?' }],
      ['POST', '/reject', { reason: 'which one?' }],
    ] as const) {
      const { status, json } = await server.call(method, `/api/approvals/7e57c0de${path}`, body)
      expect([status, json.code]).toEqual([409, 'ambiguous_id'])
    }
    for (const id of ids) expect((await server.call('GET', `/api/approvals/${id}`)).json.status).toBe('pending')
  })
})

describe('reasons', () => {
  test.each([
    ['empty', { reason: '' }],
    ['blank', { reason: ' \n' }],
    ['of 10,000 characters', { reason: 'x'.repeat(10_000) }],
    ['missing', {}],
    ['a number', { reason: 5 }],
  ])('a reason that is %s does not decide', async (_what, body) => {
    const { request_id } = await server.ask()
    const answer = await server.call('POST', `/api/approvals/${request_id}/approve`, body)
    expect([answer.status, answer.json.code]).toEqual([422, 'invalid'])
    expect(answer.json.detail).toContain('reason')
    expect((await server.call('GET', `/api/approvals/${request_id}`)).json.status).toBe('pending')
  })
})

describe('who is calling', () => {
  const get = (headers: Record<string, string>, path = '/api/approvals/pending') =>
    request(`${server.url}${path}`, 'GET', undefined, headers)

  test.each<[string, Record<string, string>, RegExp]>([
    ['nothing', {}, /Bearer/],
    ['X-User-ID alone', { 'X-User-ID': 'admin_user' }, /APPROVAL_TRUST_USER_HEADER/],
    ['a wrong token', { Authorization: 'Bearer apv_0123456789012345678901234567890123456789' }, /unknown/],
    ['a token of another scheme', { Authorization: 'Basic YWRtaW46YWRtaW4=' }, /Bearer/],
    ['an empty token', { Authorization: 'Bearer ' }, /Bearer/],
  ])('%s is refused with the way out', async (_what, headers, way) => {
    const answer = await get(headers)
    expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated'])
    expect(answer.json.detail).toMatch(way)
    expect(answer.headers.get('www-authenticate')).toContain('Bearer')
  })

  test('no route but /health, /metrics and /openapi.json answers without a login', async () => {
    const { json } = await get({}, '/openapi.json')
    expect(json.openapi).toBe('3.1.0')
    for (const [path, methods] of Object.entries(json.paths as Record<string, object>)) {
      if (['/health', '/metrics'].includes(path)) continue
      for (const method of Object.keys(methods)) {
        const answer = await request(
          `${server.url}${path.replace(/\{\w+\}/, '00000000')}`,
          method.toUpperCase(),
          undefined,
        )
        expect([path, answer.status]).toEqual([path, 401])
      }
    }
    expect((await get({}, '/health')).status).toBe(200)
    expect((await get({}, '/metrics')).json).toContain('approval_open_requests')
  })

  test('a disabled user is out at once, and a guest may not ask', async () => {
    const guest = (await server.call('POST', '/api/users', { user_id: 'gus', role: 'guest' })).json.token
    expect((await server.call('POST', '/api/approvals', good, guest)).json.code).toBe('role')
    const amy = (await server.call('POST', '/api/users', { user_id: 'amy', role: 'approver' })).json.token
    expect((await server.call('GET', '/api/approvals/pending', undefined, amy)).status).toBe(200)
    await server.call('POST', '/api/users/amy/disable')
    const out = await server.call('GET', '/api/approvals/pending', undefined, amy)
    expect([out.status, out.json.detail]).toEqual([401, 'amy is disabled'])
  })

  test('a new token replaces the old one', async () => {
    const old = (await server.call('POST', '/api/users', { user_id: 'eve', role: 'approver' })).json.token
    const fresh = (await server.call('POST', '/api/users/eve/token')).json.token
    expect((await server.call('GET', '/api/approvals', undefined, old)).status).toBe(401)
    expect((await server.call('GET', '/api/approvals', undefined, fresh)).status).toBe(200)
  })

  test('only administrators manage users', async () => {
    const eve = (await server.call('POST', '/api/users', { user_id: 'eva', role: 'approver' })).json.token
    for (const [method, path, body] of [
      ['GET', '/api/users', undefined],
      ['POST', '/api/users', { user_id: 'x', role: 'admin' }],
      ['POST', '/api/users/dev_user/disable', undefined],
      ['POST', '/api/users/admin_user/token', undefined],
    ] as const) {
      expect((await server.call(method, path, body, eve)).json.code).toBe('role')
    }
  })

  test('web pages of other origins and other names of this machine are refused', async () => {
    const auth = { Authorization: `Bearer ${server.tokens.admin_user}` }
    expect((await get({ ...auth, Origin: 'https://evil.example' })).json.code).toBe('forbidden_origin')
    // fetch does not let a test set Host; a raw request does.
    const { request: raw } = await import('node:http')
    const status = await new Promise((resolve) => {
      raw(`${server.url}/health`, { headers: { Host: 'evil.example' } }, (r) => resolve(r.statusCode)).end()
    })
    expect(status).toBe(403)
  })

  test('unknown paths answer a problem', async () => {
    const answer = await server.call('GET', '/api/nothing')
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
  })
})
