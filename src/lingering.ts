import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'

/** What is read of a body that nobody wants, and for how long: an upload of any size is not waited for. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_MS = 30_000

/**
 * The answer, sent at once, and ended when the rest of the request's body has been read and thrown away. A connection
 * that is closed while the other end still writes is reset, and the answer is lost with it.
 */
export function lingering(answer: Response, incoming: IncomingMessage): Response {
  if (incoming.complete || incoming.destroyed) return answer
  const { status, headers, body } = answer
  return body === null ? answer : new Response(ReadableStream.from(andDiscard(body, incoming)), { status, headers })
}

async function* andDiscard(body: ReadableStream, incoming: IncomingMessage) {
  yield* body
  await discard(incoming)
}

async function discard(incoming: IncomingMessage): Promise<void> {
  const enough = new AbortController()
  const timer = setTimeout(() => enough.abort(), MAX_MS)
  let left = MAX_BYTES
  // Whoever had begun to read it would keep what comes.
  incoming.removeAllListeners('data').on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) enough.abort()
  })
  incoming.resume()
  await finished(incoming, { writable: false, signal: enough.signal }).catch(() => undefined)
  clearTimeout(timer)
}
