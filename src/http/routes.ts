import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { AuditResult, Head } from '../approval/audit.ts'
import type { Actor } from '../approval/identity.ts'
import type { ApprovalService } from '../approval/service.ts'
import type { Store } from '../approval/store.ts'
import type { Waiters } from '../approval/waiters.ts'
import { readJson, validate } from './body.ts'
import type { ReportFiles } from './reports.ts'
import type { ToolGateway } from './tools.ts'

/** What the routes are given; all of it is wired in src/desk.ts. */
export interface HttpDeps {
  readonly service: ApprovalService
  readonly store: Store
  /** Walks the whole record, its archives included. */
  readonly audit: (known?: Head) => Promise<AuditResult>
  readonly waiters: Waiters
  /** The one instant of an operation, ms since 1970. */
  readonly clock: () => number
  readonly rules: () => { readonly rbac: boolean }
  /** Longest time an answer is held back, s. */
  readonly hold: () => number
  /** The claim in X-User-ID counts as proof (loopback only). */
  readonly trustUserHeader: boolean
  /** Set when only this machine may call: then Host and Origin must name it. */
  readonly loopbackOnly: boolean
  readonly gateway: ToolGateway
  readonly newToken: () => string
  readonly reports: ReportFiles
  readonly version: string
  readonly health: () => Promise<{ body: Record<string, unknown>; ok: boolean }>
  readonly metrics: () => Promise<string>
  readonly logError: (error: unknown, path: string) => void
  /** Aborted when the server stops: every held answer ends. */
  readonly stopping: AbortSignal
}

export type App = OpenAPIHono<{ Variables: { actor: Actor } }>
export type Ctx = Context<{ Variables: { actor: Actor } }>

export interface RouteSpec<B extends z.ZodType, Q extends z.ZodType> {
  readonly method: 'get' | 'post'
  /** In OpenAPI form: `/api/approvals/{id}`. */
  readonly path: `/${string}`
  readonly summary: string
  readonly body?: B
  readonly query?: Q
  /** Status -> what it means; the problems are added to each. */
  readonly answers: Readonly<Record<number, { description: string; schema: z.ZodType; type?: string }>>
}

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: 'Stable; programs decide by it.' }),
  })
  .loose()
  .openapi('Problem')

/**
 * Mounts one route and its entry in /openapi.json from one declaration: the schema that is published is the schema
 * that validates.
 */
export function route<B extends z.ZodType, Q extends z.ZodType>(
  app: App,
  spec: RouteSpec<B, Q>,
  handle: (c: Ctx, input: { body: z.output<B>; query: z.output<Q> }) => Promise<Response>,
): void {
  app.openAPIRegistry.registerPath(documentation(spec))
  const path = spec.path.replace(/\{(\w+)\}/g, ':$1')
  app.on(spec.method, path, async (c) => {
    const query = (spec.query ? validate(spec.query, c.req.query()) : {}) as z.output<Q>
    const body = (spec.body ? validate(spec.body, await readJson(c)) : undefined) as z.output<B>
    return handle(c, { body, query })
  })
}

function documentation({ method, path, summary, body, query, answers }: RouteSpec<z.ZodType, z.ZodType>) {
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema, type = 'application/json' }]) => [
      status,
      { description, content: { [type]: { schema } } },
    ]),
  )
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
  return createRoute({
    method,
    path,
    summary,
    security: [{ bearer: [] }],
    request: {
      ...(names.length > 0 && { params: z.object(Object.fromEntries(names.map((n) => [n, z.string()]))) }),
      ...(query instanceof z.ZodObject && { query }),
      ...(body && { body: { required: true, content: { 'application/json': { schema: body } } } }),
    },
    responses: {
      ...responses,
      default: {
        description: 'A problem (RFC 9457)',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    },
  })
}
