import { cutOf } from './archive.ts'
import { cancel, consume, decide, type Transition } from './decide.ts'
import { canonicalJson, digestOf } from './digest.ts'
import { ApprovalError } from './errors.ts'
import { explainLevel, forecast } from './forecast.ts'
import { type GateSettings, gateAt } from './gate.ts'
import {
  type Actor,
  assertMayAsk,
  assertMayCancel,
  assertMayDecide,
  maySee,
  SERVER_ACTOR,
  seesAll,
} from './identity.ts'
import type { Life, Sight } from './life.ts'
import { createLimits } from './limits.ts'
import { levelOf, needsApproval, type Policy } from './policy.ts'
import { type Call, type Decision, type Level, type Request, shortId, statusAt } from './request.ts'
import type { Filter, Store } from './store.ts'
import type { Waiters } from './waiters.ts'

/** The settings the rules need; durations in seconds. Read anew for every operation, so that a reload takes effect. */
export interface ServiceSettings extends GateSettings {
  readonly APPROVAL_TIMEOUT: number
  readonly APPROVAL_MAX_PENDING: number
  readonly APPROVAL_EXECUTION_TTL: number
  readonly RBAC_ENABLED: boolean
  readonly RATE_LIMIT_ENABLED: boolean
}

export interface ServiceDeps {
  readonly store: Store
  readonly waiters: Waiters
  readonly settings: () => ServiceSettings
  readonly policy: () => Policy
  readonly life: Pick<Life, 'see'> & { readonly flush: () => Promise<void> }
  /** A fresh UUIDv4. */
  readonly newId: () => string
  /** Told of every request that was stored or changed, after it is durable. */
  readonly onChange: (request: Request) => void
}

export type Asked =
  | { readonly outcome: 'pending'; readonly request: Request; readonly joined: boolean }
  | { readonly outcome: 'not_required' | 'bypassed'; readonly level: Level }

/** A request's life. Every method takes who calls and the one `now` of the operation, in ms since 1970. */
export type ApprovalService = ReturnType<typeof createService>

/** Key under which callers wait for any event at all. */
export const ANY_EVENT = '*'
const SWEEP = 500
const DAY = 86_400_000
/** Tries at a change whose ground moves. What is stored settles it at the second; a third says that the rows disagree. */
const ROUNDS = 3
const changing = () =>
  new ApprovalError('store_unavailable', 'the request changes faster than it can be read. Try again')

