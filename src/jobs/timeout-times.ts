import type { Bucket, Suggestion, Timeouts } from '../report/timeout-diagnosis-data.ts'
import type { Unanswered } from '../report/unanswered.ts'
import { decisionTimes, nearestRank } from './statistics.ts'

/**
 * With fewer cases the 95 % point is not bounded at all: only from 59 on does the longest time that was seen lie above
 * it with 95 % confidence (0.95^59 < 0.05).
 */
export const NEEDED = 59
const KEPT_PERCENT = 95
const BARS = 10

/**
 * How long decisions took against the timeout, and what timeout the data speak for.
 * @param times how long each took, ms, ascending
 */
export function timesOf(
  times: Float64Array,
  unanswered: Unanswered,
  timeoutSeconds: number,
): Pick<Timeouts, 'decision_times' | 'distribution' | 'suggestion'> {
  return {
    decision_times: decisionTimes(times),
    distribution: distributionOf(times, timeoutSeconds * 1000),
    suggestion: suggestionOf(times, unanswered),
  }
}

/** Ten equal parts of the timeout, and what took longer: a deadline may have been longer once. */
export function distributionOf(times: Iterable<number>, timeoutMs: number): Bucket[] {
  const counts = new Array<number>(BARS + 1).fill(0)
  for (const ms of times) counts[Math.min(BARS, Math.floor((ms * BARS) / timeoutMs))]!++
  return counts.map((decided, i) => ({
    from_ms: (timeoutMs * i) / BARS,
    until_ms: i === BARS ? null : (timeoutMs * (i + 1)) / BARS,
    decided,
  }))
}

/** Counts whom the timeout cut off, too, as far as they tried: else every timeout would seem long enough. */
export function suggestionOf(
  times: Float64Array,
  { total, late_ms }: Pick<Unanswered, 'total' | 'late_ms'>,
): Suggestion {
  const all = Float64Array.from([...times, ...late_ms]).sort()
  const n = all.length
  const counted = { n, needed: NEEDED, late: late_ms.length, censored: total - late_ms.length }
  const point = nearestRank(all, KEPT_PERCENT)
  if (n < NEEDED || point === null) return { ...counted, seconds: null, k: 0 }
  // The deadline itself is too late: what took exactly so long needs a second more.
  const seconds = Math.floor(point / 1000) + 1
  return { ...counted, seconds, k: all.filter((ms) => ms < seconds * 1000).length }
}
