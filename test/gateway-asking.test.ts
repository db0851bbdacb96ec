import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTalks } from '../src/gateway/talks.ts'
import { CAPABILITIES, round } from './support/bare-client.ts'
import { PROGRAM } from './support/cli.ts'
import {
  fake,
  type Gateway,
  POLICY,
  startGateway,
  TOOLS,
  textOf,
  writePolicy,
  writeServers,
} from './support/gateway.ts'
import { temporaryFolder, until } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

const running = (pid: number) => existsSync(`/proc/${pid}`)
/** The processes of the tool server that were started for a client that can be asked. */
const own = (): { connected: number; capabilities: object }[] =>
  gateway.received().filter(({ connected }) => connected !== undefined)

async function overStdio(client: Client, name: string): Promise<Client> {
  const env = { ...gateway.env, PORT: new URL(gateway.url).port } as Record<string, string>
  const args = [PROGRAM, 'gateway', '--as', 'dev_user']
  prepare(client, name)
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }))
  return client
}

const DOORS = {
  HTTP: (name: string) =>
    gateway.client('dev_user', { capabilities: CAPABILITIES }).then((client) => prepare(client, name)),
  stdio: (name: string) => overStdio(new Client({ name, version: '1' }, { capabilities: CAPABILITIES }), name),
}

/** A client that says who it is in everything it answers. */
function prepare(client: Client, name: string): Client {
  client.setRequestHandler('sampling/createMessage', async ({ params }, context) => {
    const progressToken = params._meta?.progressToken
    if (progressToken !== undefined) {
      await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    }
    return { model: name, role: 'assistant', content: { type: 'text', text: params.systemPrompt ?? '' } }
  })
  client.setRequestHandler('elicitation/create', async ({ params }, context) => {
    if (params.message !== 'wait') return { action: 'accept', content: { name } }
    writeFileSync(join(dir, 'fake.tools.withdraw'), '')
    await new Promise((resolve) => context.mcpReq.signal.addEventListener('abort', resolve))
    withdrawn.push(name)
    return { action: 'cancel' }
  })
  client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: `file:///${name}` }] }))
  return client
}
const withdrawn: string[] = []

