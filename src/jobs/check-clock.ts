import { type Finding, LIMITS } from '../report/daily-check-data.ts'
import { finding, iso } from './check.ts'
import type { ServerSeen } from './check-server.ts'

/** Our clock against the server's, and both against what is already on record. */
export function checkClock({ health, delay, seenAt }: ServerSeen, newestEvent: number | null): Finding {
  const next = 'timedatectl'
  const limit = LIMITS.clock_millis
  if (health === null) return finding('clock.unmeasured', 'unknown', {}, { next: 'npm start' })
  const difference = Math.round(Math.abs(seenAt - delay - Date.parse(health.now)))
  const behind_ms = health.clock_behind_seconds * 1000
  if (newestEvent !== null && newestEvent > seenAt + limit) {
    return finding('clock.future', 'warning', { newest_at: iso(newestEvent), difference_millis: difference }, { next })
  }
  if (behind_ms > limit)
    return finding('clock.behind', 'warning', { behind_ms, difference_millis: difference }, { next })
  if (difference > limit) return finding('clock.differs', 'warning', { difference_ms: difference }, { next })
  return finding('clock.agrees', 'ok', { difference_millis: difference })
}
