import { reportQueries } from '../queries.ts'
import { offsetAt, type Period } from '../report/period.ts'
import { type Case, REASONS, type Reason, type Reasons, type Tally, type Unanswered } from '../report/unanswered.ts'
import { fromSqlTime, type ReadTransaction, sqlTime } from '../sql.ts'
import { readServerRuns, type ServerRuns } from './server-runs.ts'
import { bounds } from './statistics.ts'

/** A server that expires a request so much later than its deadline was not there, or its sweeper was dead. */
export const SWEEP_LATE_MS = 60_000
/** A stop this part of a request's time, or longer, is why nobody answered; a quick restart is not. */
const DOWN_PERCENT = 10
/** What the server saw is written within a second; a little more for the writing itself. */
const WRITTEN_MS = 2000

interface LifeRow {
  readonly request_id: string
  readonly tool_name: string
  readonly user_id: string
  readonly status: string
  readonly requested_at: string | null
  readonly expires_at: string | null
  readonly recorded: number
  readonly expired_at: string | null
  readonly seen: string
}

interface Seen {
  readonly what: string
  readonly who: string
  readonly first: number
  readonly last: number
}

/**
 * Every request of the period that nobody answered, each with exactly one reason, and the sums.
 * @param limit how many of the newest are listed by themselves
 */
export function readUnanswered(tx: ReadTransaction, period: Period, now: number, zone: string, limit = 0): Unanswered {
  const count = countUnanswered(now, zone, limit)
  count.read(tx, period)
  return count.result()
}

/** The same of several periods, the newest first, each in a transaction of its own. */
export function countUnanswered(now: number, zone: string, limit: number) {
  const wall = wallOf(zone)
  const all = new Sums<'all'>()
  const [tools, requesters] = [new Sums<string>(), new Sums<string>()]
  const [hours, weekdays] = [new Sums<number>(), new Sums<number>()]
  const latest: Case[] = []
  const late: number[] = []
  return {
    read(tx: ReadTransaction, period: Period): void {
      const runs = readServerRuns(tx, period.from)
      for (const row of tx.each(reportQueries.unansweredLives, { ...bounds(period), now: sqlTime(now) })) {
        const seen = seenOf(row.seen)
        const reason = reasonOf(row, seen, runs, now)
        all.add('all', reason)
        tools.add(row.tool_name, reason)
        requesters.add(row.user_id, reason)
        const asked = fromSqlTime(row.requested_at ?? '')
        if (!Number.isNaN(asked)) {
          const local = wall(asked)
          hours.add(local.getUTCHours(), reason)
          weekdays.add(local.getUTCDay() || 7, reason)
        }
        if (reason === 'too_late') late.push(firstOf(seen, 'late') - asked)
        if (latest.length < limit) latest.push(caseOf(row, seen, reason))
      }
    },
    result(): Unanswered {
      const { unanswered: total, reasons } = all.of('all')
      return {
        ...{ total, reasons },
        by_tool: tools.mostFirst(),
        by_requester: requesters.mostFirst(),
        by_hour: Array.from({ length: 24 }, (_, hour) => hours.of(hour)),
        by_weekday: Array.from({ length: 7 }, (_, day) => weekdays.of(day + 1)),
        ...{ latest, late_ms: late.sort((a, b) => a - b) },
      }
    },
  }
}

/**
 * The one reason. First what made an answer impossible: without a server nothing else was seen, or counts. Then from
 * the end of a request's life to its beginning, so that whoever came furthest explains it: somebody tried to decide;
 * there was nobody any more to decide for; somebody looked; somebody was told; nobody was. What says that something
 * did not happen needs a record that is whole, else it is unknown.
 */
function reasonOf(row: LifeRow, seen: readonly Seen[], runs: ServerRuns, now: number): Reason {
  const [asked, deadline] = [fromSqlTime(row.requested_at ?? ''), fromSqlTime(row.expires_at ?? '')]
  // Not `asked < runs.since`: what cannot be read is not known either.
  if (!(asked >= runs.since && deadline >= asked)) return 'unknown'
  const expired = fromSqlTime(row.expired_at ?? '')
  if (wasDown(asked, deadline, expired, runs) || wasSweptLate(row, deadline, expired, now)) return 'server_down'
  if (row.recorded !== 1) return 'unknown'
  const inTime = (what: string) => firstOf(seen, what) < deadline
  if (firstOf(seen, 'late') < Number.POSITIVE_INFINITY) return 'too_late'
  if (leftAt(seen) < deadline) return 'caller_gone'
  if (inTime('opened')) return 'opened'
  if (!isWhole(expired, runs)) return 'unknown'
  return inTime('notified') || inTime('listed') ? 'notified' : 'nobody'
}