export function createService({ store, waiters, settings, policy, life, newId, onChange }: ServiceDeps) {
  const rules = () => ({ rbac: settings().RBAC_ENABLED })
  const limits = createLimits(() => settings().RATE_LIMIT_ENABLED, policy)

  function changed(requests: readonly Request[]): void {
    for (const request of requests) waiters.wake(request.request_id)
    if (requests.length > 0) waiters.wake(ANY_EVENT)
    requests.forEach(onChange)
  }

  /** Expires what is due. Returns how many. */
  async function sweep(now: number): Promise<number> {
    let total = 0
    // An `expired` on record says that whatever was seen of the request before is written: nobody was, when nothing is.
    await life.flush()
    for (;;) {
      const expired = await store.expireDue(now, SWEEP)
      changed(expired)
      total += expired.length
      if (expired.length < SWEEP) return total
    }
  }

  /** It may have been moved out: nobody looks into the archives for it, but they are named. */
  async function notHere(id: string): Promise<ApprovalError> {
    const until = cutOf(await store.lastEvent('archived')).archives.at(-1)?.until
    return until === undefined
      ? unknownId(id)
      : unknownId(id, `. Requests from before ${until} UTC are in the archives`)
  }

  async function resolveId(id: string): Promise<string> {
    const prefix = id.toLowerCase()
    if (!/^[0-9a-f]{8}[0-9a-f-]{0,28}$/.test(prefix)) throw unknownId(id)
    if (prefix.length === 36) return prefix
    const matches = await store.idsWithPrefix(prefix)
    if (matches.length > 1)
      throw new ApprovalError('ambiguous_id', `${id} fits more than one request. Give more digits`)
    if (matches[0] === undefined) throw await notHere(id)
    return matches[0]
  }

  /**
   * The request with this id or unique prefix, as stored: one past its deadline is expired first, so that nobody is
   * told an outcome that is not yet true.
   * @throws ApprovalError `not_found`, `ambiguous_id`
   */
  async function find(actor: Actor, id: string, now: number): Promise<Request> {
    const requestId = await resolveId(id)
    let request = await store.get(requestId)
    if (request && request.status !== statusAt(request, now)) {
      await sweep(now)
      request = await store.get(requestId)
    }
    if (!request || !maySee(actor, request, rules())) throw await notHere(id)
    return request
  }

  /** Puts down who may decide and sees this open request; that its requester looks shows that the caller is there. */
  function seen(what: Sight, actor: Actor, request: Request, now: number): void {
    if (statusAt(request, now) !== 'pending') return
    if (request.user_id === actor.user_id) {
      if (what === 'opened') life.see('waiting', request, actor.user_id, now)
    } else if (seesAll(actor, rules())) life.see(what, request, actor.user_id, now)
  }

  /** Computes the transitions from what is stored, applies them if nothing changed meanwhile, else computes anew. */
  async function settle(actor: Actor, ids: readonly string[], now: number, rule: (request: Request) => Transition) {
    for (let round = 0; round < ROUNDS; round++) {
      const requests: Request[] = []
      for (const id of ids) requests.push(await find(actor, id, now))
      const unique = [...new Map(requests.map((request) => [request.request_id, request])).values()]
      const done = await store.transition(unique.map(rule), actor)
      if (done) {
        changed(done)
        return done
      }
    }
    throw changing()
  }

  return {
    sweep,

    /** As `find` does, for somebody who looks at it. */
    async look(actor: Actor, id: string, now: number): Promise<Request> {
      const request = await find(actor, id, now)
      seen('opened', actor, request, now)
      return request
    },

    /** Who saw it and when, for those who see all requests; undefined where that is not recorded. */
    lifeOf: async (actor: Actor, id: string) => (seesAll(actor, rules()) ? store.lifeOf(id) : undefined),

    /** Somebody is shown the secrets of this request, whatever has become of it. */
    revealed: (actor: Actor, request: Request, now: number) => life.see('revealed', request, actor.user_id, now),

    /** Somebody was told that this was asked. */
    notified: (actor: Actor, request: Request, now: number) => seen('notified', actor, request, now),

    /**
     * Asks for approval of one call; joins the open request of the same requester and digest.
     * @param runs this is the call itself, and not only the question: it counts although nobody need be asked, and it
     *   joins an approval that was given a moment ago
     * @throws ApprovalError `role`, `rate_limited`, `queue_full`
     */
    async ask(
      actor: Actor,
      call: Call,
      {
        reason = null,
        timeout,
        runs = false,
      }: { reason?: string | null; timeout?: number | undefined; runs?: boolean },
      now: number,
    ): Promise<Asked> {
      const level = levelOf(policy(), call)
      assertMayAsk(actor, level, rules())
      const request_data = canonicalJson(call.arguments)
      const digest = digestOf(call)
      if (!needsApproval(level)) {
        if (runs) limits.count(actor, call, now)
        return { outcome: 'not_required', level }
      }
      const { APPROVAL_TIMEOUT, APPROVAL_MAX_PENDING, APPROVAL_EXECUTION_TTL, ...gate } = settings()
      if (!gateAt(gate, now).on) {
        limits.count(actor, call, now)
        const data = { server: call.server, tool: call.tool, level, digest, arguments: request_data }
        await store.append({ type: 'bypassed', request_id: null, actor: actor.user_id, at: now, data }, actor)
        waiters.wake(ANY_EVENT)
        return { outcome: 'bypassed', level }
      }
      const expires_at = now + Math.min(timeout ?? APPROVAL_TIMEOUT, APPROVAL_TIMEOUT) * 1000
      const what = { request_id: newId(), call, digest, request_data, actor, level, reason, at: now, expires_at }
      const asked = runs ? { ...what, usableAfter: now - APPROVAL_EXECUTION_TTL * 1000 } : what
      const { request, joined } = await limits.within(actor, call, now, {
        key: `${actor.user_id} ${digest}`,
        isAsked: async () => {
          const open = await store.openCall(actor.user_id, digest)
          return open !== undefined && statusAt(open, now) === 'pending'
        },
        ask: () => store.create(asked, APPROVAL_MAX_PENDING),
      })
      if (!joined) changed([request])
      return { outcome: 'pending', request, joined }
    },

    /**
     * The level of a call, and whether it needs a human's yes, for somebody who wants to know before asking.
     * @throws ApprovalError `role`
     */
    levelFor(actor: Actor, call: Pick<Call, 'server' | 'tool'>) {
      const level = levelOf(policy(), call)
      assertMayAsk(actor, level, rules())
      return { level, gated: needsApproval(level) }
    },

    /** Which rule of the policy in force decides on a tool. */
    explain: (call: Pick<Call, 'server' | 'tool'>) => explainLevel(policy(), call),

    /**
     * What another policy would have cost, from the calls of the last weeks that are on record.
     * @throws ApprovalError `role`
     */
    async forecast(actor: Actor, next: Policy, weeks: number, now: number) {
      assertMayDecide(actor, rules())
      const from = now - weeks * 7 * DAY
      const { calls, first } = await store.recordedCalls(from)
      const begin = (await store.events(0, 1))[0]?.at ?? now
      const since = Math.max(from, Math.min(begin, first ?? now))
      // Of less than a day nothing can be said by the day: it counts as one.
      const days = Math.max(1, (now - since) / DAY)
      return { since, days, ...forecast(policy(), next, calls, days) }
    },

    /** Whether somebody may use the tool servers at all: roles of the old system that ours do not know may not. */
    assertMayUse: (actor: Actor): void => assertMayAsk(actor, 'LOW', rules()),

    /** An approval of exactly this call that `consume` would take now. */
    usable: (actor: Actor, call: Call, now: number): Promise<Request | undefined> =>
      store.usable(actor.user_id, digestOf(call), now - settings().APPROVAL_EXECUTION_TTL * 1000),

    /** @throws ApprovalError `role`, `self_approval`, `expired`, `cancelled`, `already_decided` */
    async decide(actor: Actor, ids: readonly string[], decision: Decision, reason: string, now: number) {
      assertMayDecide(actor, rules())
      return settle(actor, ids, now, (request) => {
        try {
          return decide(request, decision, reason, actor, now)
        } catch (error) {
          const isLate = error instanceof ApprovalError && error.code === 'expired'
          if (isLate) life.see('late', request, actor.user_id, now)
          throw error
        }
      })
    },

    async cancel(actor: Actor, id: string, now: number): Promise<Request> {
      const [request] = await settle(actor, [id], now, (found) => {
        assertMayCancel(actor, found, rules())
        return cancel(found, actor, now)
      })
      return request!
    },

    /** Uses an approval. Whoever gets an answer here, and only they, may run the call, once. */
    async consume(actor: Actor, id: string, digest: string, now: number): Promise<Request> {
      for (let round = 0; round < ROUNDS; round++) {
        const request = await find(actor, id, now)
        const use = consume(request, digest, actor, now, settings().APPROVAL_EXECUTION_TTL)
        if (!(await store.hasOutcome(request.request_id))) {
          const sentence = `nobody approved ${shortId(request.request_id)} through the desk: its row was written from elsewhere`
          throw new ApprovalError('decision_unverified', sentence)
        }
        const used = await store.consume(use, actor)
        if (used) {
          changed([used])
          return used
        }
      }
      throw changing()
    },

    /**
     * The request when it has left pending, or as it is when `signal` aborts.
     * @param hasLeft whether it was the caller who hung up
     */
    async wait(
      actor: Actor,
      id: string,
      clock: () => number,
      signal: AbortSignal,
      hasLeft: () => boolean = () => false,
    ): Promise<Request> {
      let request = await find(actor, id, clock())
      seen('opened', actor, request, clock())
      const isCaller = request.user_id === actor.user_id && statusAt(request, clock()) === 'pending'
      while (statusAt(request, clock()) === 'pending' && !signal.aborted) {
        const woken = waiters.wait(request.request_id, signal)
        // It may have been decided between the read and the wait.
        const before = await store.get(request.request_id)
        if (before?.status === 'pending') await woken
        request = await find(actor, id, clock())
      }
      // Somebody else may wait in its name: who holds on to the end has not gone, though another one hung up.
      const isAnswered = request.status !== 'pending' && request.status !== 'expired'
      if (isCaller && !isAnswered) {
        const sight = request.status === 'pending' && hasLeft() ? 'left' : 'waiting'
        life.see(sight, request, actor.user_id, clock())
      }
      return request
    },

    async open(actor: Actor, limit: number, now: number) {
      const found = await store.open(now, limit, seesAll(actor, rules()) ? undefined : actor.user_id)
      for (const request of found.requests) seen('listed', actor, request, now)
      return found
    },

    async list(actor: Actor, filter: Filter) {
      const found = await store.list(seesAll(actor, rules()) ? filter : { ...filter, user_id: actor.user_id })
      for (const request of found.requests) seen('listed', actor, request, filter.now)
      return found
    },

    /**
     * After another process wrote to the database: wakes whoever waits for a request that left pending. An answer that
     * did not come through a desk is put on record as what it is.
     */
    async noticeOthers(now: number): Promise<void> {
      for (const id of waiters.keys()) {
        if (id === ANY_EVENT) continue
        const request = await store.get(id)
        if (request && statusAt(request, now) === 'pending') continue
        if (request && request.status !== 'expired' && request.digest !== null && !(await store.hasOutcome(id))) {
          const data = { status: request.status, responder_id: request.responder_id }
          await store.append({ type: 'changed_elsewhere', request_id: id, actor: SERVER_ACTOR, at: now, data })
        }
        waiters.wake(id)
      }
      waiters.wake(ANY_EVENT)
    },
  }
}

const unknownId = (id: string, more = ''): ApprovalError =>
  new ApprovalError(
    'not_found',
    `no request ${JSON.stringify(id.slice(0, 64))}. Give its full id, or at least its first 8 digits${more}`,
  )
