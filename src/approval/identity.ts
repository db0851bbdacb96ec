import { ApprovalError } from './errors.ts'
import type { Level, Request } from './request.ts'

/** Each role may do what the roles before it may. */
export const ROLES = ['guest', 'developer', 'approver', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Who is calling, as proven by a token (or claimed, where the claim is trusted). */
export interface Actor {
  readonly user_id: string
  /** Roles of the old system that ours do not know may nothing. */
  readonly role: Role | 'none'
  /** The token that proved it; absent where X-User-ID is trusted. */
  readonly token_sha256?: string | null
}

export interface User extends Actor {
  readonly token_sha256: string | null
  readonly username: string | null
  readonly is_active: boolean
  readonly created_at: number | null
}

/** `RBAC_ENABLED=false` skips these, and nothing else. */
export interface AccessRules {
  readonly rbac: boolean
}

/** Who expires requests and starts the server; no user can have this name. */
export const SERVER_ACTOR = 'server'

const USER_ID = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/

export function assertUserId(userId: string): void {
  if (!USER_ID.test(userId) || userId === SERVER_ACTOR) {
    throw new ApprovalError('invalid', 'user_id: allowed are 1 to 64 letters, digits and _ . @ -, and not "server"')
  }
}

const atLeast = (actor: Actor, role: Role): boolean =>
  actor.role !== 'none' && ROLES.indexOf(actor.role) >= ROLES.indexOf(role)

function assertRole(actor: Actor, role: Role, what: string, rules: AccessRules): void {
  if (rules.rbac && !atLeast(actor, role)) {
    throw new ApprovalError('role', `${actor.user_id} (${actor.role}) may not ${what}: that takes the role ${role}`, {
      required_role: role,
    })
  }
}

/** Guests may call LOW and MEDIUM tools; a request for approval takes a developer. */
export function assertMayAsk(actor: Actor, level: Level, rules: AccessRules): void {
  const role = level === 'LOW' || level === 'MEDIUM' ? 'guest' : 'developer'
  assertRole(actor, role, `call ${level} tools`, rules)
}

export const assertMayDecide = (actor: Actor, rules: AccessRules): void =>
  assertRole(actor, 'approver', 'decide requests', rules)

/** Reports name people and what they decided. */
export const assertMayReadReports = (actor: Actor, rules: AccessRules): void =>
  assertRole(actor, 'approver', 'read the kept reports', rules)

/** RBAC or not: whoever hands out tokens can be anyone, and could answer their own request. */
export const assertMayAdminister = (actor: Actor): void => assertRole(actor, 'admin', 'manage users', { rbac: true })

/**
 * Is the caller who was let in still the same? Asked again where the change is made, so that nobody who was disabled,
 * demoted or given a new token meanwhile still decides.
 * @throws ApprovalError `unauthenticated`
 */
export function assertStill(actor: Actor, user: User | undefined): void {
  if (!user?.is_active) throw new ApprovalError('unauthenticated', `${actor.user_id} is disabled`)
  if (user.role !== actor.role || (actor.token_sha256 !== undefined && user.token_sha256 !== actor.token_sha256)) {
    throw new ApprovalError('unauthenticated', `the token or the role of ${actor.user_id} has changed. Sign in again`)
  }
}

/** The same as an answer. */
export function isStill(actor: Actor, user: User | undefined): boolean {
  try {
    assertStill(actor, user)
    return true
  } catch {
    return false
  }
}

/** Approvers see every request, others their own. */
export const seesAll = (actor: Actor, rules: AccessRules): boolean => !rules.rbac || atLeast(actor, 'approver')

export const maySee = (actor: Actor, request: Pick<Request, 'user_id'>, rules: AccessRules): boolean =>
  seesAll(actor, rules) || request.user_id === actor.user_id

/** The requester takes a request back; so may an administrator. */
export function assertMayCancel(actor: Actor, request: Pick<Request, 'user_id'>, rules: AccessRules): void {
  if (request.user_id !== actor.user_id) assertRole(actor, 'admin', "cancel another user's request", rules)
}
