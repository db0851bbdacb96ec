import { cancel, consume, decide, type Transition } from './decide.ts'
import { digestOf } from './digest.ts'
import { ApprovalError } from './errors.ts'
import { type Actor, assertMayCancel, assertMayDecide } from './identity.ts'
import type { Lookup } from './lookup.ts'
import { type Call, type Decision, type Request, shortId } from './request.ts'
import type { ServiceDeps } from './service.ts'

export interface DecidingDeps extends Pick<ServiceDeps, 'store' | 'settings'> {
  readonly rules: () => { readonly rbac: boolean }
  readonly find: Lookup['find']
  readonly life: Pick<ServiceDeps['life'], 'see'>
  /** Told of what was stored, after it is durable. */
  readonly changed: (requests: readonly Request[]) => void
}

/** Tries at a change whose ground moves. What is stored settles it at the second; a third says that the rows disagree. */
const ROUNDS = 3
const changing = () =>
  new ApprovalError('store_unavailable', 'the request changes faster than it can be read. Try again')

/** What ends a request: its answer, its withdrawal, its one use. */
export function createDeciding({ store, settings, rules, find, life, changed }: DecidingDeps) {
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
  }
}
