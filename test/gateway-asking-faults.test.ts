import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Asked } from '../src/gateway/methods.ts'
import type { Raw } from '../src/gateway/raw.ts'
import { createSessions, type SessionDeps } from '../src/gateway/sessions.ts'
import { createTalks } from '../src/gateway/talks.ts'
import type { Upstream } from '../src/gateway/upstream.ts'
import { deafSession, round } from './support/bare-client.ts'
import { type Gateway, startGateway, textOf, writeServers } from './support/gateway.ts'
import { lines, temporaryFolder, until } from './support/server.ts'

const asks = (method: string, params: object = {}) => ({ mode: 'ask', method, params })
const form = { message: 'who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } }

test('what was asked in another call is brought by that one when the call that had it has ended', async () => {
  const talks = createTalks()
  const never = { signal: new AbortController().signal }
  let finish: (result: Raw) => void = () => undefined
  const first = talks.begin('first').run(() => new Promise((resolve) => (finish = resolve)), never)
  let end: (result: Raw) => void = () => undefined
  const second = talks.begin('second').run(() => new Promise((resolve) => (end = resolve)), never)
  const question = talks.ask('elicitation/create', {}, never)
  const { requestState } = await second
  end({ content: [] })
  await new Promise(setImmediate)
  const later = await talks.goOn(String(requestState).slice('talk '.length), 'second', {}, never)
  expect(later).toEqual({ content: [] })
  const { requestState: state, inputRequests } = (await first) as { requestState: string; inputRequests: object }
  const answers = Object.fromEntries(Object.keys(inputRequests).map((id) => [id, { action: 'accept' }]))
  const last = talks.goOn(state.slice('talk '.length), 'first', answers, never)
  expect(await question).toEqual({ action: 'accept' })
  finish({ content: [] })
  expect(await last).toEqual({ content: [] })
})

test('a client that leaves its call answers nothing more: the tool server hears so, and waits for nothing', async () => {
  const talks = createTalks()
  const never = { signal: new AbortController().signal }
  const { passing, run } = talks.begin('call')
  const asked = talks.ask('elicitation/create', {}, never)
  const cancelled = new Promise<Raw>((_, reject) => {
    passing.signal.addEventListener('abort', () => reject(new Error('cancelled')))
  })
  await run(() => cancelled, never)
  talks.close()
  await expect(asked).rejects.toThrow('the client has gone')
})

test('a client that has gone before its round began leaves nothing running', async () => {
  const talks = createTalks()
  const { passing, run } = talks.begin('call')
  const first = run(() => new Promise(() => undefined), { signal: new AbortController().signal })
  void talks.ask('elicitation/create', {}, { signal: new AbortController().signal }).catch(() => undefined)
  const { requestState } = (await first) as { requestState: string }
  void talks.goOn(requestState.slice('talk '.length), 'call', {}, { signal: AbortSignal.abort() })
  expect([passing.signal.aborted, talks.open()]).toEqual([true, 0])
})

test('a client that comes twice at once for one question has its patience counted from when it came last', async () => {
  vi.useFakeTimers()
  try {
    const talks = createTalks()
    const never = { signal: new AbortController().signal }
    const { passing, run } = talks.begin('call')
    const first = run(() => new Promise(() => undefined), never)
    void talks.ask('elicitation/create', {}, never).catch(() => undefined)
    const { requestState } = (await first) as { requestState: string }
    const back = (answers: object) => talks.goOn(requestState.slice('talk '.length), 'call', answers as Raw, never)
    const twice = (await Promise.all([back({}), back({})])) as { inputRequests: object }[]
    const [id] = Object.keys(twice[0]!.inputRequests)
    void back({ [id!]: { action: 'accept' } })
    await vi.advanceTimersByTimeAsync(700_000)
    expect([passing.signal.aborted, talks.open()]).toEqual([false, 1])
  } finally {
    vi.useRealTimers()
  }
})

test('another gets the tool servers of a client that has left, and not of one that waits or has a task', async () => {
  let now = 0
  const closed: string[] = []
  let count = 0
  const open = () => {
    const name = `client ${++count}`
    const answer = ({ params, tasks }: Asked) => {
      if (!params.task) return new Promise(() => undefined)
      return Promise.resolve(tasks!.start(() => new Promise(() => undefined), {}, {} as Upstream))
    }
    return { name, answer, tell: () => undefined, audience: { join: () => undefined } }
  }
  const own = { isFull: () => true, open, close: async ({ name }: { name: string }) => void closed.push(name) }
  const { fetch } = createSessions({
    ...{
      shared: { audience: { join: () => undefined } },
      own,
      clock: () => now,
      version: '1',
      isStill: async () => true,
    },
    ...{ instructions: () => undefined, onError: () => undefined },
  } as unknown as SessionDeps)
  const send = (message: object, id?: string | null) => {
    const accept = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }
    const headers = { ...accept, ...(id && { 'Mcp-Session-Id': id }) }
    const body = { jsonrpc: '2.0', id: 1, ...message }
    const request = new Request('http://127.0.0.1/mcp', { method: 'POST', headers, body: JSON.stringify(body) })
    return fetch(request, { user_id: 'dev', role: 'developer' }, body)
  }
  const begin = async () => {
    const clientInfo = { name: 'bare', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo }
    return (await send({ method: 'initialize', params })).headers.get('mcp-session-id')
  }
  await send({ id: 2, method: 'tools/call', params: { name: 'peek' } }, await begin())
  await (await send({ id: 2, method: 'tools/call', params: { name: 'peek', task: {} } }, await begin())).text()
  await begin()
  now += 59_000
  await begin()
  expect(closed).toEqual([])
  now += 2000
  await begin()
  await begin()
  expect(closed).toEqual(['client 3'])
})

