import type { AuditState } from './archive.ts'
import { disagreements } from './audit-request.ts'
import { type AuditedUser, foldUser } from './audit-user.ts'
import { eventHash } from './chain.ts'
import type { ApprovalEvent, Store } from './store.ts'

export type Report = (what: string, at?: { seq?: number; request_id?: string | null }) => void

/** A stretch of the record with the requests that belong to it: the database, or one archive. */
export type Segment = Pick<Store, 'events' | 'auditedRequests'>

export interface Place {
  readonly seq: number
  readonly hash: string
}

export interface Walked {
  readonly end: Place
  readonly requests: number
  readonly adopted: number
  readonly users: ReadonlyMap<string, AuditedUser>
  /** Of the old system's requests: so many the record told of and nobody has seen yet. */
  readonly unseen: number
}

interface Walk {
  /** The event before the first one. */
  readonly start: Place
  readonly state: AuditState
  /** Counts requests and answers up to this event alone. */
  readonly until: number
  readonly report: Report
  readonly each?: (event: ApprovalEvent) => void
}

const PAGE = 500
const FINAL = new Set(['approved', 'rejected', 'expired', 'cancelled'])

/**
 * Walks a stretch of the record, page by page: every hash, every predecessor, no gap; every request against its events
 * in every column, and every event against a request, so that none can be added, changed, reset or taken away.
 */
export async function walkSegment(source: Segment, { start, state, until, report, each }: Walk): Promise<Walked> {
  const counted = { created: 0, closed: 0, consumed: 0 }
  const users = new Map(state.users.map(({ user_id, ...user }) => [user_id, user]))
  let adopted = state.adopted
  let end: Place = start
  let left = 0
  await pages(
    (after: number) => source.events(after, PAGE),
    (event) => event.seq,
    0,
    (event) => {
      if (event.seq <= start.seq) {
        left++
        return
      }
      checkLink(event, end, report)
      end = { seq: event.seq, hash: event.hash }
      foldUser(users, event)
      each?.(event)
      if (event.seq > until) return
      if (event.type === 'created') counted.created++
      if (event.type === 'consumed') counted.consumed++
      if (event.type === 'adopted') adopted += Number(event.data.requests ?? 0)
      if (FINAL.has(event.type)) counted.closed++
    },
  )
  const seen = { created: 0, closed: 0, consumed: 0, adopted: 0 }
  await pages(
    (after: string) => source.auditedRequests(after, PAGE),
    (row) => row.request_id,
    '',
    (row) => {
      if ((row.created_seq ?? 0) > until) return
      if (row.created_seq !== null && row.created_seq <= start.seq) {
        left++
        return
      }
      if (row.digest === null && row.created_seq === null) seen.adopted++
      if (row.created_seq !== null) seen.created++
      if (row.closed_seq !== null && row.closed_seq <= until) seen.closed++
      if (row.consumed_seq !== null && row.consumed_seq <= until) seen.consumed++
      for (const what of disagreements(row)) report(what, { request_id: row.request_id })
    },
  )
  if (left > 0) report(`${left} rows from before event ${start.seq + 1} are here, and belong into an archive`)
  for (const [kind, what] of [
    ['created', 'requests were taken away, or put in without being asked'],
    ['closed', 'answers were taken away from their requests, or put in'],
    ['consumed', 'uses of approvals were taken away from their requests, or put in'],
  ] as const) {
    if (counted[kind] !== seen[kind])
      report(`${what}: the record tells of ${counted[kind]}, the table of ${seen[kind]}`)
  }
  return { end, requests: seen.created, adopted: seen.adopted, users, unseen: adopted - seen.adopted }
}

/** What the next stretch must know of this one. */
export const stateAfter = ({ users, unseen }: Walked): AuditState => ({
  users: [...users]
    .map(([user_id, user]) => ({ user_id, ...user }))
    .sort((a, b) => (a.user_id < b.user_id ? -1 : a.user_id > b.user_id ? 1 : 0)),
  adopted: unseen,
})

function checkLink(event: ApprovalEvent, before: Place, report: Report) {
  const { seq, request_id } = event
  if (seq !== before.seq + 1) report(`follows ${before.seq}: events are missing`, { seq })
  if (event.prev_hash !== before.hash) report('does not continue the event before it', { seq })
  const hash = eventHash({ ...event, at: event.at_text, data: event.data_text })
  if (event.hash !== hash) report(`was changed after it was written (${event.type})`, { seq, request_id })
}

/** Reads page by page and lets everything else of the process happen in between: the walk may take minutes. */
async function pages<Row, Key>(
  read: (after: Key) => Promise<Row[]>,
  keyOf: (row: Row) => Key,
  first: Key,
  each: (row: Row) => void,
): Promise<void> {
  let after = first
  for (;;) {
    const rows = await read(after)
    if (rows.length === 0) return
    rows.forEach(each)
    after = keyOf(rows.at(-1)!)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
