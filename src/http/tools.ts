import { z } from '@hono/zod-openapi'
import type { CallOutcome } from '../approval/call-outcome.ts'
import { ApprovalError } from '../approval/errors.ts'
import type { Actor } from '../approval/identity.ts'
import { type Request as ApprovalRequest, LEVELS, shortId } from '../approval/request.ts'
import { readJson } from './body.ts'
import { type App, type HttpDeps, route } from './routes.ts'
import * as s from './schemas.ts'

/** What the routes need of the gateway; src/gateway is one. */
export interface ToolGateway {
  fetch(request: Request, actor: Actor, body: unknown): Promise<Response>
  call(
    actor: Actor,
    call: {
      readonly tool: string
      readonly arguments: Readonly<Record<string, unknown>>
      readonly reason: string | null
      readonly request_id: string | undefined
      readonly wait: number
      readonly signal: AbortSignal
    },
  ): Promise<CallOutcome>
  tools(): Promise<z.input<typeof listed>>
}

const result = z.object({ content: z.array(z.unknown()).optional(), isError: z.boolean().optional() }).loose()

const listed = z.object({
  tools: z.array(z.object({ name: z.string(), server: z.string(), level: z.enum(LEVELS), description: z.string() })),
  not_up: z.array(z.string()).openapi({ description: 'Tool servers whose tools are not known now.' }),
})

const pending = s.requestView.extend({ approval_required: z.literal(true), detail: z.string() })

/** The tools of the upstreams: over plain HTTP, and over the Model Context Protocol. */
export function mountTools(app: App, { gateway, clock, hold }: HttpDeps): void {
  route(
    app,
    {
      method: 'get',
      path: '/tools',
      summary: 'What can be called, on which tool server, and the level that the policy gives it',
      answers: { 200: { description: 'The tools, by name', schema: listed } },
    },
    async (c) => c.json(await gateway.tools()),
  )

  route(
    app,
    {
      method: 'post',
      path: '/tools/{tool}/call',
      summary: 'Call a tool; one that needs approval is held until a human has decided',
      query: s.callQuery,
      body: s.callBody,
      answers: {
        200: { description: "The tool's result, as it sent it; isError when the tool failed", schema: result },
        202: { description: 'Nobody has decided yet: make the same call again', schema: pending },
      },
    },
    async (c, { body, query }) => {
      const outcome = await gateway.call(c.get('actor'), {
        tool: c.req.param('tool')!,
        ...body,
        request_id: query.request_id,
        wait: query.wait ?? hold(),
        signal: c.req.raw.signal,
      })
      if (outcome.outcome === 'ran') {
        // By this a caller knows a result, whatever is in it, for one that passed the gate.
        c.header('X-Approval-Level', outcome.level)
        if (outcome.request) c.header('X-Approval-Request-Id', outcome.request.request_id)
        return c.json(outcome.result)
      }
      const { request } = outcome
      if (outcome.outcome === 'pending') {
        const detail = `${shortId(request.request_id)} waits for a decision. Make the same call again: it runs once approved`
        return c.json({ ...s.viewOf(request, clock(), c.get('actor')), approval_required: true, detail }, 202)
      }
      throw notRun(outcome.outcome, request)
    },
  )

  app.all('/mcp', async (c) => {
    const body = c.req.method === 'POST' ? await readJson(c) : undefined
    return gateway.fetch(c.req.raw, c.get('actor'), body)
  })
  for (const [method, summary] of [
    ['post', 'The Model Context Protocol (Streamable HTTP): messages of a client'],
    ['get', 'The stream of what the tool servers tell'],
    ['delete', 'End the session'],
  ] as const) {
    const responses = { 200: { description: 'As the protocol has it; text/event-stream where answers stream' } }
    app.openAPIRegistry.registerPath({ method, path: '/mcp', summary, security: [{ bearer: [] }], responses })
  }
}

function notRun(outcome: 'refused' | 'used', request: ApprovalRequest): ApprovalError {
  const id = shortId(request.request_id)
  if (outcome === 'used') {
    return new ApprovalError('consumed', `the approval of ${id} was used by another, identical call; it counts once`, {
      request_id: request.request_id,
    })
  }
  const { status, responder_id, response_reason } = request
  const by = status === 'rejected' ? ` by ${responder_id}: ${response_reason}` : ''
  return new ApprovalError('approval_required', `${id} is ${status}${by}; the call did not run`, {
    approval_required: true,
    request_id: request.request_id,
    approval_status: status,
    responder_id,
    reason: response_reason,
    responded_at: s.iso(request.responded_at),
    expires_at: s.iso(request.expires_at),
  })
}