describe('with a real tool server', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let gateway: Gateway
  beforeEach(async () => {
    folder = temporaryFolder()
    gateway = await startGateway(folder.path, { env: { APPROVAL_HOLD: '1' } })
  })
  afterEach(async () => {
    await gateway.kill('SIGTERM')
    folder.remove()
  })

  test('a tool server that dies while its question is open: whoever was approved hears what became of that', async () => {
    const call = { name: 'danger', arguments: { n: 1, ...asks('elicitation/create', form) } }
    const running = round(gateway, call)
    const id = await gateway.decide('approve', 'danger')
    let { result } = await running
    while (!result.inputRequests) result = (await round(gateway, { ...call, requestState: result.requestState })).result
    process.kill(gateway.received().findLast(({ connected }) => connected).connected, 'SIGKILL')
    const [question] = Object.keys(result.inputRequests)
    const back = { requestState: result.requestState, inputResponses: { [question!]: { action: 'decline' } } }
    const told = await round(gateway, { ...call, ...back })
    const short = (await gateway.call('GET', `/api/approvals/${id}`)).json.short_id
    expect(textOf(told.result)).toBe(
      `fake failed in the middle of the call; whether it took effect is not known; the approval ${short} is used. ` +
        'The same call asks anew',
    )
  })

  test('a client is not brought a question that it has not said it can answer: the tool server hears that', async () => {
    const call = { name: 'peek', arguments: asks('sampling/createMessage', { messages: [], maxTokens: 1 }) }
    const { result } = await round(gateway, call, 'dev_user', { elicitation: {} })
    expect(JSON.parse(textOf(result))).toMatchObject({ error: { code: -32601 } })
  })

  test('a client that can be asked is let go with half of its ten rounds left for what the tool asks', async () => {
    const call = { name: 'danger', arguments: { n: 2 } }
    let rounds = 0
    let { result } = await round(gateway, call)
    for (; result.requestState; rounds++) {
      result = (await round(gateway, { ...call, requestState: result.requestState })).result
    }
    expect(textOf(result)).toContain('NOT RUN YET')
    expect(rounds).toBe(5)
    await gateway.decide('reject', 'danger')
  })

  test('what was asked while nothing reached the client reaches it with its next request', async () => {
    const { open } = await deafSession(gateway)
    const params = { name: 'peek', arguments: asks('elicitation/create', form), task: {} }
    const { got, ended } = open({ id: 1, method: 'tools/call', params })
    await ended
    const { taskId } = got.find(({ result }) => result).result.task
    await until('it asks', () => gateway.received().some(({ name }) => name === 'peek'))
    const looks = open({ id: 2, method: 'tasks/result', params: { taskId } })
    await until('it is asked', () => [...got, ...looks.got].some(({ method }) => method === 'elicitation/create'))
  })

  test('of clients that come at once none loses its session to another; who finds no room shares', async () => {
    const clients = await Promise.all(
      Array.from({ length: 17 }, () => gateway.client('dev_user', { capabilities: { elicitation: {} } })),
    )
    for (const client of clients) client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' }))
    // Sixteen programs that start at once may take longer than a call waits for them.
    const peek = (client: Client) => client.callTool({ name: 'peek', arguments: {} }).catch(() => ({}))
    const isUp = async (client: Client) => textOf(await peek(client)).startsWith('peek ran')
    await Promise.all(clients.map((client, n) => until(`client ${n} has its tool server`, () => isUp(client), 200)))
    const call = { name: 'peek', arguments: asks('elicitation/create', form) }
    const said = await Promise.all(clients.map(async (client) => JSON.parse(textOf(await client.callTool(call)))))
    expect(said.filter(({ action }) => action === 'decline')).toHaveLength(16)
    expect(said.filter(({ error }) => error?.code === -32601)).toHaveLength(1)
    await Promise.all(clients.map((client) => client.close()))
  }, 300_000)

  test('/health counts the clients that have a tool server to themselves, and for how many it is down', async () => {
    const seen = async () => (await gateway.call('GET', '/health')).json.gateway.upstreams[0]
    await until('it has started', async () => (await seen()).status === 'up')
    expect(await seen()).toMatchObject({ own: { clients: 0, down: 0 } })
    const client = await gateway.client('dev_user', { capabilities: { elicitation: {} } })
    await client.callTool({ name: 'peek', arguments: {} })
    expect(await seen()).toMatchObject({ own: { clients: 1, down: 0 } })
    await until('it is down for that client alone', async () => {
      void client.callTool({ name: 'peek', arguments: { mode: 'die' } }).catch(() => undefined)
      const { status, own } = await seen()
      return status === 'up' && own.down === 1
    })
    await client.close()
  })

  test('a client that has gone without a word leaves its tool servers to the next, however soon that comes', async () => {
    for (let n = 0; n < 20; n++) {
      const client = await gateway.client('dev_user', { capabilities: { elicitation: {} } })
      client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' }))
      const call = { name: 'peek', arguments: asks('elicitation/create', form) }
      expect(JSON.parse(textOf(await client.callTool(call))), `client ${n}`).toEqual({ action: 'decline' })
      await client.close()
    }
  }, 300_000)

  test('the server stays when its database does not answer just when a client is told something', async () => {
    const client = await gateway.client()
    await client.callTool({ name: 'peek', arguments: {} })
    const db = new Database(join(folder.path, 'security.db'))
    db.exec('ALTER TABLE security_users RENAME TO away')
    writeServers(folder.path, {})
    gateway.child.kill('SIGHUP')
    const log = () => lines(join(folder.path, 'server.log')).filter((line) => line.includes('a client of the gateway'))
    await until('it is on record', () => gateway.child.exitCode !== null || log().length > 0)
    db.exec('ALTER TABLE away RENAME TO security_users')
    db.close()
    expect((await gateway.call('GET', '/api/approvals/pending')).status).toBe(200)
    await client.close()
  })
})
