import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { ROOT } from '../../src/config.ts'
import { type Answer, lines, type RunningServer, startServer, TSX, until } from './server.ts'

export const POLICY = { peek: 'LOW', look: 'MEDIUM', danger: 'CRITICAL' }
const schema = { type: 'object', properties: { n: { type: 'number' } } }
export const TOOLS = [
  { name: 'danger', description: 'needs a yes', inputSchema: { ...schema, required: ['n'] }, vendor: { kept: true } },
  { name: 'peek', inputSchema: schema },
  { name: 'look', inputSchema: schema },
  { name: 'unnamed', inputSchema: schema, outputSchema: { type: 'object', required: ['n'] } },
]

export interface Gateway extends RunningServer {
  /** What the upstream of this name received so far: params of tools/call, and cancellations. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever was received.
  received(upstream?: string): any[]
  /** Sets what the upstream offers, from its next list on. */
  offer(tools: readonly object[], upstream?: string): void
  /** POST /tools/{tool}/call as dev_user, answered at once unless told otherwise. */
  tool(name: string, args: unknown, query?: string, as?: string, signal?: AbortSignal): Promise<Answer>
  /** Waits for a request of the tool that is waiting, and decides it. Answers its id. */
  decide(action: 'approve' | 'reject', tool?: string): Promise<string>
  waiting(): Promise<{ request_id: string; tool_name: string; server: string }[]>
  /** How many calls are held right now. */
  callers(): Promise<number>
  /** A connected stock client over HTTP. */
  client(as?: string, options?: ConstructorParameters<typeof Client>[1]): Promise<Client>
}

export interface GatewayOptions {
  readonly upstreams?: readonly string[]
  readonly extra?: readonly string[]
  readonly servers?: Readonly<Record<string, object>>
  readonly policy?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/** mcp.json's entry of a tool server of the tests. */
export const fake = (dir: string, name: string, extra: readonly string[] = []) => ({
  command: process.execPath,
  args: [
    ...['--import', TSX, join(ROOT, 'test/support/fake-upstream.ts')],
    ...[join(dir, `${name}.received`), join(dir, `${name}.tools`), ...extra],
  ],
  env: { GIVEN: 'by mcp.json' },
})

export const writePolicy = (dir: string, tools: Readonly<Record<string, string>>): void =>
  writeFileSync(join(dir, 'policy.json'), JSON.stringify({ tools }))
export const writeServers = (dir: string, mcpServers: Readonly<Record<string, object>>): void =>
  writeFileSync(join(dir, 'mcp.json'), JSON.stringify({ mcpServers }))

/** The real server with real tool servers behind it. */
export async function startGateway(dir: string, options: GatewayOptions = {}): Promise<Gateway> {
  const { upstreams = ['fake'], extra = [], servers = {}, policy = POLICY, env = {} } = options
  const offer = (tools: readonly object[], name = upstreams[0]!) =>
    writeFileSync(join(dir, `${name}.tools`), JSON.stringify(tools))
  for (const name of upstreams) offer(TOOLS, name)
  writePolicy(dir, policy)
  const fakes = Object.fromEntries(upstreams.map((name) => [name, fake(dir, name, extra)]))
  writeServers(dir, { ...fakes, ...servers })
  const files = { POLICY_PATH: join(dir, 'policy.json'), MCP_CONFIG_PATH: join(dir, 'mcp.json') }
  const server = await startServer(dir, { APPROVAL_HOLD: '30', ...files, ...env })
  const { call, url, tokens } = server
  const waiting = async () => (await call('GET', '/api/approvals/pending')).json.pending_approvals
  return {
    ...server,
    offer,
    waiting,
    received: (name = upstreams[0]!) => lines(join(dir, `${name}.received`)).map((line) => JSON.parse(line)),
    tool: (name, args, query = 'wait=0', as = 'dev_user', signal) =>
      call('POST', `/tools/${encodeURIComponent(name)}/call?${query}`, args, as, signal),
    async decide(action, tool) {
      let id: string | undefined
      await until(`a request of ${tool ?? 'any tool'} waits`, async () => {
        const found = (await waiting()).find((r: { tool_name: string }) => tool === undefined || r.tool_name === tool)
        id = found?.request_id
        return id !== undefined
      })
      const answer = await call('POST', `/api/approvals/${id}/${action}`, { reason: `${action} it` })
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.json))
      return id!
    },
    async callers() {
      const text: string = (await call('GET', '/metrics', undefined, null)).json
      return Number(/^approval_waiting_callers (\d+)$/m.exec(text)?.[1])
    },
    async client(as = 'dev_user', more) {
      const client = new Client({ name: 'test', version: '1' }, more)
      const token = (tokens as Record<string, string>)[as] ?? as
      const headers = { Authorization: `Bearer ${token}` }
      await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }))
      return client
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the text of whatever came back.
export const textOf = (result: any): string => result.content?.[0]?.text ?? ''
