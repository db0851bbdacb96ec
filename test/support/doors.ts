import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { modernCall } from './bare-client.ts'
import { PROGRAM, startCli } from './cli.ts'
import { type Gateway, textOf } from './gateway.ts'

/** One way to a tool, opened by one user. */
export interface Door {
  /** Makes the call and lets go when it is held. Answers what the caller was told, in whatever form. */
  call(name: string, args: object): Promise<string>
  close(): Promise<unknown>
}

const environment = (gateway: Gateway, as: string) => {
  const token = (gateway.tokens as Record<string, string>)[as] ?? as
  const port = new URL(gateway.url).port
  return { ...gateway.env, PORT: port, APPROVAL_TOKEN: token } as Record<string, string>
}

/** What a client was told, be it a result or an error of the protocol. */
const overClient = (client: Client): Door => ({
  call: async (name, args) => {
    const answer = await client.callTool({ name, arguments: { ...args } }).catch((error: Error) => error)
    return answer instanceof Error ? answer.message : textOf(answer)
  },
  close: () => client.close(),
})

/** Every shipped way to a tool. Each waits for APPROVAL_HOLD at most. */
export const DOORS: Readonly<Record<string, (gateway: Gateway, as?: string) => Promise<Door>>> = {
  'POST /tools/{tool}/call': async (gateway, as = 'dev_user') => ({
    call: async (name, args) => JSON.stringify((await gateway.tool(name, args, '', as)).json),
    close: async () => undefined,
  }),
  'POST /mcp, a session': async (gateway, as) => overClient(await gateway.client(as)),
  'POST /mcp, without sessions': async (gateway, as) => ({
    call: async (name, args) =>
      JSON.stringify((await modernCall(gateway, { name, arguments: args, ...(as && { as }) })).json),
    close: async () => undefined,
  }),
  'approval gateway': async (gateway, as = 'dev_user') => {
    const client = new Client({ name: 'host', version: '1' })
    const env = environment(gateway, as)
    const program = { command: process.execPath, args: [PROGRAM, 'gateway'], env, stderr: 'ignore' as const }
    await client.connect(new StdioClientTransport(program))
    return overClient(client)
  },
  'approval call': async (gateway, as = 'dev_user') => ({
    async call(name, args) {
      const running = startCli(environment(gateway, as), ['call', name, '--args', JSON.stringify(args)])
      void running.sees('waiting for a decision').then(
        () => running.child.kill('SIGINT'),
        () => undefined,
      )
      const { stdout, stderr } = await running.finished
      return `${stdout}${stderr}`
    },
    close: async () => undefined,
  }),
}
