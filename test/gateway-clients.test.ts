import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type Client as Client2 } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { deafSession, META, modernCall } from './support/bare-client.ts'
import { PROGRAM } from './support/cli.ts'
import { type Gateway, startGateway, textOf } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { temporaryFolder, until } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
const script = (name: string) => join(ROOT, 'node_modules/@modelcontextprotocol', name, 'dist/index.js')
const everything = { command: process.execPath, args: [script('server-everything')] }
const files = { command: process.execPath, args: [script('server-filesystem'), dir] }
const policy = {
  ...{ peek: 'LOW', 'get-tiny-image': 'LOW', 'get-structured-content': 'LOW', 'get-resource-reference': 'LOW' },
  ...{ 'trigger-long-running-operation': 'LOW', echo: 'HIGH', read_text_file: 'LOW', write_file: 'HIGH' },
}

let gateway: Gateway
let direct: Client2

beforeAll(async () => {
  gateway = await startGateway(dir, {
    ...{ servers: { everything, files }, policy },
    env: { APPROVAL_HOLD: '1', PORT: String(await freePort()) },
  })
  direct = new Client({ name: 'direct', version: '1' })
  await direct.connect(new StdioClientTransport({ ...everything, stderr: 'ignore' }))
})
afterAll(async () => {
  await direct.close()
  await gateway.kill('SIGTERM')
  remove()
})

// biome-ignore lint/suspicious/noExplicitAny: two clients of one shape, whose types do not know each other.
type AnyClient = any

const overStdio = {
  command: process.execPath,
  args: [PROGRAM, 'gateway', '--as', 'dev_user'],
  get env() {
    return Object.fromEntries(
      Object.entries({ ...gateway.env, PORT: new URL(gateway.url).port }).filter((entry) => entry[1] !== undefined),
    ) as Record<string, string>
  },
}
const info = { name: 'stock', version: '1' }
const auth = () => ({ requestInit: { headers: { Authorization: `Bearer ${gateway.tokens.dev_user}` } } })

const CLIENTS: Record<string, () => Promise<AnyClient>> = {
  'v2 over HTTP': () => gateway.client(),
  'v2 over HTTP, newest revision': () => gateway.client('dev_user', { versionNegotiation: { mode: 'auto' } }),
  'v2 over stdio': async () => {
    const client = new Client(info)
    await client.connect(new StdioClientTransport({ ...overStdio, env: overStdio.env, stderr: 'ignore' }))
    return client
  },
  'v2 over stdio, newest revision': async () => {
    const client = new Client(info, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new StdioClientTransport({ ...overStdio, env: overStdio.env, stderr: 'ignore' }))
    return client
  },
  'v1 over HTTP': async () => {
    const client = new Client1(info)
    // biome-ignore lint/suspicious/noExplicitAny: its own types disagree under exactOptionalPropertyTypes.
    await client.connect(new Http1(new URL(`${gateway.url}/mcp`), auth()) as any)
    return client
  },
  'v1 over stdio': async () => {
    const client = new Client1(info)
    await client.connect(new Stdio1({ ...overStdio, env: overStdio.env, stderr: 'ignore' }))
    return client
  },
}

/** Both clients take their options in another place. */
const callWith = (client: AnyClient, params: object, options: object) =>
  client instanceof Client1 ? client.callTool(params as never, undefined, options) : client.callTool(params, options)

/** What the newest revision adds to each answer is the gateway's, as it would be the server's. */
const bare = (value: object) => {
  const { _meta, ...rest } = value as Record<string, unknown>
  return rest
}

const NAMES = Object.keys(CLIENTS)
const clients: Record<string, AnyClient> = {}
beforeAll(async () => {
  const connected = await Promise.all(NAMES.map((name) => CLIENTS[name]!()))
  for (const [n, name] of NAMES.entries()) clients[name] = connected[n]
})
afterAll(() => Promise.all(Object.values(clients).map((client) => client.close())))

