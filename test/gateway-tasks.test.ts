import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ROOT } from '../src/config.ts'
import type { Raw } from '../src/gateway/raw.ts'
import { createTasks, type Running } from '../src/gateway/tasks.ts'
import type { Upstream } from '../src/gateway/upstream.ts'
import { type Gateway, POLICY, startGateway, textOf, writePolicy } from './support/gateway.ts'
import { temporaryFolder, until } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
const script = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const everything = { command: process.execPath, args: [script] }
const RESEARCH = 'simulate-research-query'
let gateway: Gateway
const clients: Client[] = []

beforeAll(async () => {
  gateway = await startGateway(dir, { servers: { everything }, policy: { ...POLICY, [RESEARCH]: 'LOW' } })
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await gateway.kill('SIGTERM')
  remove()
})

async function connect(as: 'dev_user' | 'admin_user' = 'dev_user', capabilities = {}): Promise<Client> {
  const client = new Client({ name: 'stock', version: '1' }, { capabilities })
  const requestInit = { headers: { Authorization: `Bearer ${gateway.tokens[as]}` } }
  // biome-ignore lint/suspicious/noExplicitAny: its own types disagree under exactOptionalPropertyTypes.
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit }) as any)
  await client.listTools()
  clients.push(client)
  return client
}

/** Follows a call that the client makes a task of, to its end. */
function follow(client: Client, name: string, args: Record<string, unknown>) {
  const seen: string[] = []
  let id = ''
  const end = (async () => {
    const stream = client.experimental.tasks.callToolStream({ name, arguments: args }, CallToolResultSchema)
    for await (const message of stream) {
      if (message.type === 'taskCreated') id = message.task.taskId
      else if (message.type === 'taskStatus') seen.push(`${message.task.status} ${message.task.statusMessage ?? ''}`)
      else return message
    }
    throw new Error('it ended without a result')
  })()
  return { end, seen, id: () => id }
}
const runs = (args: object) =>
  gateway.received().filter((run) => run.name === 'danger' && JSON.stringify(run.arguments) === JSON.stringify(args))

test('a client that knows tasks makes one of a gated call by itself, and its tool runs once', async () => {
  const client = await connect()
  const { end, seen } = follow(client, 'danger', { n: 1 })
  await until('it is told what it waits for', () =>
    seen.some((line) => line.includes("waiting for a human's approval")),
  )
  expect(runs({ n: 1 })).toEqual([])
  await gateway.decide('approve', 'danger')
  const last = await end
  expect(last).toMatchObject({ type: 'result', result: { content: [{ text: 'danger ran' }, {}, {}] } })
  expect(runs({ n: 1 })).toHaveLength(1)
})

test('progress of a task reaches the client after its call was answered', async () => {
  const client = await connect()
  const told: unknown[] = []
  const onprogress = (progress: unknown) => {
    told.push(progress)
    writeFileSync(join(dir, 'fake.tools.saw1'), '')
  }
  const params = { name: 'danger', arguments: { n: 6, mode: 'progress', steps: 1 } }
  const stream = client.experimental.tasks.callToolStream(params, CallToolResultSchema, { onprogress })
  const last = (async () => {
    for await (const message of stream) if (message.type === 'result') return message.result
    throw new Error('no result')
  })()
  await gateway.decide('approve', 'danger')
  expect(textOf(await last)).toBe('done')
  expect(told).toContainEqual({ progress: 1, total: 1, message: 'step 1' })
})

test('a task says no more that it waits once its tool runs', async () => {
  const client = await connect()
  const { end, id } = follow(client, 'danger', { mode: 'hang', n: 8 })
  const shown = () => client.experimental.tasks.getTask(id())
  await until('it has a name', () => id() !== '')
  await until('it waits', async () => ((await shown()).statusMessage ?? '').includes("waiting for a human's approval"))
  await gateway.decide('approve', 'danger')
  await until('it runs', () => runs({ mode: 'hang', n: 8 }).length === 1)
  const { status, statusMessage } = await shown()
  expect([status, statusMessage]).toEqual(['working', undefined])
  await client.experimental.tasks.cancelTask(id())
  await end
})

test('a task that was rejected says who did and why, where its result is looked for', async () => {
  const { end } = follow(await connect(), 'danger', { n: 2 })
  await gateway.decide('reject', 'danger')
  const last = await end
  if (last.type !== 'result') throw new Error(JSON.stringify(last))
  expect(last.result.isError).toBe(true)
  expect(textOf(last.result)).toMatch(/^NOT RUN: admin_user rejected danger \(CRITICAL\) at .*: reject it\./)
})

test('arguments that the tool would refuse make no request, and the task says so', async () => {
  const last = await follow(await connect(), 'danger', { n: 'x' }).end
  if (last.type !== 'result') throw new Error(JSON.stringify(last))
  expect(textOf(last.result)).toMatch(/^NOT RUN: arguments of danger: /)
  expect(await gateway.waiting()).toEqual([])
})

test('a cancelled task never runs, whatever is decided', async () => {
  const client = await connect()
  const { end, id } = follow(client, 'danger', { n: 3 })
  await until('it waits', async () => (await gateway.waiting()).length === 1)
  await until('it has a name', () => id() !== '')
  expect(await client.experimental.tasks.cancelTask(id())).toMatchObject({ status: 'cancelled' })
  expect(await end).toMatchObject({ type: 'error' })
  await until('nobody waits', async () => (await gateway.callers()) === 0)
  await gateway.decide('approve', 'danger')
  await expect(client.experimental.tasks.cancelTask(id())).rejects.toThrow('the task is cancelled already')
  expect(runs({ n: 3 })).toEqual([])
})

