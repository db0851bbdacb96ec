/**
 * Wall-clock milliseconds since 1970 that never go back. While the wall clock is set back, time goes on by the
 * monotonic one, so that no deadline grows and no answer is dated before its question; a wall clock that is ahead (or
 * a machine that slept) is followed at once.
 */
export interface SteadyClock {
  now(): number
  /** How far the wall clock is behind the time given out, in ms; 0 when it is not. */
  behind(): number
}

/**
 * @param wall ms since 1970, may jump
 * @param monotonic ms, never jumps
 * @param notBefore an instant that has certainly passed, e.g. that of the newest event
 */
export function steadyClock(wall: () => number, monotonic: () => number, notBefore = 0): SteadyClock {
  let base = Math.max(wall(), notBefore)
  let start = monotonic()
  const now = () => {
    const steady = base + Math.floor(monotonic() - start)
    const actual = wall()
    if (actual < steady) return steady
    base = actual
    start = monotonic()
    return actual
  }
  return { now, behind: () => Math.max(0, now() - wall()) }
}
