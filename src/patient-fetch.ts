import { Agent as HttpAgent, type IncomingMessage, request as overHttp } from 'node:http'
import { Agent as HttpsAgent, request as overHttps } from 'node:https'
import { Readable } from 'node:stream'

/** How often a connection on which nothing is said is tried, ms: silence is no reason to give up, a dead peer is. */
const ALIVE = 30_000
/** As Node's own agents keep connections, but for that: theirs would be told the one and the other with every request. */
const KEPT = { keepAlive: true, keepAliveMsecs: ALIVE, scheduling: 'lifo', timeout: 5000 } as const
const WAYS: Readonly<Record<string, { request: typeof overHttp; agent: HttpAgent }>> = {
  'http:': { request: overHttp, agent: new HttpAgent(KEPT) },
  'https:': { request: overHttps, agent: new HttpsAgent(KEPT) },
}

interface Asked {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal | null | undefined
}

/** What a request that ended without an answer, or in the middle of it, throws. */
export const fetchFailed = (cause: unknown, signal: AbortSignal | null | undefined): unknown =>
  signal?.aborted ? signal.reason : new TypeError('fetch failed', { cause })

/**
 * Sends a request whose answer may be silent for as long as a tool runs: fetch gives up after five minutes without a
 * byte. Redirects are not followed.
 * @throws TypeError whose cause has the system's code, or the reason of the signal
 */
export function patientRequest(
  url: string | URL,
  { method = 'GET', headers, body, signal }: Asked,
): Promise<IncomingMessage> {
  const place = typeof url === 'string' ? new URL(url) : url
  const { request, agent } = WAYS[place.protocol]!
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const asked = request(
      place,
      { agent, method, headers: { ...headers, ...length }, ...(signal && { signal }) },
      resolve,
    )
    asked.on('error', (cause) => reject(fetchFailed(cause, signal)))
    asked.end(body)
  })
}

/** The same in the shape of `fetch`, for libraries that take one. Bodies are sent as text. */
export async function patientFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const { method, headers, body, signal } = init
  const answer = await patientRequest(url, {
    ...{ method, signal, headers: Object.fromEntries(new Headers(headers)) },
    body: body === undefined || body === null ? undefined : String(body),
  })
  const { statusCode = 0, rawHeaders } = answer
  const pairs = rawHeaders.flatMap((name, n): [string, string][] => (n % 2 ? [] : [[name, rawHeaders[n + 1]!]]))
  const isEmpty = [204, 205, 304].includes(statusCode)
  if (isEmpty) answer.resume()
  return new Response(isEmpty ? null : (Readable.toWeb(answer) as ReadableStream), {
    status: statusCode,
    headers: pairs,
  })
}
