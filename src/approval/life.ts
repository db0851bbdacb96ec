import { CANARY_SERVER, type Request } from './request.ts'

/**
 * What is put down of a request's life beside its transitions; sql/migrations/security/003-request-life.sql says more.
 * And `revealed`: somebody else than its requester was shown the secrets in its arguments.
 */
export const SIGHTS = ['notified', 'listed', 'opened', 'waiting', 'left', 'late', 'revealed'] as const
export type Sight = (typeof SIGHTS)[number]

/** Who was seen with a request: the first time and the last, ms since 1970. */
export interface Sighting {
  readonly request_id: string
  readonly what: Sight
  readonly who: string
  readonly first_at: number
  readonly last_at: number
}

/**
 * Who sees which request, held in memory until it is written: looking at requests waits for no disk, and a list that is
 * shown every second is written once.
 */
export interface Life {
  see(what: Sight, request: Pick<Request, 'request_id' | 'server'>, who: string, at: number): void
  /** What is to be written, the oldest first; it counts as written unless it is given back. */
  take(limit: number): Sighting[]
  giveBack(sightings: readonly Sighting[]): void
}

/** What is worth a write each time, for the newest instant counts. */
const EACH_TIME: readonly Sight[] = ['left', 'late', 'revealed']
/** How old a caller's last sign may be before the next one is worth a write. */
const SIGN_OF_LIFE_MS = 15_000
/** What is remembered to have been written. Whatever is forgotten is written again, which changes nothing. */
const REMEMBERED = 20_000
/**
 * Attempts to decide what has expired, waiting to be written. All else is bounded by the open requests and the people
 * there are; these are not.
 */
const MAX_LATE = 10_000

/** @param onNews called when there is something to take */
export function createLife(onNews: () => void): Life {
  const unwritten = new Map<string, Sighting>()
  /** When the newest written sighting was. */
  const written = new Map<string, number>()
  const keyOf = (what: Sight, request_id: string, who: string) => `${request_id} ${what} ${who}`

  function isNews(what: Sight, request_id: string, who: string, at: number): boolean {
    const last = written.get(keyOf(what, request_id, who))
    if (last === undefined || EACH_TIME.includes(what)) return true
    if (what !== 'waiting') return false
    if (at - last >= SIGN_OF_LIFE_MS) return true
    // Whoever hung up and is back has not gone.
    const left = keyOf('left', request_id, who)
    return unwritten.has(left) || (written.get(left) ?? last) > last
  }

  return {
    see(what, { request_id, server }, who, at) {
      if (server === CANARY_SERVER) return
      const key = keyOf(what, request_id, who)
      const before = unwritten.get(key)
      if (!before && !isNews(what, request_id, who, at)) return
      if (!before && what === 'late' && unwritten.size >= MAX_LATE) return
      unwritten.set(key, { request_id, what, who, first_at: before?.first_at ?? at, last_at: at })
      if (!before) onNews()
    },
    take(limit) {
      const taken: Sighting[] = []
      for (const [key, sighting] of unwritten) {
        if (taken.length === limit) break
        taken.push(sighting)
        unwritten.delete(key)
        written.delete(key)
        written.set(key, sighting.last_at)
      }
      for (const key of written.keys()) {
        if (written.size <= REMEMBERED) break
        written.delete(key)
      }
      return taken
    },
    giveBack(sightings) {
      for (const sighting of sightings) {
        const key = keyOf(sighting.what, sighting.request_id, sighting.who)
        written.delete(key)
        unwritten.set(key, { ...(unwritten.get(key) ?? sighting), first_at: sighting.first_at })
      }
      if (sightings.length > 0) onNews()
    },
  }
}
