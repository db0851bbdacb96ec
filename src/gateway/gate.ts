import type { CallOutcome } from '../approval/call-outcome.ts'
import { digestOf } from '../approval/digest.ts'
import { ApprovalError } from '../approval/errors.ts'
import { holdFor } from '../approval/hold.ts'
import type { Actor } from '../approval/identity.ts'
import { type Call, type Request, shortId, statusAt } from '../approval/request.ts'
import type { ApprovalService } from '../approval/service.ts'
import type { Raw } from './raw.ts'

/** One tool of one upstream, about to be called. */
export interface Target {
  readonly call: Call
  /** @throws ApprovalError `upstream_unavailable` */
  assertUp(): void
  /** @throws ApprovalError `invalid` when the tool would not take these arguments */
  assertArguments(): void
  /**
   * Passes the call on, once. `approved`, if it was: exactly these arguments, and nothing that nobody was shown; what goes
   * wrong then is `spent`.
   */
  run(args: Call['arguments'], approved: Request | undefined): Promise<Raw>
}

export interface Caller {
  readonly actor: Actor
  /** Aborts when the caller has gone or has cancelled. From then on nothing is used and nothing runs. */
  readonly signal: AbortSignal
  /** Longest time that the answer is held back, s. */
  readonly wait: number
  /** Wait for and use this request alone, and never ask anew. */
  readonly request_id?: string | undefined
  readonly reason?: string | null | undefined
  /** Told of the request that is waited for, before the waiting. Answers what ends the telling. */
  readonly onWaiting?: (request: Request) => () => void
}

export interface GateDeps {
  readonly service: ApprovalService
  /** ms since 1970 */
  readonly clock: () => number
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
}

/** Callers who were told "still waiting" and not yet how it ended. More than these are asked about anew. */
const MOST_TOLD = 10_000

/** The only way to a tool: every call, over whatever protocol, goes through `pass`. */
export function createGate({ service, clock, stopping }: GateDeps) {
  /** By user and digest, the request that a caller was told to come back for. */
  const told = new Map<string, string>()

  /**
   * Asks where the policy says so, waits, uses the approval and runs the call.
   * @throws ApprovalError when nothing ran, with what is wrong; whatever `run` throws
   */
  async function pass(target: Target, caller: Caller): Promise<CallOutcome> {
    const { call } = target
    const { actor, signal } = caller
    target.assertUp()
    const { level, gated } = service.levelFor(actor, call)
    if (gated) target.assertArguments()
    assertHere(signal)
    if (caller.request_id !== undefined) return hold(target, caller, await own(caller, caller.request_id, call))
    if (gated) {
      const earlier = (await lateApproval(target, caller)) ?? (await lateRefusal(call, actor))
      if (earlier) return earlier
      assertHere(signal)
    }
    const asked = await service.ask(actor, call, { reason: caller.reason ?? null, runs: true }, clock())
    if (asked.outcome !== 'pending') {
      assertHere(signal)
      return { outcome: 'ran', level, result: await target.run(call.arguments, undefined), request: null }
    }
    return hold(target, caller, asked.request)
  }

  /** What cannot be used is not waited for: somebody else's request, which an approver sees, or one of another call. */
  async function own({ actor }: Caller, id: string, call: Call): Promise<Request> {
    const request = await service.look(actor, id, clock())
    const short = shortId(request.request_id)
    if (request.user_id !== actor.user_id) {
      throw new ApprovalError('role', `only ${request.user_id}, who asked, may use ${short}`)
    }
    if (request.digest === digestOf(call)) return request
    throw new ApprovalError('digest_mismatch', `${short} was asked for another call: other arguments, tool or server`)
  }

  async function hold(target: Target, caller: Caller, request: Request): Promise<CallOutcome> {
    const done = statusAt(request, clock()) === 'pending' ? caller.onWaiting?.(request) : undefined
    const held = holdFor(caller.wait * 1000, [caller.signal, stopping])
    const hasLeft = () => caller.signal.aborted
    const waited = service.wait(caller.actor, request.request_id, clock, held.signal, hasLeft).finally(() => {
      held.release()
      done?.()
    })
    return settle(target, caller, await waited)
  }

  async function settle(target: Target, caller: Caller, request: Request): Promise<CallOutcome> {
    const { actor, signal } = caller
    assertHere(signal)
    if (request.status === 'approved') {
      try {
        return await use(target, caller, request)
      } catch (error) {
        // Of several callers who waited for it one has used it: the others were not asked about.
        if (!(error instanceof ApprovalError) || error.code !== 'consumed' || caller.request_id) throw error
        return { outcome: 'used', request }
      }
    }
    if (request.status !== 'pending') return { outcome: 'refused', request }
    if (stopping.aborted) {
      throw new ApprovalError('shutting_down', 'the server stops; the request stays. Make the same call again')
    }
    // Who would not wait at all looks after the request itself.
    if (caller.wait > 0) remember(actor, target.call, request.request_id)
    return { outcome: 'pending', request }
  }

  /** Between the approval and the run stands nothing but these lines. */
  async function use(target: Target, { actor, signal }: Caller, request: Request): Promise<CallOutcome> {
    target.assertUp()
    assertHere(signal)
    const used = await service.consume(actor, request.request_id, digestOf(target.call), clock())
    assertHere(signal)
    // What was digested is what runs: the text of the record, not what the caller sent.
    const result = await target.run(JSON.parse(used.request_data), used)
    return { outcome: 'ran', level: used.level ?? 'HIGH', result, request: used }
  }

  /** Approved after the caller was let go: it runs at once. Whoever finds that another was faster asks anew. */
  async function lateApproval(target: Target, caller: Caller): Promise<CallOutcome | undefined> {
    const usable = await service.usable(caller.actor, target.call, clock())
    if (!usable) return undefined
    try {
      const ran = await use(target, caller, usable)
      told.delete(key(caller.actor, target.call))
      return ran
    } catch (error) {
      const lost = ['consumed', 'expired', 'decision_unverified']
      if (error instanceof ApprovalError && lost.includes(error.code)) return undefined
      throw error
    }
  }

  /** Rejected or expired after the caller was let go: it hears that once, instead of asking again without knowing. */
  async function lateRefusal(call: Call, actor: Actor): Promise<CallOutcome | undefined> {
    const id = told.get(key(actor, call))
    if (id === undefined) return undefined
    told.delete(key(actor, call))
    const request = await service.look(actor, id, clock())
    const isRefused = request.status !== 'pending' && request.status !== 'approved'
    return isRefused ? { outcome: 'refused', request } : undefined
  }

  function remember(actor: Actor, call: Call, id: string): void {
    told.delete(key(actor, call))
    told.set(key(actor, call), id)
    if (told.size > MOST_TOLD) told.delete(told.keys().next().value!)
  }

  return { pass }
}

export type Gate = ReturnType<typeof createGate>

/** Who was approved and got no result must know that the approval is gone, and whether anything can have run. */
export function spent(error: unknown, { request_id }: Request): unknown {
  if (!(error instanceof ApprovalError)) return error
  const { code, message, facts } = error
  const nothingRan = code === 'upstream_unavailable' ? ', and nothing ran' : ''
  const sentence = `${message}; the approval ${shortId(request_id)} is used${nothingRan}. The same call asks anew`
  return new ApprovalError('upstream_error', sentence, { ...facts, request_id }, { cause: error })
}

const key = (actor: Actor, call: Call): string => `${actor.user_id} ${digestOf(call)}`

function assertHere(signal: AbortSignal): void {
  if (signal.aborted) throw new ApprovalError('caller_gone', 'the caller has gone or cancelled: nothing ran')
}
