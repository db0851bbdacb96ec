/** Enough of a JSON-RPC message to send it on; the text goes out as it came. */
export interface Envelope {
  readonly id?: string | number
  readonly method?: string
  readonly params?: { readonly [key: string]: unknown; readonly _meta?: Record<string, unknown> }
}

/** What else a host may write is answered here: it has no id by which an answer of the desk could be told apart. */
export const isMessage = (said: unknown): said is Envelope =>
  typeof said === 'object' &&
  said !== null &&
  ('method' in said ? typeof said.method === 'string' : 'result' in said || 'error' in said)

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
/** What stands in the Mcp-Name header of each method. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

/** Clients of the revision without sessions say with every message what they speak; over HTTP it stands in headers. */
export function modernHeaders({ method, params }: Envelope): Record<string, string> {
  const version = params?._meta?.[VERSION_KEY]
  if (typeof version !== 'string' || method === undefined) return {}
  const name = params?.[NAMED_BY[method] ?? '']
  return {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': headerText(name) }),
  }
}

const headerText = (text: string): string =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')
    ? text
    : `=?base64?${Buffer.from(text).toString('base64')}?=`

/** The desk's own refusals are no messages of the protocol; those that are may lack the request's id. */
export function refusal(text: string, status: number, id: string | number | null): string {
  let value: { jsonrpc?: string; error?: object; detail?: string } = {}
  try {
    value = JSON.parse(text)
  } catch {
    // Something in between answered.
  }
  const error = value.jsonrpc === undefined ? undefined : value.error
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    error: error ?? { code: -32000, message: value.detail ?? `HTTP ${status}` },
  })
}
