import { z } from '@hono/zod-openapi'
import type { AuditResult, Head } from '../approval/audit.ts'
import { sha256 } from '../approval/digest.ts'
import { ApprovalError } from '../approval/errors.ts'
import { assertMayAdminister, assertMayDecide, assertUserId, ROLES, type User } from '../approval/identity.ts'
import { ANY_EVENT } from '../approval/waiters.ts'
import { type App, type HttpDeps, route } from './routes.ts'
import { iso, userBody } from './schemas.ts'

const userView = z
  .object({
    user_id: z.string(),
    username: z.string().nullable(),
    role: z.string(),
    is_active: z.boolean(),
    created_at: z.string().nullable(),
    has_token: z.boolean(),
  })
  .openapi('User')
const tokenView = z.object({ user_id: z.string(), role: z.enum(ROLES).optional(), token: z.string() })
const auditView = z.object({
  ok: z.boolean(),
  events: z.int(),
  requests: z.int(),
  archives: z.object({ verified: z.int(), events: z.int(), missing: z.array(z.string()) }),
  head: z.object({ seq: z.int(), hash: z.string() }).nullable(),
  problems: z.array(z.object({ seq: z.int().nullable(), request_id: z.string().nullable(), what: z.string() })),
})

const viewOf = (user: User) => ({
  user_id: user.user_id,
  username: user.username,
  role: user.role,
  is_active: user.is_active,
  created_at: iso(user.created_at),
  has_token: user.token_sha256 !== null,
})

/** Administration: who may call, and whether the record is whole. */
export function mountUsers(app: App, { store, audit, waiters, clock, rules, newToken }: HttpDeps): void {
  const unknown = (id: string) => new ApprovalError('not_found', `no user ${JSON.stringify(id.slice(0, 64))}`)

  route(
    app,
    {
      method: 'get',
      path: '/api/users',
      summary: 'Every user',
      answers: { 200: { description: 'Users', schema: z.object({ users: z.array(userView) }) } },
    },
    async (c) => {
      assertMayAdminister(c.get('actor'))
      return c.json({ users: (await store.users()).map(viewOf) })
    },
  )

  route(
    app,
    {
      method: 'post',
      path: '/api/users',
      summary: 'Add a user; the token is shown this once',
      body: userBody,
      answers: { 201: { description: 'Added', schema: tokenView } },
    },
    async (c, { body: { user_id, role, username } }) => {
      const actor = c.get('actor')
      assertMayAdminister(actor)
      assertUserId(user_id)
      const token = newToken()
      const user = { user_id, role, username: username ?? null, token_sha256: sha256(token) }
      await store.addUser(user, actor.user_id, clock())
      return c.json({ user_id, role, token }, 201)
    },
  )

  for (const [action, active, summary] of [
    ['disable', false, 'Shut a user out, at once'],
    ['enable', true, 'Let a user in again'],
  ] as const) {
    route(
      app,
      {
        method: 'post',
        path: `/api/users/{id}/${action}`,
        summary,
        answers: { 200: { description: 'The user', schema: userView } },
      },
      async (c) => {
        const actor = c.get('actor')
        assertMayAdminister(actor)
        const id = c.req.param('id')!
        const user = await store.setActive(id, active, actor.user_id, clock())
        if (!user) throw unknown(id)
        // Open streams look again whose they are.
        waiters.wake(ANY_EVENT)
        return c.json(viewOf(user))
      },
    )
  }

  route(
    app,
    {
      method: 'post',
      path: '/api/users/{id}/token',
      summary: 'Issue a new token; the old one is worth nothing from now on',
      answers: { 200: { description: 'Shown this once', schema: tokenView } },
    },
    async (c) => {
      const actor = c.get('actor')
      assertMayAdminister(actor)
      const id = c.req.param('id')!
      const token = newToken()
      assertUserId(id)
      if (!(await store.setToken(id, sha256(token), actor.user_id, clock()))) throw unknown(id)
      waiters.wake(ANY_EVENT)
      return c.json({ user_id: id, token })
    },
  )

  let underWay: Promise<AuditResult> | undefined
  route(
    app,
    {
      method: 'get',
      path: '/api/audit/verify',
      summary: 'Walk the whole record: is every event, request, decision and user as it was written?',
      query: z.strictObject({
        head: z
          .string()
          .regex(/^\d{1,15}:[0-9a-f]{64}$/, 'SEQ:HASH, the number and the hash at the end of an evening report')
          .optional()
          .openapi({ description: 'SEQ:HASH of an earlier end of the record, which it must still contain' }),
      }),
      answers: { 200: { description: 'The result', schema: auditView } },
    },
    async (c, { query: { head } }) => {
      assertMayDecide(c.get('actor'), rules())
      if (head) return c.json(await audit(readHead(head)))
      // One walk serves all who ask meanwhile.
      underWay ??= audit().finally(() => {
        underWay = undefined
      })
      return c.json(await underWay)
    },
  )
}

function readHead(text: string): Head {
  const [seq, hash] = text.split(':') as [string, string]
  return { seq: Number(seq), hash }
}