const asks = (method: string, params: object = {}, more: object = {}) => ({
  name: 'peek',
  arguments: { mode: 'ask', method, params, ...more },
})
const sample = { messages: [], maxTokens: 5, systemPrompt: 'be brief', _meta: { progressToken: 'its own' } }
const form = { message: 'who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } }

describe.each(Object.keys(DOORS) as (keyof typeof DOORS)[])('a client that can be asked, over %s', (door) => {
  test('is asked by the tool server for a sample, an answer and its roots, and nobody else is', async () => {
    const [one, other] = await Promise.all([DOORS[door]('one'), DOORS[door]('other')])
    const answers = async (client: Client, call: ReturnType<typeof asks>) =>
      JSON.parse(textOf(await client.callTool(call)))
    for (let round = 0; round < 3; round++) {
      const [mine, its] = await Promise.all(
        [one, other].map((client) => answers(client, asks('elicitation/create', form))),
      )
      expect(mine).toEqual({ action: 'accept', content: { name: 'one' } })
      expect(its).toEqual({ action: 'accept', content: { name: 'other' } })
    }
    expect(await answers(one, asks('sampling/createMessage', sample))).toMatchObject({
      ...{ model: 'one', content: { type: 'text', text: 'be brief' } },
    })
    expect(gateway.received().findLast(({ method }) => method === 'notifications/progress')).toMatchObject({
      params: { progressToken: 'its own', progress: 1 },
    })
    expect(await answers(other, asks('roots/list'))).toEqual({ roots: [{ uri: 'file:///other' }] })
    expect(own().at(-1)!.capabilities).toEqual(CAPABILITIES)
    await Promise.all([one.close(), other.close()])
  })

  test('says that its roots are others now, and the tool server hears it', async () => {
    const client = await DOORS[door]('roots')
    await client.callTool({ name: 'peek', arguments: {} })
    const heard = () => gateway.received().filter(({ method }) => method === 'notifications/roots/list_changed').length
    const before = heard()
    await client.sendRootsListChanged()
    await until('it is heard', () => heard() > before)
    expect(heard()).toBe(before + 1)
    await client.close()
  })

  test('learns that a question is withdrawn', async () => {
    const client = await DOORS[door]('late')
    withdrawn.length = 0
    const result = await client.callTool(asks('elicitation/create', { ...form, message: 'wait' }, { withdraw: true }))
    expect(textOf(result)).toBe('withdrawn')
    await until('it is told', () => withdrawn.includes('late'))
    await client.close()
  })

  test('has tool servers of its own behind the same gate, which end when it leaves', async () => {
    const before = own().length
    const client = await DOORS[door]('gated')
    await client.callTool({ name: 'peek', arguments: {} })
    const { connected: pid } = own()[before]!
    expect(running(pid)).toBe(true)
    const call = { name: 'danger', arguments: { n: before } }
    expect(textOf(await client.callTool(call))).toContain('NOT RUN YET')
    await gateway.decide('approve', 'danger')
    expect(textOf(await client.callTool(call))).toBe('danger ran')
    expect(textOf(await client.callTool(call))).toContain('NOT RUN YET')
    expect(
      gateway.received().filter(({ name, arguments: args }) => name === 'danger' && args.n === before),
    ).toHaveLength(1)
    await gateway.decide('reject', 'danger')
    if (door === 'HTTP') await (client.transport as { terminateSession?(): Promise<void> }).terminateSession!()
    await client.close()
    await until('they have ended', () => !running(pid))
  })
})

describe('a client without a session, which brings the answers to what is asked', () => {
  const options = { capabilities: CAPABILITIES, versionNegotiation: { mode: 'auto' } } as const
  const connect = async (name: string, as: 'dev_user' | 'admin_user' = 'dev_user') => {
    const client = prepare(await gateway.client(as, options), name)
    expect(client.getProtocolEra()).toBe('modern')
    return client
  }
  const answers = async (client: Client, call: object) =>
    JSON.parse(textOf(await client.callTool(call as ReturnType<typeof asks>)))

  test('is asked over stdio, too', async () => {
    const client = await overStdio(new Client({ name: 'stdio', version: '1' }, options), 'stdio')
    expect(client.getProtocolEra()).toBe('modern')
    expect(await answers(client, asks('elicitation/create', form))).toMatchObject({ content: { name: 'stdio' } })
    await client.close()
  })

  const post = (params: object, as?: 'dev_user' | 'admin_user', capabilities?: object) =>
    round(gateway, params, as, capabilities)

  test('is asked for an answer, a sample and its roots, and another user is not', async () => {
    const [one, other] = await Promise.all([connect('one'), connect('other', 'admin_user')])
    for (let round = 0; round < 3; round++) {
      const [mine, its] = await Promise.all(
        [one, other].map((client) => answers(client, asks('elicitation/create', form))),
      )
      expect(mine).toEqual({ action: 'accept', content: { name: 'one' } })
      expect(its).toEqual({ action: 'accept', content: { name: 'other' } })
    }
    const { _meta: _, ...plain } = sample
    expect(await answers(one, asks('sampling/createMessage', plain))).toMatchObject({ model: 'one' })
    expect(await answers(other, asks('roots/list'))).toEqual({ roots: [{ uri: 'file:///other' }] })
    await Promise.all([one.close(), other.close()])
  })

  test('is asked in a call that was approved, which runs once and passes the gate once', async () => {
    const client = await connect('approved')
    const call = { ...asks('elicitation/create', form, { n: 50 }), name: 'danger' }
    const running = answers(client, call)
    await gateway.decide('approve', 'danger')
    expect(await running).toEqual({ action: 'accept', content: { name: 'approved' } })
    expect(gateway.received().filter((run) => run.arguments?.n === 50)).toHaveLength(1)
    await client.close()
  })

  test('goes on with its own call alone, with the same arguments, and only while it is under way', async () => {
    const danger = (n: number) => ({ name: 'danger', arguments: { ...asks('elicitation/create', form).arguments, n } })
    const running = post(danger(60))
    await gateway.decide('approve', 'danger')
    let { result } = await running
    // Waiting ended its round before the approval came: the client comes back as it was told.
    while (!result.inputRequests) result = (await post({ ...danger(60), requestState: result.requestState })).result
    const [id] = Object.keys(result.inputRequests)
    expect(result.inputRequests[id!]).toMatchObject({ method: 'elicitation/create', params: { message: 'who?' } })
    const back = { requestState: result.requestState, inputResponses: { [id!]: { action: 'decline' } } }
    const refused = { error: { code: -32602 } }
    expect(await post({ ...danger(60), ...back }, 'admin_user')).toMatchObject(refused)
    expect(await post({ ...danger(61), ...back })).toMatchObject(refused)
    expect(await post({ ...danger(60), ...back }, 'dev_user', {})).toMatchObject(refused)
    expect(await post({ ...danger(60), ...back, requestState: `talk ${crypto.randomUUID()}` })).toMatchObject(refused)
    expect(await post({ ...danger(60), requestState: back.requestState })).toMatchObject({
      result: { inputRequests: {} },
    })
    expect(textOf((await post({ ...danger(60), ...back })).result)).toBe('{"action":"decline"}')
    expect(await post({ ...danger(60), ...back })).toMatchObject(refused)
    expect(gateway.received().filter((run) => [60, 61].includes(run.arguments?.n))).toHaveLength(1)
  })

  test('gets the result when it comes with the answer to a question that was withdrawn meanwhile', async () => {
    const late = asks('elicitation/create', form, { withdraw: true })
    const withdrawals = () => gateway.received().filter(({ withdrawn }) => withdrawn).length
    const before = withdrawals()
    const { result } = await post(late)
    const [id] = Object.keys(result.inputRequests)
    writeFileSync(join(dir, 'fake.tools.withdraw'), '')
    await until('it is withdrawn', () => withdrawals() > before)
    const back = { requestState: result.requestState, inputResponses: { [id!]: { action: 'decline' } } }
    expect(textOf((await post({ ...late, ...back })).result)).toBe('withdrawn')
    expect(await post({ ...late, ...back })).toMatchObject({ error: { code: -32602 } })
  })

  test('that never comes back leaves nothing running: the call is cancelled', async () => {
    vi.useFakeTimers()
    try {
      const talks = createTalks()
      const { passing, run } = talks.begin('dev_user digest')
      const never = new AbortController().signal
      const first = run(() => talks.ask('elicitation/create', {}, { signal: never }), { signal: never })
      expect(await first).toMatchObject({ resultType: 'input_required' })
      await vi.advanceTimersByTimeAsync(500_000)
      expect([passing.signal.aborted, talks.open()]).toEqual([false, 1])
      await vi.advanceTimersByTimeAsync(200_000)
      expect([passing.signal.aborted, talks.open()]).toEqual([true, 0])
    } finally {
      vi.useRealTimers()
    }
  })
})

test('a client whose user was disabled hears nothing more', async () => {
  const { json } = await gateway.call('POST', '/api/users', { user_id: 'leaver', role: 'developer' })
  const clients = await Promise.all([gateway.client(json.token), gateway.client(), gateway.client()])
  const heard: string[][] = clients.map(() => [])
  for (const [n, client] of clients.entries()) {
    client.fallbackNotificationHandler = async ({ method }) => void heard[n]!.push(method)
  }
  const announce = async () => {
    const before = heard[1]!.length
    gateway.offer([...TOOLS, { name: `more${before}`, inputSchema: { type: 'object' } }])
    await clients[2]!.callTool({ name: 'peek', arguments: { mode: 'announce' } })
    await until('it is heard', () => heard[1]!.length > before)
  }
  await announce()
  await until('the first hears it, too', () => heard[0]!.length > 0)
  await gateway.call('POST', '/api/users/leaver/disable', {})
  const before = heard[0]!.length
  await announce()
  await announce()
  expect(heard[0]).toHaveLength(before)
  gateway.offer(TOOLS)
  await Promise.all(clients.map((client) => client.close()))
})

test('a client that cannot be asked shares the tool servers, which hear that there is nobody to ask', async () => {
  const before = own().length
  const client = await gateway.client()
  const said = JSON.parse(textOf(await client.callTool(asks('elicitation/create', form))))
  expect(said).toMatchObject({ error: { code: -32601 } })
  expect(own()).toHaveLength(before)
  await client.close()
})

test('a policy and an mcp.json that are read anew hold for the tool servers of such a client, too', async () => {
  const client = await DOORS.HTTP('reloaded')
  expect(textOf(await client.callTool({ name: 'peek', arguments: {} }))).toBe('peek ran')
  const { connected: pid } = own().at(-1)!
  writePolicy(dir, { ...POLICY, peek: 'HIGH' })
  gateway.child.kill('SIGHUP')
  await until('it is gated', async () =>
    textOf(await client.callTool({ name: 'peek', arguments: {} })).startsWith('NOT RUN'),
  )
  writePolicy(dir, POLICY)
  writeServers(dir, { second: fake(dir, 'fake', ['--with-child']) })
  gateway.child.kill('SIGHUP')
  await until('the old one has ended', () => !running(pid))
  await until('the new one answers', async () =>
    textOf(await client.callTool({ name: 'peek', arguments: {} }).catch(() => ({}))).startsWith('peek ran'),
  )
  await client.close()
})
