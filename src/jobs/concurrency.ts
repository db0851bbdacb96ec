import { shortId } from '../approval/request.ts'
import { reportQueries } from '../queries.ts'
import type { Period } from '../report/period.ts'
import type { Concurrency, Holder } from '../report/timeout-diagnosis-data.ts'
import { fromSqlTime, type ReadTransaction, sqlTime } from '../sql.ts'
import type { System } from '../system/system.ts'
import { scanLog } from './error-log.ts'
import { bounds } from './statistics.ts'

const DAY = 86_400_000
/** The longest timeout that the configuration allows: what was asked before cannot have been open. */
const LONGEST_TIMEOUT = DAY
const SHOWN = 5
const BUSY = /SQLITE_(BUSY|LOCKED)|database (table )?is locked|another program holds the database/i

type FromDatabase = Pick<
  Concurrency,
  'open' | 'peak' | 'peak_at' | 'unreadable' | 'decided_twice' | 'decided_twice_total' | 'journal_mode'
>

/** How many requests were open at once, now and in 24 hours, and whether anything was decided twice in `period`. */
export function readConcurrency(tx: ReadTransaction, period: Period, now: number): FromDatabase {
  const window = { from: now - DAY, until: now }
  const asked = bounds({ from: window.from - LONGEST_TIMEOUT, until: now })
  let unreadable = 0
  const spans: Period[] = []
  for (const row of tx.each(reportQueries.concurrencySpans, { ...asked, since: sqlTime(window.from) })) {
    const span = spanOf(row)
    if (span === undefined) unreadable++
    else spans.push(span)
  }
  const twice = tx.all(reportQueries.decidedTwice, { ...bounds(period), limit: SHOWN })
  const { peak, at } = peakOf(spans, window)
  return {
    open: tx.one(reportQueries.checkOpen, { now: sqlTime(now) })!.open,
    ...{ peak, peak_at: at === null ? null : new Date(at).toISOString(), unreadable },
    decided_twice: twice.map(({ request_id }) => shortId(request_id)),
    decided_twice_total: twice[0]?.requests ?? 0,
    journal_mode: tx.one(reportQueries.checkFile, {})!.journal_mode,
  }
}

interface SpanRow {
  readonly status: string
  readonly requested_at: string
  readonly responded_at: string | null
  readonly expires_at: string
  readonly cancelled_at: string | null
}

/** From when until when it was open; undefined when that cannot be read. Nothing is open at its deadline. */
function spanOf(row: SpanRow): Period | undefined {
  const deadline = fromSqlTime(row.expires_at)
  const ends: Readonly<Record<string, string | null>> = {
    ...{ approved: row.responded_at, rejected: row.responded_at, cancelled: row.cancelled_at },
    ...{ pending: row.expires_at, expired: row.expires_at, timeout: row.expires_at },
  }
  const span = { from: fromSqlTime(row.requested_at), until: Math.min(deadline, fromSqlTime(ends[row.status] ?? '')) }
  return Number.isNaN(span.from + span.until) ? undefined : span
}

/** The most that were open at once within the window, and when that was first so. */
export function peakOf(spans: readonly Period[], window: Period): { peak: number; at: number | null } {
  const inside = spans
    .map(({ from, until }) => ({ from: Math.max(from, window.from), until }))
    .filter(({ from, until }) => from < until && from < window.until)
  const begins = Float64Array.from(inside, ({ from }) => from).sort()
  const ends = Float64Array.from(inside, ({ until }) => until).sort()
  let [open, ended, peak] = [0, 0, 0]
  let at: number | null = null
  for (const begin of begins) {
    // Half-open: what ends at an instant is not open at it.
    for (; ended < ends.length && ends[ended]! <= begin; ended++) open--
    if (++open > peak) {
      peak = open
      at = begin
    }
  }
  return { peak, at }
}

/** Busy errors in the last 24 hours of the server's log; null when it cannot be read to its end. */
export async function busyErrors(
  system: Pick<System, 'stat' | 'readFrom'>,
  path: string,
  now: number,
  stop: () => boolean,
): Promise<number | null> {
  try {
    const { groups, cutShort } = await scanLog(system, path, { from: now - DAY, to: now + 60_000 }, stop)
    return cutShort ? null : groups.reduce((sum, { sample, count }) => sum + (BUSY.test(sample) ? count : 0), 0)
  } catch {
    return null
  }
}

/**
 * The programs that have the database open, except this one; null where the system does not tell. `hidden` counts those
 * that may not be looked into.
 * @param server process id of the desk's server, when it is known
 */
export async function holdersOf(
  system: Pick<System, 'list' | 'realPath' | 'readText' | 'self'>,
  path: string,
  server: number | undefined,
): Promise<Concurrency['holders']> {
  const { pid: own } = await system.self()
  const pids = (await system.list('/proc').catch(() => [])).map(Number).filter((pid) => pid > 0 && pid !== own)
  if (pids.length === 0) return null
  const file = await system.realPath(path)
  const files = new Set(['', '-wal', '-shm'].map((end) => `${file}${end}`))
  const seen: Holder[] = []
  let hidden = 0
  for (const pid of pids.sort((a, b) => a - b)) {
    const folder = `/proc/${pid}/fd`
    const names = await system.list(folder).catch(() => null)
    if (names === null) {
      hidden++
      continue
    }
    const open = await Promise.all(names.map((name) => system.realPath(`${folder}/${name}`).catch(() => '')))
    if (!open.some((target) => files.has(target))) continue
    const name = (await system.readText(`/proc/${pid}/comm`).catch(() => '?')).trim()
    seen.push({ pid, name, is_server: pid === server })
  }
  return { seen, hidden }
}
