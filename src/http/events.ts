import { z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { ApprovalError } from '../approval/errors.ts'
import { holdFor } from '../approval/hold.ts'
import { type Actor, assertStill, maySee } from '../approval/identity.ts'
import { redactArguments } from '../approval/redact.ts'
import type { Request } from '../approval/request.ts'
import type { ApprovalEvent } from '../approval/store.ts'
import { ANY_EVENT } from '../approval/waiters.ts'
import { type App, type Ctx, type HttpDeps, route } from './routes.ts'
import { iso, viewOf } from './schemas.ts'

const HEARTBEAT_MS = 15_000
const PAGE = 100

/**
 * Everything that happens, as it happens. Each connection reads the record from where it is, so that a slow reader
 * costs nothing but its own delay, and one that reconnects with Last-Event-ID has missed nothing.
 */
export function mountEvents(app: App, { service, store, waiters, clock, rules, stopping }: HttpDeps): void {
  function view(c: Ctx, event: ApprovalEvent, request?: Request): Record<string, unknown> | undefined {
    const actor = c.get('actor')
    const owner = { user_id: request?.user_id ?? event.actor }
    if (!maySee(actor, owner, rules())) return undefined
    const { seq, type, request_id } = event
    const facts = { seq, at: iso(event.at), type, request_id, actor: event.actor, data: dataFor(actor, event) }
    return request ? { ...facts, request: viewOf(request, clock(), actor) } : facts
  }

  route(
    app,
    {
      method: 'get',
      path: '/api/events',
      summary: 'Server-sent events; Last-Event-ID resumes',
      answers: {
        200: { description: 'Events, one for each entry of the record', schema: z.string(), type: 'text/event-stream' },
      },
    },
    async (c) => {
      const end = (await store.lastEvent())?.seq ?? 0
      const resume = /^\d{1,15}$/.exec(c.req.header('last-event-id') ?? '')?.[0]
      let after = Math.min(resume === undefined ? end : Number(resume), end)
      return streamSSE(c, async (stream) => {
        const gone = new AbortController()
        stream.onAbort(() => gone.abort())
        await stream.write(': open\n\n')
        while (!gone.signal.aborted && !stopping.aborted) {
          const held = holdFor(HEARTBEAT_MS, [gone.signal, stopping])
          try {
            const woken = waiters.wait(ANY_EVENT, held.signal)
            const events = await store.events(after, PAGE)
            // Who was shut out meanwhile reads no further.
            assertStill(c.get('actor'), await store.user(c.get('actor').user_id))
            for (const event of events) {
              const { type, seq, request_id } = event
              const request = request_id === null ? undefined : await store.get(request_id)
              const facts = view(c, event, request)
              if (facts) await stream.writeSSE({ event: type, id: String(seq), data: JSON.stringify(facts) })
              if (type === 'created' && request && !gone.signal.aborted) {
                service.notified(c.get('actor'), request, clock())
              }
              after = seq
            }
            if (events.length === 0) {
              await woken
              if (held.signal.aborted) await stream.write(': still here\n\n')
            }
          } catch (error) {
            if (!(error instanceof ApprovalError)) throw error
            return
          } finally {
            held.release()
          }
          // A long replay lets everything else happen between its pages.
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
    },
  )
}

/** A bypassed call has its arguments in the record itself. */
function dataFor(reader: Actor, { actor, data }: ApprovalEvent): ApprovalEvent['data'] {
  if (typeof data.arguments !== 'string' || actor === reader.user_id) return data
  return { ...data, arguments: redactArguments(data.arguments).request_data }
}
