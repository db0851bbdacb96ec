import type { WireEvent, WireRequest } from './wire.ts'

/** The open requests as the event stream tells them. Pure state: the clock is a parameter. */
export class WaitingList {
  readonly #requests = new Map<string, WireRequest>()
  #read = false

  /** @returns the requests that were not on the list before; of the first list that is read, none is new */
  replace(requests: readonly WireRequest[]): WireRequest[] {
    const added = this.#read ? requests.filter(({ request_id }) => !this.has(request_id)) : []
    this.#read = true
    this.#requests.clear()
    for (const request of requests) this.#requests.set(request.request_id, request)
    return added
  }

  /** @returns the request that is new on the list, if the event brought one */
  apply({ request, request_id, type }: WireEvent): WireRequest | undefined {
    const id = request?.request_id ?? request_id
    if (!id) return undefined
    if (type !== 'created' || request?.status !== 'pending') {
      if (request?.status !== 'pending') this.#requests.delete(id)
      return undefined
    }
    const known = this.#requests.has(id)
    this.#requests.set(id, request)
    return known ? undefined : request
  }

  get size(): number {
    return this.#requests.size
  }

  has(id: string): boolean {
    return this.#requests.has(id)
  }

  /** Least remaining first. */
  sorted(): WireRequest[] {
    return byRemaining([...this.#requests.values()])
  }
}

/** Least remaining first; the id decides between equals, so that rows do not change places. */
export function byRemaining(requests: readonly WireRequest[]): WireRequest[] {
  return [...requests].sort(
    (a, b) => (a.expires_at ?? '').localeCompare(b.expires_at ?? '') || a.request_id.localeCompare(b.request_id),
  )
}
