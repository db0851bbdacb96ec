import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { ROOT } from '../src/config.ts'
import { type Child, median, ours } from './children.ts'
import type { Row } from './desk.ts'
import { call, percentile } from './load.ts'

const EVERYTHING = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const ROUNDS = 5
const CALLS = 200
const HELD = 1000
const DECISIONS = 100

const ms = (n: number) => `${n.toFixed(2)} ms`
const initialize = {
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}
const echo = (tool = 'echo') => ({ method: 'tools/call', params: { name: tool, arguments: { message: 'bench' } } })

/** One way to a tool server: sends a request and resolves when its answer is here. */
interface Way {
  ask(request: object): Promise<string>
  close(): void
}

/** Streamable HTTP, as bare as node:http allows, over one kept-alive connection. */
async function httpWay(url: string, token = ''): Promise<Way> {
  const agent = new Agent({ keepAlive: true })
  const headers: Record<string, string> = { accept: 'application/json, text/event-stream' }
  if (token) headers.authorization = `Bearer ${token}`
  const begun = await fetch(url, {
    ...{ method: 'POST', headers: { ...headers, 'content-type': 'application/json' } },
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, ...initialize }),
  })
  await begun.text()
  headers['mcp-session-id'] = begun.headers.get('mcp-session-id')!
  await call(agent, url, headers, { path: '', body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' })
  let id = 0
  return {
    async ask(request) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, ...request })
      return (await call(agent, url, headers, { path: '', body })).text
    },
    close: () => agent.destroy(),
  }
}

/** A program that speaks the protocol on its standard streams. */
async function stdioWay(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Way> {
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  const waiting = new Map<number, (line: string) => void>()
  createInterface({ input: child.stdout }).on('line', (line) => waiting.get(JSON.parse(line).id)?.(line))
  let id = 0
  const ask = (request: object) =>
    new Promise<string>((resolve) => {
      waiting.set(++id, resolve)
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`)
    })
  await ask(initialize)
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  return { ask, close: () => void child.kill('SIGKILL') }
}

/** Median of the medians of rounds in turns, so that both ways meet the same machine. */
async function medians(direct: Way, through: Way): Promise<{ direct: number; through: number }> {
  const times: { direct: number[]; through: number[] } = { direct: [], through: [] }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, way] of Object.entries({ direct, through })) {
      const own: number[] = []
      for (let n = 0; n < CALLS; n++) {
        const start = performance.now()
        const text = await way.ask(echo())
        own.push(performance.now() - start)
        if (!text.includes('Echo: bench')) throw new Error(`not the tool's result: ${text}`)
      }
      // The first round is for the machine to get warm.
      if (round > 0) times[name as 'direct' | 'through'].push(median(own))
    }
  }
  return { direct: median(times.direct), through: median(times.through) }
}

async function compared(what: string, direct: Way, through: Way): Promise<Row> {
  const found = await medians(direct, through)
  const more = found.through - found.direct
  const ratio = `${(found.through / found.direct).toFixed(2)} x, ${more < 0 ? '' : '+'}${ms(more)}`
  return { what: `un-gated call, ${what}`, ours: ms(found.through), limit: `${ms(found.direct)} direct`, ratio }
}