test('a client that ends its session while its task waits runs nothing', async () => {
  const client = await connect()
  const { end } = follow(client, 'danger', { n: 4 })
  await until('it waits', async () => (await gateway.callers()) === 1)
  await (client.transport as StreamableHTTPClientTransport).terminateSession()
  await until('nobody waits', async () => (await gateway.callers()) === 0)
  await gateway.decide('approve', 'danger')
  await client.close()
  await end
  expect(runs({ n: 4 })).toEqual([])
})

test('a task is known to its own client alone', async () => {
  const [one, same, other] = [await connect(), await connect(), await connect('admin_user')]
  const { end, id } = follow(one, 'danger', { n: 5 })
  await until('it has a name', () => id() !== '')
  for (const stranger of [same, other]) {
    await expect(stranger.experimental.tasks.getTask(id())).rejects.toThrow('no task is named')
    await expect(stranger.experimental.tasks.cancelTask(id())).rejects.toThrow('no task is named')
    await expect(stranger.experimental.tasks.getTaskResult(id())).rejects.toThrow('no task is named')
    expect((await stranger.experimental.tasks.listTasks()).tasks).toEqual([])
  }
  expect((await one.experimental.tasks.listTasks()).tasks.map(({ taskId }) => taskId)).toEqual([id()])
  await gateway.decide('approve', 'danger')
  await end
})

test("a tool server's own tasks are looked after as without the gateway, with what it asks meanwhile", async () => {
  const client = await connect('dev_user', { elicitation: {} })
  let asked = 0
  client.setRequestHandler(ElicitRequestSchema, async () => {
    asked++
    return { action: 'accept', content: { interpretation: 'technical' } }
  })
  const { end, seen, id } = follow(client, RESEARCH, { topic: 'python', ambiguous: true })
  const last = await end
  if (last.type !== 'result') throw new Error(JSON.stringify(last))
  expect(textOf(last.result)).toContain('python')
  expect(asked).toBe(1)
  expect(seen.some((line) => line.startsWith('working'))).toBe(true)
  expect(await client.experimental.tasks.getTask(id())).toMatchObject({ taskId: id(), status: 'completed' })
})

test('a tool that is a task or nothing can be gated, and is looked after through the task that waited', async () => {
  writePolicy(dir, { ...POLICY, [RESEARCH]: 'HIGH' })
  gateway.child.kill('SIGHUP')
  const level = async () => (await gateway.call('GET', `/api/policy/explain?tool=${RESEARCH}`)).json.level
  await until('it is gated', async () => (await level()) === 'HIGH')
  const client = await connect()
  const { end, id } = follow(client, RESEARCH, { topic: 'gated' })
  await gateway.decide('approve', RESEARCH)
  const last = await end
  if (last.type !== 'result') throw new Error(JSON.stringify(last))
  expect(textOf(last.result)).toContain('gated')
  expect(await client.experimental.tasks.getTask(id())).toMatchObject({ taskId: id(), status: 'completed' })
})

test('a client that looks no more is let go, and what waited goes on once it is back', async () => {
  vi.useFakeTimers()
  try {
    const begun: AbortSignal[] = []
    const ends: (() => void)[] = []
    const tasks = createTasks(Date.now)
    const run: Running = (signal, onWaiting) => {
      const done = onWaiting('waiting')
      begun.push(signal)
      return new Promise<Raw>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('let go')))
        ends.push(() => resolve({ content: [] }))
      }).finally(done)
    }
    const passing = { signal: new AbortController().signal }
    const params = { taskId: (tasks.start(run, {}, {} as Upstream).task as Raw).taskId }
    for (let second = 0; second < 300; second += 50) {
      await vi.advanceTimersByTimeAsync(50_000)
      expect(await tasks.get(params, passing)).toMatchObject({ status: 'working', statusMessage: 'waiting' })
    }
    expect(begun.map(({ aborted }) => aborted)).toEqual([false])
    await vi.advanceTimersByTimeAsync(70_000)
    expect(begun.map(({ aborted }) => aborted)).toEqual([true])
    expect(await tasks.get(params, passing)).toMatchObject({ status: 'working' })
    expect(begun.map(({ aborted }) => aborted)).toEqual([true, false])
    const result = tasks.result(params, passing)
    await vi.advanceTimersByTimeAsync(500_000)
    expect(begun).toHaveLength(2)
    ends[1]!()
    expect(await result).toMatchObject({ content: [], _meta: { 'io.modelcontextprotocol/related-task': params } })
    expect(await tasks.get(params, passing)).toMatchObject({ status: 'completed' })
  } finally {
    vi.useRealTimers()
  }
})

test('of a thousand tasks the one that ended first makes room, and one that has not ended does not', async () => {
  const tasks = createTasks(Date.now)
  const passing = { signal: new AbortController().signal }
  const make = (run: Running) => ({ taskId: (tasks.start(run, {}, {} as Upstream).task as Raw).taskId })
  const works = make(() => new Promise(() => undefined))
  const ended = make(async () => ({ content: [] }))
  await tasks.result(ended, passing)
  for (let n = 2; n < 1000; n++) make(() => new Promise(() => undefined))
  make(() => new Promise(() => undefined))
  await expect(tasks.get(ended, passing)).rejects.toThrow('no task is named')
  expect(await tasks.get(works, passing)).toMatchObject({ status: 'working' })
  expect(() => make(async () => ({}))).toThrow('there are 1000 tasks already')
})

test('whoever has gone before it began to wait for a result does not wait', async () => {
  const tasks = createTasks(Date.now)
  const { taskId } = tasks.start(() => new Promise(() => undefined), {}, {} as Upstream).task as Raw
  await expect(tasks.result({ taskId }, { signal: AbortSignal.abort() })).rejects.toThrow('nobody waits')
})
