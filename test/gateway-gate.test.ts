import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, POLICY, startGateway, TOOLS, textOf, writePolicy } from './support/gateway.ts'
import { request, temporaryFolder, until } from './support/server.ts'

/** Arguments nobody used before, so that no test meets the request of another. */
let last = 0
const fresh = () => ({ n: ++last })

describe('no way to a tool but the gate', () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await startGateway(dir)
    for (const user_id of ['other', 'watcher']) {
      const role = user_id === 'other' ? 'developer' : 'guest'
      const { token } = (await gateway.call('POST', '/api/users', { user_id, role })).json
      Object.assign(gateway.tokens, { [user_id]: token })
    }
    await until('the upstream is up', async () => (await gateway.tool('peek', {})).status === 200)
  })
  afterAll(async () => {
    await gateway.kill('SIGTERM')
    remove()
  })
  const count = () => gateway.received().length

  test('LOW and MEDIUM run at once, with what was sent', async () => {
    const args = fresh()
    const answer = await gateway.tool('peek', { ...args, text: '안녕 🙂', nothing: null })
    expect(answer.status).toBe(200)
    expect(answer.json.vendor).toEqual({ kept: [1, 2, { deep: null }] })
    expect(gateway.received().at(-1)).toEqual({ name: 'peek', arguments: { ...args, text: '안녕 🙂', nothing: null } })
    expect((await gateway.tool('look', { arguments: args })).status).toBe(200)
    expect(gateway.received().at(-1)).toEqual({ name: 'look', arguments: args })
  })

  test('CRITICAL and unnamed wait, and run once when approved, and never before', async () => {
    for (const name of ['danger', 'unnamed']) {
      const [args, before] = [fresh(), count()]
      const waiting = await gateway.tool(name, args)
      expect(waiting).toMatchObject({
        status: 202,
        json: { status: 'pending', approval_required: true, server: 'fake' },
      })
      const running = gateway.tool(name, args, 'wait=30')
      const id = await gateway.decide('approve', name)
      const ran = await running
      expect(ran.status).toBe(200)
      expect(ran.headers.get('x-approval-request-id')).toBe(id)
      expect(gateway.received().slice(before)).toEqual([{ name, arguments: args }])
      expect((await gateway.call('GET', `/api/approvals/${id}`)).json.consumed_at).not.toBeNull()
    }
  })

  test('rejected: the caller hears who and why, and nothing runs', async () => {
    const [args, before] = [fresh(), count()]
    const running = gateway.tool('danger', args, 'wait=30')
    const id = await gateway.decide('reject', 'danger')
    const answer = await running
    expect(answer.status).toBe(403)
    expect(answer.json).toMatchObject({ code: 'approval_required', approval_required: true, request_id: id })
    expect(answer.json).toMatchObject({ approval_status: 'rejected', responder_id: 'admin_user', reason: 'reject it' })
    expect(count()).toBe(before)
  })

  test('approved after the caller was let go: the identical call runs at once, exactly once', async () => {
    const [args, before] = [fresh(), count()]
    await gateway.tool('danger', args)
    await gateway.decide('approve', 'danger')
    expect((await gateway.tool('danger', args)).status).toBe(200)
    expect(gateway.received().slice(before)).toEqual([{ name: 'danger', arguments: args }])
    expect((await gateway.tool('danger', args)).status).toBe(202)
    expect(count()).toBe(before + 1)
    await gateway.decide('reject', 'danger')
  })

  test('rejected after the caller was let go: it hears that once, and only then asks anew', async () => {
    const args = fresh()
    await gateway.tool('danger', args, 'wait=0.01')
    const id = await gateway.decide('reject', 'danger')
    expect(await gateway.tool('danger', args)).toMatchObject({ status: 403, json: { request_id: id } })
    const anew = await gateway.tool('danger', args)
    expect(anew.status).toBe(202)
    expect(anew.json.request_id).not.toBe(id)
    await gateway.decide('reject', 'danger')
  })

  test('100 callers of the identical call: one prompt, one run, and the others learn why not', async () => {
    const [args, before] = [fresh(), count()]
    const callers = Array.from({ length: 100 }, () => gateway.tool('danger', args, 'wait=30'))
    await until('all of them wait', async () => (await gateway.callers()) === 100)
    expect(await gateway.waiting()).toHaveLength(1)
    await gateway.decide('approve', 'danger')
    const answers = await Promise.all(callers)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status, json }) => status === 410 && json.code === 'consumed')).toHaveLength(99)
    expect(count()).toBe(before + 1)
    expect(await gateway.waiting()).toEqual([])
  })

  test('what is held slows nothing: un-gated calls are answered while 30 wait', async () => {
    const held = Array.from({ length: 30 }, () => gateway.tool('danger', fresh(), 'wait=30'))
    await until('they wait', async () => (await gateway.waiting()).length === 30)
    for (let n = 0; n < 20; n++) expect((await gateway.tool('peek', fresh())).status).toBe(200)
    const ids = (await gateway.waiting()).map(({ request_id }) => request_id)
    await gateway.call('POST', '/api/approvals/batch', { action: 'reject', ids, reason: 'enough' })
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(403)
  })

  test('an approved reference is good for its own call, user and one run alone', async () => {
    const [args, before] = [fresh(), count()]
    const { request_id } = (await gateway.tool('danger', args)).json
    await gateway.decide('approve', 'danger')
    const by = `wait=0&request_id=${request_id}`
    expect((await gateway.tool('danger', fresh(), by)).json.code).toBe('digest_mismatch')
    expect((await gateway.tool('unnamed', args, by)).json.code).toBe('digest_mismatch')
    expect((await gateway.tool('danger', args, by, 'other')).status).toBe(404)
    expect((await gateway.tool('danger', args, by, 'admin_user')).json.code).toBe('role')
    expect(count()).toBe(before)
    expect((await gateway.tool('danger', args, by)).status).toBe(200)
    expect((await gateway.tool('danger', args, by)).json.code).toBe('consumed')
    expect(count()).toBe(before + 1)
    expect(await gateway.waiting()).toEqual([])
  })

  test('another user with the identical call needs an approval of their own', async () => {
    const [args, before] = [fresh(), count()]
    await gateway.tool('danger', args)
    await gateway.decide('approve', 'danger')
    expect((await gateway.tool('danger', args, 'wait=0', 'other')).status).toBe(202)
    expect(count()).toBe(before)
    expect((await gateway.tool('danger', args)).status).toBe(200)
    await gateway.decide('reject', 'danger')
  })

  test('an approval given for the tool of no server is not good for the one behind the gateway', async () => {
    const [args, before] = [fresh(), count()]
    const asked = await gateway.call('POST', '/api/approvals', { tool_name: 'danger', arguments: args }, 'dev_user')
    await gateway.decide('approve', 'danger')
    expect((await gateway.tool('danger', args, `wait=0&request_id=${asked.json.request_id}`)).status).toBe(409)
    expect((await gateway.tool('danger', args)).status).toBe(202)
    expect(count()).toBe(before)
    await gateway.decide('reject', 'danger')
  })

  test('no other spelling of a name is a way in', async () => {
    const before = count()
    const client = await gateway.client()
    for (const name of [
      'Danger',
      'DANGER',
      'danger ',
      ' danger',
      'danger\u0000',
      'dаnger',
      'ｄanger',
      'fake__danger',
      'fake/danger',
      'fake.danger',
      '../danger',
      'peek/../danger',
      'dan%67er',
      '',
    ]) {
      await expect(client.callTool({ name, arguments: fresh() }), name).rejects.toThrow(/no tool is named/)
      expect((await gateway.tool(name, fresh())).status, name).not.toBe(200)
    }
    await client.close()
    expect(count()).toBe(before)
  })

  test('nor are other methods, a missing token, a guest, a body that is not exactly JSON', async () => {
    const before = count()
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']) {
      const answer = await gateway.call(method, '/tools/danger/call', undefined, 'dev_user')
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
    expect((await gateway.tool('danger', fresh(), 'wait=0', 'wrong-token-wrong-token')).status).toBe(401)
    expect((await gateway.tool('danger', fresh(), 'wait=0', 'watcher')).json.code).toBe('role')
    expect((await gateway.tool('peek', fresh(), 'wait=0', 'watcher')).status).toBe(200)
    for (const [body, status] of [
      ['{"n":1,"n":2}', 422],
      ['{"n":12345678901234567890}', 422],
      ['{"n":1', 400],
      ['[1]', 422],
      ['"danger"', 422],
      [Buffer.from([0x7b, 0xff, 0x7d]), 400],
    ] as const) {
      expect((await gateway.tool('danger', body)).status).toBe(status)
    }
    const plain = { Authorization: `Bearer ${gateway.tokens.dev_user}`, 'Content-Type': 'text/plain' }
    expect((await request(`${gateway.url}/tools/danger/call`, 'POST', '{"n":1}', plain)).status).toBe(415)
    expect(count()).toBe(before + 1)
    expect(await gateway.waiting()).toEqual([])
  })

  test('nor are other paths to the same, or a page that another site made', async () => {
    const before = count()
    for (const path of ['danger/call/', 'danger%2Fcall', 'peek%2F..%2Fdanger/call', 'dan%2567er/call', '%ff/call']) {
      expect((await gateway.call('POST', `/tools/${path}`, fresh(), 'dev_user')).status, path).toBe(404)
    }
    expect((await gateway.call('POST', '/mcp/', {}, 'dev_user')).status).toBe(404)
    const bearer = { Authorization: `Bearer ${gateway.tokens.dev_user}` }
    for (const path of ['/tools/peek/call', '/mcp']) {
      const page = await request(gateway.url + path, 'POST', fresh(), { ...bearer, Origin: 'http://evil.example' })
      expect(page.json.code).toBe('forbidden_origin')
    }
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toEqual([])
  })

  test('a key named __proto__ is shown, digested and run like any other', async () => {
    const { n } = fresh()
    const [plain, odd] = [`{"n":${n}}`, `{"n":${n},"__proto__":{"n":0}}`]
    const { request_id } = (await gateway.tool('danger', plain)).json
    await gateway.decide('approve', 'danger')
    expect((await gateway.tool('danger', odd, `wait=0&request_id=${request_id}`)).json.code).toBe('digest_mismatch')
    expect((await gateway.tool('danger', plain)).status).toBe(200)
    const running = gateway.tool('danger', odd, 'wait=30')
    const id = await gateway.decide('approve', 'danger')
    expect((await running).status).toBe(200)
    const { request_data } = (await gateway.call('GET', `/api/approvals/${id}`)).json
    expect(JSON.stringify(gateway.received().at(-1).arguments)).toContain('"__proto__":{"n":0}')
    expect(request_data).toContain('"__proto__":{"n":0}')
  })

  test('who is disabled while the call is held runs nothing, whatever is decided', async () => {
    const before = count()
    const { token } = (await gateway.call('POST', '/api/users', { user_id: 'leaver', role: 'developer' })).json
    const running = gateway.tool('danger', fresh(), 'wait=30', token)
    await until('it waits', async () => (await gateway.waiting()).length === 1)
    expect((await gateway.call('POST', '/api/users/leaver/disable', {})).status).toBe(200)
    await gateway.decide('approve', 'danger')
    expect((await running).status).toBe(401)
    expect(count()).toBe(before)
  })

  test('arguments that the tool would refuse are refused before anybody is asked', async () => {
    const before = count()
    for (const args of [{}, { n: 'one' }, { arguments: { n: 'one' } }]) {
      expect(await gateway.tool('danger', args)).toMatchObject({ status: 422, json: { code: 'invalid' } })
    }
    const client = await gateway.client()
    const result = await client.callTool({ name: 'danger', arguments: { n: 'one' } })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toContain('must be number')
    await client.close()
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toEqual([])
  })

  test('of what comes beside the arguments a tool that needed approval gets nothing', async () => {
    const client = await gateway.client()
    const args = fresh()
    const extra = { smuggled: true, _meta: { smuggled: true, progressToken: 7 } }
    const any = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const
    const params = { name: 'danger', arguments: args, ...extra }
    const running = client.request({ method: 'tools/call', params }, any)
    await gateway.decide('approve', 'danger')
    await running
    const { _meta, ...rest } = gateway.received().at(-1)
    expect(rest).toEqual({ name: 'danger', arguments: args })
    expect(Object.keys(_meta ?? {})).toEqual(['progressToken'])
    await client.request({ method: 'tools/call', params: { ...params, name: 'peek', arguments: {} } }, any)
    expect(gateway.received().at(-1)).toMatchObject({ name: 'peek', smuggled: true, _meta: { smuggled: true } })
    await client.close()
  })

  test('a batch is as many calls, each before the gate', async () => {
    const before = count()
    const headers = (more = {}) => ({
      Authorization: `Bearer ${gateway.tokens.dev_user}`,
      Accept: 'application/json, text/event-stream',
      ...more,
    })
    const clientInfo = { name: 'raw', version: '1' }
    const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo }
    const begin = { jsonrpc: '2.0', id: 0, method: 'initialize', params }
    const begun = await request(`${gateway.url}/mcp`, 'POST', begin, headers())
    const session = headers({ 'Mcp-Session-Id': begun.headers.get('mcp-session-id')! })
    const one = (id: number, name: string) => {
      return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { n: 500_000 + id } } }
    }
    const batch = request(`${gateway.url}/mcp`, 'POST', [one(1, 'peek'), one(2, 'danger'), one(3, 'danger')], session)
    await until('both wait', async () => (await gateway.waiting()).length === 2)
    await until('the third runs', () => count() > before)
    expect(gateway.received().slice(before)).toEqual([{ name: 'peek', arguments: { n: 500_001 } }])
    await gateway.decide('reject', 'danger')
    await gateway.decide('reject', 'danger')
    expect((await batch).json).toContain('NOT RUN')
    expect(count()).toBe(before + 1)

    const stolen = { ...session, Authorization: `Bearer ${gateway.tokens.admin_user}` }
    expect((await request(`${gateway.url}/mcp`, 'POST', one(4, 'peek'), stolen)).status).toBe(404)
    expect((await request(`${gateway.url}/mcp`, 'POST', one(4, 'peek'), headers())).status).toBe(400)
    expect((await request(`${gateway.url}/mcp`, 'PUT', one(4, 'peek'), session)).status).toBe(405)
    expect((await request(`${gateway.url}/mcp`, 'DELETE', undefined, session)).status).toBe(200)
    expect((await request(`${gateway.url}/mcp`, 'POST', one(4, 'peek'), session)).status).toBe(404)
    expect(count()).toBe(before + 1)
  })

  test('a caller who hangs up, or cancels, runs nothing, and uses nothing', async () => {
    const [args, before] = [fresh(), count()]
    const gone = new AbortController()
    const plain = gateway.tool('danger', args, 'wait=30', 'dev_user', gone.signal).catch(() => 'gone')
    const client = await gateway.client()
    const cancelled = new AbortController()
    const held = client.callTool({ name: 'danger', arguments: args }, { signal: cancelled.signal }).catch(() => 'gone')
    const leaving = await gateway.client()
    const left = leaving.callTool({ name: 'danger', arguments: args }).catch(() => 'gone')
    await until('all three wait', async () => (await gateway.callers()) === 3)
    expect(await gateway.waiting()).toHaveLength(1)
    gone.abort()
    cancelled.abort()
    await leaving.close()
    expect(await Promise.all([plain, held, left])).toEqual(['gone', 'gone', 'gone'])
    await until('nobody waits', async () => (await gateway.callers()) === 0)
    const id = await gateway.decide('approve', 'danger')
    await gateway.tool('peek', fresh())
    expect(count()).toBe(before + 1)
    expect((await gateway.call('GET', `/api/approvals/${id}`)).json.consumed_at).toBeNull()
    await client.close()
    // It is there for whoever makes the call, once.
    expect((await gateway.tool('danger', args)).status).toBe(200)
  })

  test('a call that is cancelled while it runs is cancelled at the tool', async () => {
    const client = await gateway.client()
    const cancelled = new AbortController()
    const args = { ...fresh(), mode: 'hang' }
    const running = client.callTool({ name: 'peek', arguments: args }, { signal: cancelled.signal }).catch(() => 'gone')
    await until('it runs', () => gateway.received().at(-1)?.arguments?.n === args.n)
    cancelled.abort()
    expect(await running).toBe('gone')
    await until('the tool hears', () => gateway.received().some((line) => 'cancelled' in line))
    await client.close()
  })

  test('a policy that got stricter counts from the next call on, and one that is broken changes nothing', async () => {
    const before = count()
    writePolicy(dir, { ...POLICY, peek: 'HIGH' })
    gateway.child.kill('SIGHUP')
    await until('peek waits', async () => (await gateway.tool('peek', { n: 900_000 })).status === 202)
    await gateway.decide('reject', 'peek')
    writePolicy(dir, { ...POLICY, peek: 'NONE' })
    gateway.child.kill('SIGHUP')
    await until('it is said', async () => (await gateway.call('GET', '/health')).json.policy.error !== null)
    expect((await gateway.tool('peek', { n: 900_001 })).status).toBe(202)
    await gateway.decide('reject', 'peek')
    const runs = gateway.received().slice(before)
    expect(runs.every((run) => run.arguments.n === 900_000)).toBe(true)
    writePolicy(dir, POLICY)
    gateway.child.kill('SIGHUP')
    // Not by calls: each that comes before the reload would leave a request behind.
    await until('it is read', async () => (await gateway.call('GET', '/health')).json.policy.error === null)
    expect((await gateway.tool('peek', fresh())).status).toBe(200)
    expect(await gateway.waiting()).toEqual([])
  })

  test('a tool that is renamed between list and call is another tool', async () => {
    const client = await gateway.client()
    await client.listTools()
    const before = count()
    gateway.offer([{ ...TOOLS[0], name: 'harmless' }, TOOLS[1]!])
    await client.callTool({ name: 'peek', arguments: { mode: 'announce' } })
    await expect
      .poll(async () => (await client.listTools()).tools.map(({ name }) => name), { timeout: 20_000 })
      .toEqual(['harmless', 'peek'])
    await expect(client.callTool({ name: 'danger', arguments: fresh() })).rejects.toThrow(/no tool is named/)
    expect((await gateway.tool('harmless', fresh())).status).toBe(202)
    expect(count()).toBe(before + 1)
    await gateway.decide('reject', 'harmless')
    gateway.offer(TOOLS)
    await client.listTools()
    await client.close()
  })

  test('after a restart a request is still waited for, and its approval is used once', async () => {
    const [first, second] = [fresh(), fresh()]
    await gateway.tool('danger', first)
    await gateway.decide('approve', 'danger')
    await gateway.tool('danger', second)
    await gateway.kill('SIGTERM')
    const before = count()
    gateway = await startGateway(dir)
    expect((await gateway.tool('danger', first)).status).toBe(200)
    expect((await gateway.tool('danger', first)).status).toBe(202)
    expect(gateway.received().slice(before)).toEqual([{ name: 'danger', arguments: first }])
    const running = gateway.tool('danger', second, 'wait=30')
    expect(await gateway.waiting()).toHaveLength(2)
    const ids = (await gateway.waiting()).map(({ request_id }) => request_id)
    await gateway.call('POST', '/api/approvals/batch', { action: 'approve', ids, reason: 'both' })
    expect((await running).status).toBe(200)
    expect(count()).toBe(before + 2)
  })
})

describe('with the gate off', () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway: Gateway
  afterAll(async () => {
    await gateway.kill('SIGTERM')
    remove()
  })

  test('every call runs, and each is on record as bypassed', async () => {
    gateway = await startGateway(dir, { env: { APPROVAL_WORKFLOW_ENABLED: 'FALSE' } })
    expect((await gateway.tool('danger', { n: 1 })).status).toBe(200)
    expect(gateway.received()).toEqual([{ name: 'danger', arguments: { n: 1 } }])
    const report = (await gateway.call('GET', '/api/audit/verify')).json
    expect(report.ok).toBe(true)
    const events = await fetch(`${gateway.url}/api/events`, {
      headers: { Authorization: `Bearer ${gateway.tokens.admin_user}`, 'Last-Event-ID': '0' },
    })
    let text = ''
    for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes('event: bypassed')) break
    }
    expect(text).toMatch(/"type":"bypassed".*"tool":"danger"/)
  })
})
