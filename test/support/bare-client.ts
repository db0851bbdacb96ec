import type { Gateway } from './gateway.ts'
import { type Answer, request } from './server.ts'

/** What clients of the tests can be asked. */
export const CAPABILITIES = { sampling: {}, elicitation: {}, roots: { listChanged: true } }
// biome-ignore lint/suspicious/noExplicitAny: tests read whatever came.
type Message = any

const headersOf = (gateway: Gateway) => ({
  ...{ Authorization: `Bearer ${gateway.tokens.dev_user}`, 'Content-Type': 'application/json' },
  Accept: 'application/json, text/event-stream',
})

/** As the protocol has it for names that a header cannot carry. */
const headerText = (text: string) =>
  /^[\x21-\x7e]+$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`

/** What every message of the revision without sessions says of its client begins with this. */
export const META = 'io.modelcontextprotocol/'

export interface ModernCall {
  readonly name: string
  readonly arguments: object
  readonly requestState?: unknown
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
  /** More of the envelope, or another. */
  readonly meta?: object
}

/** One call in a complete envelope of the revision without sessions, with whatever else the caller claims. */
export async function modernCall(
  gateway: Gateway,
  { as = 'dev_user', headers = {}, meta = {}, ...params }: ModernCall,
): Promise<Answer> {
  const version = '2026-07-28'
  const _meta = {
    [`${META}protocolVersion`]: version,
    [`${META}clientInfo`]: { name: 'raw', version: '1' },
    [`${META}clientCapabilities`]: {},
    ...meta,
  }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta } }
  return request(`${gateway.url}/mcp`, 'POST', body, {
    Authorization: `Bearer ${(gateway.tokens as Record<string, string>)[as] ?? as}`,
    Accept: 'application/json, text/event-stream',
    ...{ 'Mcp-Protocol-Version': version, 'Mcp-Method': 'tools/call', 'Mcp-Name': headerText(params.name) },
    ...headers,
  })
}

/** The answer to one round of a call, or what came before it. */
export async function round(
  gateway: Gateway,
  call: object,
  as: 'dev_user' | 'admin_user' = 'dev_user',
  capabilities: object = CAPABILITIES,
): Promise<Message> {
  const meta = { [`${META}clientCapabilities`]: capabilities }
  const { json } = await modernCall(gateway, { ...(call as ModernCall), as, meta })
  return typeof json === 'string' ? JSON.parse(/^data: (\{.*)$/m.exec(json)![1]!) : json
}

/** A session of a client that listens to nothing but the answers to what it sends. */
export async function deafSession(gateway: Gateway, capabilities: object = CAPABILITIES) {
  let headers: Record<string, string> = headersOf(gateway)
  const send = (message: object) =>
    fetch(`${gateway.url}/mcp`, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  const clientInfo = { name: 'deaf', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo }
  const begun = await send({ id: 0, method: 'initialize', params })
  await begun.text()
  headers = { ...headers, 'Mcp-Session-Id': begun.headers.get('mcp-session-id')!, 'Mcp-Protocol-Version': '2025-11-25' }
  await (await send({ method: 'notifications/initialized' })).text()
  return {
    send,
    /** Sends a request; `got` grows with whatever comes on its connection, until that ends. */
    open(message: object) {
      const got: Message[] = []
      const ended = (async () => {
        let text = ''
        for await (const chunk of (await send(message)).body!.pipeThrough(new TextDecoderStream())) {
          const events = (text + chunk).split('\n\n')
          text = events.pop()!
          got.push(
            ...events.flatMap((event) => /^data: (\{.*)$/m.exec(event)?.[1] ?? []).map((data) => JSON.parse(data)),
          )
        }
      })().catch(() => undefined)
      return { got, ended }
    },
  }
}
