import { z } from '@hono/zod-openapi'
import { digestOf } from '../approval/digest.ts'
import { LEVELS } from '../approval/request.ts'
import { type App, type HttpDeps, route } from './routes.ts'
import * as s from './schemas.ts'

const one = { description: 'The request', schema: s.requestView }
const many = z.object({ approvals: z.array(s.requestView), count: z.int() })

/** What changes requests: ask, decide, cancel, use. */
export function mountDeciding(app: App, { service, clock }: HttpDeps): void {
  route(
    app,
    {
      method: 'post',
      path: '/api/approvals',
      summary: 'Ask for approval of one call; an identical open one is joined',
      body: s.askBody,
      answers: {
        201: { description: 'A new request waits', schema: s.requestView },
        200: {
          description: 'Joined an open request, or none is needed',
          schema: s.requestView.or(z.object({ status: z.enum(['not_required', 'bypassed']), level: z.enum(LEVELS) })),
        },
      },
    },
    async (c, { body }) => {
      const now = clock()
      const { tool_name: tool, server = '', reason, timeout_seconds: timeout } = body
      const call = { server, tool, arguments: body.arguments }
      const asked = await service.ask(c.get('actor'), call, { reason: reason ?? null, timeout }, now)
      if (asked.outcome !== 'pending') return c.json({ status: asked.outcome, level: asked.level })
      return c.json(s.viewOf(asked.request, now, c.get('actor')), asked.joined ? 200 : 201)
    },
  )

  route(
    app,
    {
      method: 'post',
      path: '/api/approvals/batch',
      summary: 'Approve or reject several requests: all or none',
      body: s.batchBody,
      answers: { 200: { description: 'All were decided', schema: many } },
    },
    async (c, { body: { action, ids, reason } }) => {
      const now = clock()
      const decision = action === 'approve' ? 'approved' : 'rejected'
      const decided = await service.decide(c.get('actor'), ids, decision, reason, now)
      return c.json({ approvals: decided.map((r) => s.viewOf(r, now, c.get('actor'))), count: decided.length })
    },
  )

  for (const [action, decision] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    route(
      app,
      {
        method: 'post',
        path: `/api/approvals/{id}/${action}`,
        summary: `${action === 'approve' ? 'Approve' : 'Reject'} one request; the first decision wins`,
        body: s.decisionBody,
        answers: { 200: one },
      },
      async (c, { body }) => {
        const now = clock()
        const [request] = await service.decide(c.get('actor'), [c.req.param('id')!], decision, body.reason, now)
        return c.json(s.viewOf(request!, now, c.get('actor')))
      },
    )
  }

  route(
    app,
    {
      method: 'post',
      path: '/api/approvals/{id}/cancel',
      summary: 'Take a request back',
      answers: { 200: one },
    },
    async (c) => {
      const now = clock()
      const actor = c.get('actor')
      return c.json(s.viewOf(await service.cancel(actor, c.req.param('id')!, now), now, actor))
    },
  )

  route(
    app,
    {
      method: 'post',
      path: '/api/approvals/{id}/consume',
      summary: 'Use an approval: once, by its requester, for exactly the approved call',
      body: s.consumeBody,
      answers: { 200: one },
    },
    async (c, { body }) => {
      const now = clock()
      const digest =
        'digest' in body
          ? body.digest
          : digestOf({ server: body.server ?? '', tool: body.tool_name, arguments: body.arguments })
      const actor = c.get('actor')
      return c.json(s.viewOf(await service.consume(actor, c.req.param('id')!, digest, now), now, actor))
    },
  )
}
