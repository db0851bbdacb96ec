import { eventHash } from '../approval/chain.ts'
import { shortId } from '../approval/request.ts'
import { reportQueries as q } from '../queries.ts'
import { type Finding, LIMITS } from '../report/daily-check-data.ts'
import { fromSqlTime, type ReadTransaction, sqlBound, sqlTime } from '../sql.ts'
import { finding, iso } from './check.ts'

/** The sweeper may be on its way to a request that expired just now. */
const SWEEP_MS = 5000
const SHOWN_IDS = 5
/** `approval audit verify` walks the whole record; its end is what can have been cut off unnoticed. */
const CHECKED_EVENTS = 100

export interface DeskFacts {
  readonly open: { readonly open: number; readonly oldest: number | null; readonly soonest: number | null }
  readonly zombies: { readonly count: number; readonly since: number | null; readonly ids: readonly string[] }
  readonly audit: Finding
  /** ms since 1970; null when there is no event. */
  readonly newestEvent: number | null
  readonly firstEvent: number | null
}

/** What the database says of the desk at `now`. */
export function readDesk(tx: ReadTransaction, now: number): DeskFacts {
  const open = tx.one(q.checkOpen, { now: sqlTime(now) })!
  const zombies = tx.all(q.checkZombies, { before: sqlBound(now - SWEEP_MS), limit: SHOWN_IDS })
  const first = tx.one(q.checkFirstEvent, {})
  const events = tx.all(q.checkEvents, { limit: CHECKED_EVENTS + 1 })
  return {
    open: { open: open.open, oldest: instant(open.oldest), soonest: instant(open.soonest) },
    zombies: {
      count: zombies[0]?.zombies ?? 0,
      since: instant(zombies[0]?.expires_at),
      ids: zombies.map(({ request_id }) => shortId(request_id)),
    },
    audit: auditFinding(events, tx.one(q.checkNewestRequest, {})),
    newestEvent: instant(events[0]?.at),
    firstEvent: instant(first?.at),
  }
}

function instant(text: string | null | undefined): number | null {
  const ms = text ? fromSqlTime(text) : Number.NaN
  return Number.isNaN(ms) ? null : ms
}

type EventRow = Parameters<typeof eventHash>[0] & { readonly hash: string }
type NewestRequest = { request_id: string; requested_at: string; adopted: number; recorded: number }

/** Newest first. The last of them only serves as predecessor. */
export function auditFinding(events: readonly EventRow[], newest: NewestRequest | undefined): Finding {
  const next = 'npx approval audit verify'
  const [head] = events
  if (!head) return finding('audit.empty', 'warning', {}, { next })
  for (const [i, event] of events.entries()) {
    const before = events[i + 1]
    const follows = before === undefined || (event.seq === before.seq + 1 && event.prev_hash === before.hash)
    if (!follows || event.hash !== eventHash(event))
      return finding('audit.broken', 'critical', { seq: event.seq }, { next })
  }
  if (newest && !newest.adopted && !newest.recorded) {
    const id = shortId(newest.request_id)
    return finding('audit.unrecorded', 'critical', { id }, { since: instant(newest.requested_at), next })
  }
  const checked = Math.min(events.length, CHECKED_EVENTS)
  return finding('audit.intact', 'ok', { checked, seq: head.seq, newest_at: iso(instant(head.at)) })
}

export function openFinding({ open, oldest, soonest }: DeskFacts['open'], max: number, now: number): Finding {
  if (open === 0) return finding('open.none', 'ok', { max })
  const facts = { open, max, oldest_at: iso(oldest), least_ms: soonest === null ? null : Math.max(0, soonest - now) }
  const more = { since: oldest, next: 'npx approval list' }
  if (open >= max) return finding('open.full', 'critical', facts, more)
  if (open * 100 >= max * LIMITS.crowded_percent) return finding('open.crowded', 'warning', facts, more)
  return finding('open.some', 'ok', facts)
}

/** `answers`: a server is there, which should have expired them. Without one, its start does. */
export function zombiesFinding({ count, since, ids }: DeskFacts['zombies'], answers: boolean): Finding {
  if (count === 0) return finding('zombies.none', 'ok', {})
  const shown = count > ids.length ? [...ids, '…'] : ids
  const next = answers ? `npx approval show ${ids[0]}` : 'npm start'
  return finding('zombies.some', 'warning', { zombies: count, ids: shown }, { since, next })
}