describe.each(NAMES)('a stock client, %s', (name) => {
  test('sees what it sees without the gateway', async () => {
    const client = clients[name]
    const { tools } = await client.listTools()
    const own = (await direct.listTools()).tools
    // The newest revision has no `execution` any more; in the others a call that waits for a human may be a task.
    const isGated = (tool: string) => policy[tool as keyof typeof policy] !== 'LOW'
    const seen = own.map(({ execution, ...tool }) => {
      if (name.includes('newest')) return tool
      const mayBeTask = isGated(tool.name) && execution?.taskSupport !== 'required'
      return { ...tool, execution: mayBeTask ? { ...execution, taskSupport: 'optional' } : execution }
    })
    expect(tools.filter((tool: { name: string }) => own.some((other) => other.name === tool.name))).toEqual(seen)
    expect(tools.map((tool: { name: string }) => tool.name)).toContain('write_file')
    const prompts = (await client.listPrompts()).prompts
    expect(prompts).toEqual(expect.arrayContaining((await direct.listPrompts()).prompts))
    const resources = (await client.listResources()).resources
    expect(resources).toEqual(expect.arrayContaining((await direct.listResources()).resources))
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates).toEqual((await direct.listResourceTemplates()).resourceTemplates)
  })

  test('gets images, resources, structured content, completions and errors as they are', async () => {
    const client = clients[name]
    for (const call of [
      { name: 'get-tiny-image', arguments: {} },
      { name: 'get-structured-content', arguments: { location: 'Chicago' } },
      { name: 'get-structured-content', arguments: { location: 'nowhere' } },
    ]) {
      expect(bare(await client.callTool(call))).toEqual(await direct.callTool(call))
    }
    const { uri } = (await direct.listResources()).resources[0]!
    expect(bare(await client.readResource({ uri }))).toMatchObject(await direct.readResource({ uri }))
    const prompt = { name: 'args-prompt', arguments: { city: 'Seoul' } }
    expect(bare(await client.getPrompt(prompt))).toMatchObject(await direct.getPrompt(prompt))
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const
    const completion = { ref, argument: { name: 'department', value: 'E' } }
    expect(bare(await client.complete(completion))).toEqual(await direct.complete(completion))
    const text = await client.callTool({ name: 'read_text_file', arguments: { path: join(dir, 'policy.json') } })
    expect(textOf(text)).toContain('"echo":"HIGH"')
    expect(await client.callTool({ name: 'peek', arguments: {} })).toMatchObject({
      content: [
        { type: 'text', text: 'peek ran', annotations: { priority: 1 } },
        { type: 'image', data: 'AAAA', mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'fake://x', mimeType: 'text/plain', text: 'embedded' } },
      ],
      structuredContent: { n: 1 },
    })
    const own = await client.callTool({ name: 'peek', arguments: { mode: 'error' } }).catch((error: unknown) => error)
    expect(own).toMatchObject({ code: -32050, data: { kept: true } })
    expect(await client.callTool({ name: 'peek', arguments: { mode: 'fail' } })).toMatchObject({ isError: true })
  })

  test('hears progress of the tool', async () => {
    const told: unknown[] = []
    const onprogress = (progress: { progress: number }) => {
      told.push(progress)
      writeFileSync(join(dir, `fake.tools.saw${progress.progress}`), '')
    }
    await callWith(clients[name], { name: 'peek', arguments: { mode: 'progress', steps: 2 } }, { onprogress })
    expect(told).toEqual([
      { progress: 1, total: 2, message: 'step 1' },
      { progress: 2, total: 2, message: 'step 2' },
    ])
  })
})

test('every client waits for a human past the hold, and its tool runs once', async () => {
  const rounds: Record<string, number> = {}
  /** How long each was let wait before it was sent away, ms. */
  const waited: Record<string, number[]> = {}
  const told: Record<string, string> = {}
  const calls = NAMES.map(async (name) => {
    const call = { name: 'echo', arguments: { message: name } }
    const onprogress = ({ message = '' }) => {
      told[name] ??= message
    }
    for (;;) {
      rounds[name] = (rounds[name] ?? 0) + 1
      const began = performance.now()
      const result = await callWith(clients[name], call, { onprogress })
      if (!textOf(result).startsWith('NOT RUN YET')) return result
      waited[name] = [...(waited[name] ?? []), performance.now() - began]
      expect(result).toMatchObject({ isError: true, _meta: { 'approval-ops/request': { status: 'pending' } } })
    }
  })
  // Those that come back by hand have done so, those that do by themselves were not asked to.
  const byHand = NAMES.filter((name) => !name.includes('newest'))
  await until('they came back', () => byHand.every((name) => (rounds[name] ?? 0) > 1))
  await until('all have asked', async () => (await gateway.waiting()).length === NAMES.length)
  const ids = (await gateway.waiting()).map(({ request_id }) => request_id)
  await gateway.call('POST', '/api/approvals/batch', { action: 'approve', ids, reason: 'all of them' })
  for (const [n, result] of (await Promise.all(calls)).entries()) {
    expect(bare(result)).toEqual({ content: [{ type: 'text', text: `Echo: ${NAMES[n]}` }] })
    expect(told[NAMES[n]!]).toContain("waiting for a human's approval")
  }
  // Those that come back by themselves are sent away after several holds of a second, if at all.
  for (const name of NAMES) {
    if (!byHand.includes(name)) for (const ms of waited[name] ?? []) expect(ms, name).toBeGreaterThan(3000)
  }
  expect(await gateway.waiting()).toEqual([])
})

