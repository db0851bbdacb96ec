import type { Limit } from './policy.ts'

/** A limit counts the calls of the last 60 seconds, whenever they began. */
const WINDOW = 60_000

export interface Limiter {
  /**
   * Counts a call, if there is room for it.
   * @param now ms since 1970; never before that of an earlier call
   * @returns 0 when it may go on, else how long until one of this key could, ms; a refused call does not count
   */
  take(key: string, limit: Limit, now: number): number
  /** The call counted at `at` turned out to be none. */
  giveBack(key: string, at: number): void
}

/**
 * A sliding window: of any 60 seconds, at most `per_minute + burst` calls. Memory is bounded by `most` keys: when
 * there are more, whoever has been quiet the longest is forgotten.
 */
export function createLimiter(most: number): Limiter {
  /** By key, the instants of its calls, oldest first. The map's order is that of the last call. */
  const calls = new Map<string, number[]>()
  return {
    take(key, { per_minute, burst }, now) {
      const counted = calls.get(key) ?? []
      let old = 0
      while (old < counted.length && counted[old]! <= now - WINDOW) old++
      counted.splice(0, old)
      const room = per_minute + burst
      // After the limit was lowered there may be more of them than now fit.
      if (counted.length >= room) return counted[counted.length - room]! + WINDOW - now
      counted.push(now)
      calls.delete(key)
      calls.set(key, counted)
      if (calls.size > most) calls.delete(calls.keys().next().value!)
      return 0
    },
    giveBack(key, at) {
      const counted = calls.get(key)
      const index = counted?.lastIndexOf(at) ?? -1
      if (index >= 0) counted!.splice(index, 1)
    },
  }
}