function wasDown(asked: number, deadline: number, expired: number, { gaps }: ServerRuns): boolean {
  const during = gaps.filter(({ from, until }) => from < deadline && until > asked)
  // A server that still expired the request was killed after that.
  if (during.some(({ crashed, until }) => crashed && !(expired < until && until > deadline))) return true
  const stopped = during.filter(({ crashed }) => !crashed)
  const down = stopped.reduce((sum, gap) => sum + Math.min(gap.until, deadline) - Math.max(gap.from, asked), 0)
  return down > 0 && down * 100 >= (deadline - asked) * DOWN_PERCENT
}

/** Still pending long after the deadline, or expired long after it: nobody minded the deadlines. */
function wasSweptLate({ status }: LifeRow, deadline: number, expired: number, now: number): boolean {
  if (status === 'pending') return now - deadline > SWEEP_LATE_MS
  return expired - deadline > SWEEP_LATE_MS
}

/**
 * The server writes what it saw before it expires a request. Only a server that was killed right then may have lost
 * something.
 */
const isWhole = (expired: number, { gaps }: ServerRuns): boolean =>
  !Number.isNaN(expired) &&
  !gaps.some(({ crashed, from, until }) => crashed && until > expired && from < expired + WRITTEN_MS)

const firstOf = (seen: readonly Seen[], what: string): number =>
  seen.reduce((first, one) => (one.what === what ? Math.min(first, one.first) : first), Number.POSITIVE_INFINITY)

const lastOf = (seen: readonly Seen[], what: string): number =>
  seen.reduce((last, one) => (one.what === what ? Math.max(last, one.last) : last), Number.NEGATIVE_INFINITY)

/** Infinity when the caller did not hang up, or came back. */
const leftAt = (seen: readonly Seen[]): number => {
  const left = lastOf(seen, 'left')
  return left > lastOf(seen, 'waiting') ? left : Number.POSITIVE_INFINITY
}

const seenOf = (json: string): Seen[] =>
  (JSON.parse(json) as [string, string, string, string][]).map(([what, who, first, last]) => ({
    ...{ what, who },
    ...{ first: fromSqlTime(first), last: fromSqlTime(last) },
  }))

function caseOf(row: LifeRow, seen: readonly Seen[], reason: Reason): Case {
  const deadline = fromSqlTime(row.expires_at ?? '')
  const who = (...kinds: string[]) =>
    [
      ...new Set(seen.filter(({ what, first }) => kinds.includes(what) && first < deadline).map((one) => one.who)),
    ].sort()
  const attempts = seen.filter(({ what }) => what === 'late').sort((a, b) => a.first - b.first)
  const [first] = attempts
  const left = leftAt(seen)
  return {
    ...{ request_id: row.request_id, tool_name: row.tool_name, user_id: row.user_id },
    ...{ requested_at: iso(row.requested_at), expires_at: iso(row.expires_at), reason },
    ...{ notified: who('notified', 'listed'), opened: who('opened') },
    late: first && !Number.isNaN(deadline) ? { user_id: first.who, ms: first.first - deadline } : null,
    left_at: left < deadline ? new Date(left).toISOString() : null,
  }
}

function iso(text: string | null): string | null {
  const ms = fromSqlTime(text ?? '')
  return Number.isNaN(ms) ? text : new Date(ms).toISOString()
}

const QUARTER = 900_000

/** The zone's wall at an instant, as UTC fields. No zone changes its offset within a quarter of an hour. */
function wallOf(zone: string): (ms: number) => Date {
  const offsets = new Map<number, number>()
  return (ms) => {
    const quarter = Math.floor(ms / QUARTER)
    let offset = offsets.get(quarter)
    if (offset === undefined) {
      offset = offsetAt(quarter * QUARTER, zone)
      offsets.set(quarter, offset)
    }
    return new Date(ms + offset)
  }
}

const none = (): Record<Reason, number> =>
  Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>

class Sums<Key extends string | number> {
  readonly #counts = new Map<Key, Record<Reason, number>>()

  add(key: Key, reason: Reason): void {
    const counts = this.#counts.get(key) ?? none()
    this.#counts.set(key, counts)
    counts[reason]++
  }

  of(key: Key): Tally<Key> {
    const reasons: Reasons = this.#counts.get(key) ?? none()
    return { key, unanswered: REASONS.reduce((sum, reason) => sum + reasons[reason], 0), reasons }
  }

  mostFirst(): Tally<Key>[] {
    const tallies = [...this.#counts.keys()].map((key) => this.of(key))
    return tallies.sort((a, b) => b.unanswered - a.unanswered || (a.key < b.key ? -1 : 1))
  }
}