test('every client reads why it was rejected, and by whom', async () => {
  for (const name of NAMES) {
    const call = { name: 'write_file', arguments: { path: join(dir, 'x'), content: name } }
    const running = clients[name].callTool(call)
    await gateway.decide('reject', 'write_file')
    const answer = await running
    const result = textOf(answer).startsWith('NOT RUN YET') ? await clients[name].callTool(call) : answer
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(/^NOT RUN: admin_user rejected write_file \(HIGH\) at .*: reject it\./)
  }
})

test('a tool with an output schema may be waited for, and rejected, under clients that check it', async () => {
  const client = await CLIENTS['v1 over HTTP']!()
  await client.listTools()
  const call = { name: 'unnamed', arguments: { n: 1 } }
  expect(textOf(await client.callTool(call))).toContain('NOT RUN YET')
  await gateway.decide('reject', 'unnamed')
  expect(textOf(await client.callTool(call))).toContain('rejected')
  await client.close()
})

test('lists that change, log messages and subscriptions reach whoever asked for them', async () => {
  const heard: { method: string; params?: Record<string, unknown> | undefined }[] = []
  const client = await gateway.client()
  client.fallbackNotificationHandler = async (notification) => void heard.push(notification)
  await client.setLoggingLevel('error')
  await client.subscribeResource({ uri: 'fake://one' })
  gateway.offer([{ name: 'peek', inputSchema: { type: 'object' } }])
  await client.callTool({ name: 'peek', arguments: { mode: 'announce' } })
  const of = (method: string) => heard.filter((one) => one.method === method)
  await until('all is heard', () =>
    ['tools/list_changed', 'message', 'resources/updated'].every((what) => of(`notifications/${what}`).length > 0),
  )
  expect(of('notifications/message').map(({ params }) => params?.level)).toEqual(['error'])
  expect(of('notifications/resources/updated')[0]?.params?.uri).toBe('fake://one')
  await client.close()
})

describe('a client that listens to nothing but the answers to what it asks', () => {
  const levels = (messages: { method?: string; params?: { level: string } }[]) =>
    messages.filter(({ method }) => method === 'notifications/message').map(({ params }) => params?.level)

  test('hears the log with the call, in a session', async () => {
    const session = await deafSession(gateway, {})
    const { got, ended } = session.open({ id: 2, method: 'logging/setLevel', params: { level: 'error' } })
    await ended
    expect(levels(got)).toEqual(['error'])
  })

  test('hears the log with the call, without a session, from the level on that the call names', async () => {
    const call = async (meta: object) => {
      const { json } = await modernCall(gateway, { name: 'peek', arguments: {}, meta })
      return [...String(json).matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data!))
    }
    expect(levels(await call({ [`${META}logLevel`]: 'error' }))).toEqual(['error'])
    expect(levels(await call({}))).toEqual([])
  })

  test('is not kept waiting by a tool server that does not say how much it will log', async () => {
    const mute = `${dir}/fake.tools.mute`
    writeFileSync(mute, '')
    const { json } = await modernCall(gateway, { name: 'peek', arguments: {}, meta: { [`${META}logLevel`]: 'error' } })
    expect(JSON.stringify(json)).toContain('peek ran')
    rmSync(mute)
  })
})

test('the stdio gateway begins its session anew when the desk was started again', async () => {
  const port = new URL(gateway.url).port
  const client = await CLIENTS['v1 over stdio']!()
  expect(textOf(await client.callTool({ name: 'peek', arguments: {} }))).toBe('peek ran')
  await gateway.kill('SIGTERM')
  await expect(client.callTool({ name: 'peek', arguments: {} })).rejects.toThrow(/does not answer|broke/)
  gateway = await startGateway(dir, { policy, env: { PORT: port, APPROVAL_HOLD: '1' } })
  expect(textOf(await client.callTool({ name: 'peek', arguments: {} }))).toBe('peek ran')
  await client.close()
})
