import { timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { sha256 } from '../approval/digest.ts'
import { ApprovalError } from '../approval/errors.ts'
import { type Actor, SERVER_ACTOR, type User } from '../approval/identity.ts'
import type { HttpDeps } from './routes.ts'

type Deps = Pick<HttpDeps, 'store' | 'trustUserHeader' | 'loopbackOnly'>

/**
 * Who is calling: a bearer token, looked up by its SHA-256 for every request, so that a disabled user is out at once.
 * `X-User-ID` alone is a claim.
 */
export function authenticate({ store, trustUserHeader }: Deps): MiddlewareHandler<{ Variables: { actor: Actor } }> {
  return async (c, next) => {
    const header = c.req.header('authorization')
    const claimed = c.req.header('x-user-id')
    let user: User | undefined
    if (header !== undefined) user = await byToken(header)
    else if (claimed === undefined)
      throw refused('send Authorization: Bearer <token>; the tokens are in data/credentials.json')
    else if (!trustUserHeader) {
      throw refused(
        'X-User-ID is a claim, not a proof: send Authorization: Bearer <token>, or set APPROVAL_TRUST_USER_HEADER=true ' +
          'on a server that only this machine can reach',
      )
    } else user = await store.user(claimed)
    if (!user) throw refused('unknown user or token')
    if (!user.is_active) throw refused(`${user.user_id} is disabled`)
    if (user.user_id === SERVER_ACTOR) throw refused('the server itself signs as "server"; this user needs another id')
    const { user_id, role, token_sha256 } = user
    c.set('actor', header === undefined ? { user_id, role } : { user_id, role, token_sha256 })
    await next()
  }

  async function byToken(header: string): Promise<User | undefined> {
    if (!/^Bearer +\S/i.test(header)) throw refused('the Authorization header must read: Bearer <token>')
    const token = /^Bearer +([\x21-\x7e]{16,512})$/i.exec(header)?.[1]
    if (!token) return undefined
    const hash = sha256(token)
    const user = await store.userByToken(hash)
    // The look-up is by hash; comparing it again in constant time keeps an index's early exit from mattering.
    return user && timingSafeEqual(Buffer.from(user.token_sha256 ?? ''), Buffer.from(hash)) ? user : undefined
  }
}

const refused = (sentence: string) => new ApprovalError('unauthenticated', sentence)

const LOCAL = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * A page in the administrator's browser must not reach a desk that only this machine may call: neither under a name
 * that it made resolve to 127.0.0.1 (DNS rebinding), nor from another origin.
 */
export function onlyThisMachine({ loopbackOnly }: Deps): MiddlewareHandler {
  return async (c, next) => {
    if (loopbackOnly) {
      const host = c.req.header('host') ?? ''
      if (!LOCAL.test(host)) throw new ApprovalError('forbidden_origin', 'call this server as 127.0.0.1 or localhost')
      const origin = c.req.header('origin')
      if (origin !== undefined && origin !== `http://${host}`) {
        throw new ApprovalError('forbidden_origin', 'web pages of other origins may not call this server')
      }
    }
    await next()
  }
}
