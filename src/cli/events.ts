import { createParser } from 'eventsource-parser'
import { type Client, serverError, unreachable } from './client.ts'
import { isTransient, Unreachable } from './failure.ts'
import { pause } from './pause.ts'
import type { WireEvent } from './wire.ts'

export type FeedItem =
  /** (Re)connected: whatever was known before may be stale. */
  | { readonly kind: 'open' }
  | { readonly kind: 'event'; readonly event: WireEvent }
  | { readonly kind: 'lost'; readonly error: Unreachable | Error }

/** The server sends a comment every 15 s: three of them missing means that the line is dead. */
const SILENCE_MS = 45_000
const CONNECT_MS = 10_000
const MAX_EVENT = 8_000_000

/**
 * The server's events, for as long as the caller iterates. Reconnects by itself and goes on after the last event it
 * saw. The first connection must succeed; later ones may take as long as they need.
 * @throws ServerError, Unreachable
 */
export async function* follow(client: Client, signal: AbortSignal): AsyncGenerator<FeedItem> {
  const position = { lastId: '' }
  let attempts = 0
  let connected = false
  for (;;) {
    try {
      for await (const item of connection(client, position, signal)) {
        connected = true
        attempts = 0
        yield item
      }
      throw new Unreachable(client.url, 'closed', false)
    } catch (error) {
      if (signal.aborted) return
      if (!connected || !isTransient(error)) throw error
      if (attempts === 0) yield { kind: 'lost', error: error as Error }
    }
    await pause(Math.min(250 * 2 ** attempts++, 4000), signal)
    if (signal.aborted) return
  }
}

async function* connection(client: Client, position: { lastId: string }, outer: AbortSignal): AsyncGenerator<FeedItem> {
  const watchdog = new AbortController()
  const silence = () => setTimeout(() => watchdog.abort(new Error('silence')), SILENCE_MS)
  let timer = setTimeout(() => watchdog.abort(new Error('no answer')), CONNECT_MS)
  const signal = AbortSignal.any([outer, watchdog.signal])
  try {
    const response = await fetch(`${client.url}/api/events`, {
      signal,
      redirect: 'manual',
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${client.token}`,
        ...(position.lastId && { 'last-event-id': position.lastId }),
      },
    })
    if (!response.ok || !response.body || !/event-stream/.test(response.headers.get('content-type') ?? '')) {
      throw serverError(client.url, response.status, await response.json().catch(() => undefined))
    }
    yield { kind: 'open' }
    const events: WireEvent[] = []
    const parser = createParser({
      maxBufferSize: MAX_EVENT,
      onEvent: ({ id, data }) => {
        events.push(JSON.parse(data) as WireEvent)
        if (id) position.lastId = id
      },
    })
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(timer)
      timer = silence()
      parser.feed(chunk)
      for (const event of events.splice(0)) yield { kind: 'event', event }
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'ServerError') throw error
    throw unreachable(client.url, watchdog.signal.aborted ? watchdog.signal.reason : error, false)
  } finally {
    clearTimeout(timer)
  }
}