/** Through the gateway beside direct, over both transports, alone and while 1,000 calls are held. */
export async function gateway(): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'approval-bench-'))
  const everything = { command: process.execPath, args: [EVERYTHING] }
  writeFileSync(join(dir, 'mcp.json'), JSON.stringify({ mcpServers: { everything } }))
  writeFileSync(join(dir, 'policy.json'), JSON.stringify({ tools: { echo: 'LOW', 'get-sum': 'HIGH' } }))
  const env = { MCP_CONFIG_PATH: join(dir, 'mcp.json'), POLICY_PATH: join(dir, 'policy.json'), APPROVAL_HOLD: '300' }
  const [desk, far] = await Promise.all([ours(env), startFar()])
  const { url, tokens } = desk
  const pump = { ...process.env, PORT: new URL(url).port, APPROVAL_TOKEN: tokens.dev_user }
  const ways: Way[] = await Promise.all([
    httpWay(far.url),
    httpWay(`${url}/mcp`, tokens.dev_user),
    stdioWay([EVERYTHING]),
    stdioWay([join(ROOT, 'bin/approval.js'), 'gateway'], pump),
  ])
  const [http, httpGate, stdio, stdioGate] = ways as [Way, Way, Way, Way]
  const rows = [await compared('HTTP', http, httpGate), await compared('stdio', stdio, stdioGate)]
  rows.push(...(await decisions(desk)))
  const before = memory(desk.pid)
  const leave = await hold(desk)
  const each = (memory(desk.pid) - before) / HELD
  rows.push(await compared('HTTP, 1,000 held', http, httpGate), await compared('stdio, 1,000 held', stdio, stdioGate))
  const kept = `${(before / 1024).toFixed(0)} MiB with none`
  rows.push({ what: 'memory per held call', ours: `${each.toFixed(1)} KiB`, limit: kept, ratio: '' })
  await leave()
  for (const way of ways) way.close()
  far.child.kill('SIGKILL')
  await desk.stop()
  rmSync(dir, { recursive: true, force: true })
  return rows
}

const sum = (n: number) => ({ path: '/tools/get-sum/call?wait=300', body: JSON.stringify({ a: n, b: 0 }) })

async function ids(desk: Child): Promise<string[]> {
  const headers = { authorization: `Bearer ${desk.tokens.admin_user}` }
  const answer = await fetch(`${desk.url}/api/approvals?status=pending&limit=1000`, { headers })
  return ((await answer.json()) as { approvals: { request_id: string }[] }).approvals.map((one) => one.request_id)
}

/** From sending a decision to the held caller having the tool's result, beside the same tool's call un-gated. */
async function decisions(desk: Child): Promise<Row[]> {
  const agent = new Agent({ keepAlive: true })
  const [dev, admin] = [desk.tokens.dev_user, desk.tokens.admin_user].map((token) => ({
    authorization: `Bearer ${token}`,
  }))
  const echoed = { path: '/tools/echo/call', body: '{"message":"bench"}' }
  const [times, plain]: [number[], number[]] = [[], []]
  for (let n = 0; n < DECISIONS; n++) {
    const held = call(agent, desk.url, dev!, sum(-n - 1))
    let id: string | undefined
    while (id === undefined) [id] = await ids(desk)
    const start = performance.now()
    const decided = call(agent, desk.url, admin!, { path: `/api/approvals/${id}/approve`, body: '{"reason":"bench"}' })
    const { status, text } = await held
    times.push(performance.now() - start)
    if (status !== 200) throw new Error(text)
    await decided
    const started = performance.now()
    await call(agent, desk.url, dev!, echoed)
    plain.push(performance.now() - started)
  }
  agent.destroy()
  for (const list of [times, plain]) list.sort((a, b) => a - b)
  return [50, 95].map((p) => {
    const [own, limit] = [percentile(times, p), percentile(plain, p)]
    const what = `decision to the tool's result, p${p}`
    return { what, ours: ms(own), limit: `${ms(limit)} un-gated call`, ratio: `${(own / limit).toFixed(1)} x` }
  })
}

/** Resolves once 1,000 different calls are held, with what lets them go. */
async function hold(desk: Child): Promise<() => Promise<void>> {
  const agent = new Agent({ keepAlive: true })
  const headers = { authorization: `Bearer ${desk.tokens.dev_user}` }
  const held = Array.from({ length: HELD }, (_, n) => call(agent, desk.url, headers, sum(n)).catch(() => undefined))
  const callers = async () =>
    /approval_waiting_callers (\d+)/.exec(await (await fetch(`${desk.url}/metrics`)).text())?.[1]
  while ((await callers()) !== String(HELD)) await new Promise((resolve) => setTimeout(resolve, 200))
  return async () => {
    agent.destroy()
    await Promise.all(held)
  }
}

/** What a process keeps in memory, KiB; Linux only. */
const memory = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])

async function startFar(): Promise<{ url: string; child: ChildProcess }> {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
  const env = { ...process.env, PORT: String(port) }
  const child = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve) =>
    child.stderr!.on('data', (chunk) => /listening/i.test(String(chunk)) && resolve()),
  )
  return { url: `http://127.0.0.1:${port}/mcp`, child }
}
