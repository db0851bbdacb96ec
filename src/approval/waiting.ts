import { type Actor, SERVER_ACTOR } from './identity.ts'
import type { Lookup } from './lookup.ts'
import { type Request, statusAt } from './request.ts'
import type { ServiceDeps } from './service.ts'
import { ANY_EVENT } from './waiters.ts'

export interface WaitingDeps extends Pick<ServiceDeps, 'store' | 'waiters'> {
  readonly find: Lookup['find']
  readonly seen: Lookup['seen']
  readonly life: Pick<ServiceDeps['life'], 'see'>
}

/** Callers that wait for an answer, and what wakes them. */
export function createWaiting({ store, waiters, find, seen, life }: WaitingDeps) {
  return {
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
