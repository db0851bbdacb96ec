import { OpenAPIHono, z } from '@hono/zod-openapi'
import { ApprovalError } from '../approval/errors.ts'
import { authenticate, onlyThisMachine } from './authentication.ts'
import { mountDeciding } from './deciding.ts'
import { mountEvents } from './events.ts'
import { mountLooking } from './looking.ts'
import { mountPolicy } from './policy.ts'
import { internalProblem, problem } from './problems.ts'
import { mountReports } from './reports.ts'
import type { App, HttpDeps } from './routes.ts'
import { mountTools } from './tools.ts'
import { mountUsers } from './users.ts'

const METHODS = ['GET', 'POST'] as const

/** Whether a route, not only a middleware, would answer. */
const answers = (app: App, method: string, path: string): boolean =>
  app.router.match(method, path)[0].some(([[, route]]) => route.method === method)

/** The desk over HTTP. Nothing here decides anything: routes translate, src/approval judges. */
export function createApp(deps: HttpDeps): App {
  const app: App = new OpenAPIHono()
  app.use(onlyThisMachine(deps))
  for (const path of ['/api/*', '/reports/*', '/tools/*', '/mcp']) {
    app.use(path, async (_c, next) => {
      if (deps.stopping.aborted) {
        throw new ApprovalError('shutting_down', 'the server is stopping. Ask again in a moment')
      }
      await next()
    })
    app.use(path, authenticate(deps))
  }

  app.get('/health', async (c) => {
    const { body, ok } = await deps.health()
    return c.json(body, ok ? 200 : 503)
  })
  for (const [path, summary, type] of [
    ['/health', 'What the running server does; no login', 'application/json'],
    ['/metrics', 'For Prometheus; no login', 'text/plain'],
  ] as const) {
    const content = { [type]: { schema: z.unknown() } }
    const responses = { 200: { description: summary, content }, 503: { description: 'Nothing can be stored', content } }
    app.openAPIRegistry.registerPath({ method: 'get', path, summary, security: [], responses })
  }
  app.get('/metrics', async (c) =>
    c.text(await deps.metrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  mountLooking(app, deps)
  mountDeciding(app, deps)
  mountEvents(app, deps)
  mountTools(app, deps)
  mountPolicy(app, deps)
  mountUsers(app, deps)
  mountReports(app, deps)

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  let document: unknown
  app.get('/openapi.json', (c) => {
    document ??= app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'approval-ops', version: deps.version, description: 'An approval desk for dangerous tool calls.' },
    })
    return c.json(document as object)
  })

  app.notFound((c) => {
    const { method, path } = c.req
    const allow = METHODS.filter((other) => other !== method && answers(app, other, path))
    if (allow.length === 0) {
      return problem(new ApprovalError('not_found', `nothing answers ${method} ${path}. GET /openapi.json lists all`))
    }
    const sentence = `${path} does not answer ${method}, but ${allow.join(' and ')}`
    const answer = problem(new ApprovalError('method_not_allowed', sentence))
    answer.headers.set('Allow', allow.join(', '))
    return answer
  })
  app.onError((error, c) => {
    if (error instanceof ApprovalError) {
      if (error.cause !== undefined && error.code === 'store_unavailable') deps.logError(error.cause, c.req.path)
      return problem(error)
    }
    deps.logError(error, c.req.path)
    return internalProblem()
  })
  return app
}
