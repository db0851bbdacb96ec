import { z } from '@hono/zod-openapi'
import { ApprovalError } from '../approval/errors.ts'
import { holdFor } from '../approval/hold.ts'
import { assertStill } from '../approval/identity.ts'
import type { Request } from '../approval/request.ts'
import type { Filter } from '../approval/store.ts'
import { type App, type HttpDeps, route } from './routes.ts'
import * as s from './schemas.ts'

/** Looking at requests: the waiting list, all of them, one, until it is decided. */
export function mountLooking(app: App, { service, store, clock, hold, stopping }: HttpDeps): void {
  route(
    app,
    {
      method: 'get',
      path: '/api/approvals/pending',
      summary: 'The waiting list, oldest first; count is the true total',
      query: s.pendingQuery,
      answers: {
        200: {
          description: 'The waiting list',
          schema: z.object({ pending_approvals: z.array(s.requestView), count: z.int(), server_time: z.string() }),
        },
      },
    },
    async (c, { query }) => {
      const now = clock()
      const { requests, count } = await service.open(c.get('actor'), query.limit ?? 1000, now)
      return c.json({
        pending_approvals: requests.map((r) => s.viewOf(r, now, c.get('actor'))),
        count,
        server_time: s.iso(now),
      })
    },
  )

  route(
    app,
    {
      method: 'get',
      path: '/api/approvals',
      summary: 'All requests, newest first, page by page',
      query: s.listQuery,
      answers: {
        200: {
          description: 'One page',
          schema: z.object({ approvals: z.array(s.requestView), next_cursor: z.string().nullable() }),
        },
      },
    },
    async (c, { query: { cursor, limit = 50, status, tool_name, user_id } }) => {
      const now = clock()
      const filter: Filter = {
        ...(status && { status }),
        ...(tool_name && { tool_name }),
        ...(user_id && { user_id }),
        ...(cursor && { after: readCursor(cursor) }),
        ...{ now, limit },
      }
      const { requests, next } = await service.list(c.get('actor'), filter)
      const next_cursor = next ? Buffer.from(`${next.requested_at}|${next.request_id}`).toString('base64url') : null
      return c.json({ approvals: requests.map((r) => s.viewOf(r, now, c.get('actor'))), next_cursor })
    },
  )

  route(
    app,
    {
      method: 'get',
      path: '/api/approvals/{id}',
      summary: 'One request; with wait=seconds the answer is held until it leaves pending',
      query: s.oneQuery,
      answers: { 200: { description: 'The request', schema: s.wholeView } },
    },
    async (c, { query }) => {
      const id = c.req.param('id')!
      const whole = async (request: Request) => {
        const actor = c.get('actor')
        const now = clock()
        const life = await service.lifeOf(actor, request.request_id)
        let view = s.viewOf(request, now, actor)
        if (query.reveal === 'true' && view.redacted > 0) {
          service.revealed(actor, request, now)
          view = s.viewOf(request, now, actor, true)
        }
        return c.json({ ...view, life: life?.map(s.sightingOf) ?? null })
      }
      if (!query.wait) return whole(await service.look(c.get('actor'), id, clock()))
      const held = holdFor(Math.min(query.wait, hold()) * 1000, [c.req.raw.signal, stopping])
      const hasLeft = () => c.req.raw.signal.aborted && !stopping.aborted
      const request = await service.wait(c.get('actor'), id, clock, held.signal, hasLeft).finally(held.release)
      assertStill(c.get('actor'), await store.user(c.get('actor').user_id))
      if (request.status === 'pending' && stopping.aborted) {
        throw new ApprovalError('shutting_down', 'the server stops; the request stays. Ask again for its status')
      }
      return whole(request)
    },
  )

  route(
    app,
    {
      method: 'get',
      path: '/api/approvals/{id}/status',
      summary: 'Where one request stands',
      answers: {
        200: {
          description: 'Its status',
          schema: s.requestView.pick({
            status: true,
            request_id: true,
            tool_name: true,
            requested_at: true,
            expires_at: true,
            responded_at: true,
            responder_id: true,
            response_reason: true,
          }),
        },
      },
    },
    async (c) => {
      const now = clock()
      const actor = c.get('actor')
      const view = s.viewOf(await service.look(actor, c.req.param('id')!, now), now, actor)
      const { status, request_id, tool_name, requested_at, expires_at, responded_at, responder_id, response_reason } =
        view
      return c.json({
        status,
        request_id,
        tool_name,
        requested_at,
        expires_at,
        responded_at,
        responder_id,
        response_reason,
      })
    },
  )
}

function readCursor(cursor: string): NonNullable<Filter['after']> {
  const text = Buffer.from(cursor, 'base64url').toString()
  const [, requested_at, request_id] = /^([^|]{1,40})\|([^|]{1,64})$/.exec(text) ?? []
  if (!requested_at || !request_id) throw new ApprovalError('invalid', 'cursor: not one that this server gave out')
  return { requested_at, request_id }
}
