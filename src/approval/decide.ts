import { ApprovalError } from './errors.ts'
import { type Actor, SERVER_ACTOR } from './identity.ts'
import { type Decision, type Request, type Status, shortId, statusAt, TRANSITIONS } from './request.ts'

const iso = (ms: number | null): string | null => (ms === null || Number.isNaN(ms) ? null : new Date(ms).toISOString())

/** A change of one request's status, ready to be stored if the request is still as it was when this was computed. */
export interface Transition {
  readonly request_id: string
  readonly to: Exclude<Status, 'pending'>
  readonly at: number
  readonly actor: string
  readonly reason: string | null
}

/**
 * Approves or rejects. First decision wins; nobody decides on their own request, whatever RBAC says.
 * @throws ApprovalError `self_approval`, `expired`, `cancelled`, `already_decided`
 */
export function decide(request: Request, decision: Decision, reason: string, actor: Actor, now: number): Transition {
  if (request.user_id === actor.user_id) {
    throw new ApprovalError(
      'self_approval',
      `${actor.user_id} asked for ${shortId(request.request_id)}: someone else must decide`,
    )
  }
  assertOpen(request, now)
  return { request_id: request.request_id, to: decision, at: now, actor: actor.user_id, reason }
}

/** @throws ApprovalError `expired`, `cancelled`, `already_decided` */
export function cancel(request: Request, actor: Actor, now: number): Transition {
  assertOpen(request, now)
  return { request_id: request.request_id, to: 'cancelled', at: now, actor: actor.user_id, reason: null }
}

export const expire = (request: Pick<Request, 'request_id'>, now: number): Transition => ({
  request_id: request.request_id,
  to: 'expired',
  at: now,
  actor: SERVER_ACTOR,
  reason: null,
})

/** @throws ApprovalError that says who was first and when */
export function assertOpen(request: Request, now: number): void {
  const status = statusAt(request, now)
  if (TRANSITIONS[status].length > 0) return
  const id = shortId(request.request_id)
  if (status === 'expired') {
    const at = iso(request.expires_at)
    throw new ApprovalError('expired', `${id} expired at ${at}. The caller must ask again`, { expired_at: at })
  }
  if (status === 'cancelled') throw new ApprovalError('cancelled', `${id} was cancelled by its requester`)
  const at = iso(request.responded_at)
  throw new ApprovalError('already_decided', `${id} was already ${status} by ${request.responder_id} at ${at}`, {
    decision: status,
    decided_by: request.responder_id,
    decided_at: at,
    reason: request.response_reason,
  })
}

/** The use of an approval: by its requester, for exactly the approved call, once, in time. */
export interface Consumption {
  readonly request_id: string
  readonly digest: string
  readonly at: number
  /** Approvals decided at or before this instant are too old. */
  readonly decidedAfter: number
  readonly actor: string
}

/**
 * @param ttl seconds after the decision within which an approval may be used
 * @throws ApprovalError `role`, `digest_mismatch`, `not_approved`, `consumed`, `expired`
 */
export function consume(request: Request, digest: string, actor: Actor, now: number, ttl: number): Consumption {
  const id = shortId(request.request_id)
  if (request.user_id !== actor.user_id) {
    throw new ApprovalError('role', `only ${request.user_id}, who asked, may use the approval of ${id}`)
  }
  if (request.digest === null || request.digest !== digest) {
    throw new ApprovalError('digest_mismatch', `${id} was asked for another call: other arguments, tool or server`, {
      digest: request.digest,
    })
  }
  const status = statusAt(request, now)
  if (status !== 'approved') throw new ApprovalError('not_approved', `${id} is ${status}, not approved`, { status })
  if (request.consumed_at !== null) {
    const at = iso(request.consumed_at)
    throw new ApprovalError('consumed', `the approval of ${id} was used at ${at}; it counts once`, { consumed_at: at })
  }
  const decidedAfter = now - ttl * 1000
  // NaN, a time that another program wrote, is not later than anything either.
  if (request.responded_at === null || !(request.responded_at > decidedAfter)) {
    throw new ApprovalError('expired', `the approval of ${id} is older than ${ttl} s. Ask again`, { ttl_seconds: ttl })
  }
  return { request_id: request.request_id, digest, at: now, decidedAfter, actor: actor.user_id }
}
