import { cutOf } from './archive.ts'
import { ApprovalError } from './errors.ts'
import { type Actor, maySee, seesAll } from './identity.ts'
import type { Life, Sight } from './life.ts'
import { type Request, statusAt } from './request.ts'
import type { Filter, Store } from './store.ts'

export interface LookupDeps {
  readonly store: Store
  readonly rules: () => { readonly rbac: boolean }
  readonly life: Pick<Life, 'see'>
  /** Expires what is due. */
  readonly sweep: (now: number) => Promise<unknown>
}

export type Lookup = ReturnType<typeof createLookup>

/** Who finds which request, and what is put down of their seeing it. */
export function createLookup({ store, rules, life, sweep }: LookupDeps) {
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

  return {
    find,
    seen,

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
  }
}

const unknownId = (id: string, more = ''): ApprovalError =>
  new ApprovalError(
    'not_found',
    `no request ${JSON.stringify(id.slice(0, 64))}. Give its full id, or at least its first 8 digits${more}`,
  )
