import type { ErrorRows, Finding } from '../report/daily-check-data.ts'
import { shellWord } from '../report/unmeasured.ts'
import type { System } from '../system/system.ts'
import { finding, iso } from './check.ts'
import { type LogScan, scanLog, type Window } from './error-log.ts'
import { NO_ERRORS, rowsOf } from './error-rows.ts'

const DAY = 86_400_000
/** How much of a window may be unseen without saying so: logs are written when something happens. */
const TOLERANCE = 60_000

export interface ErrorsSeen {
  readonly finding: Finding
  readonly rows: ErrorRows
}

/**
 * The errors of the window in the server's own log.
 * @param desk when the desk's record begins, ms; what is older cannot be in the log. null when that is not known
 */
export async function checkErrors(
  system: Pick<System, 'stat' | 'readFrom'>,
  path: string,
  window: Window,
  desk: number | null,
  timeoutMs: number,
): Promise<ErrorsSeen> {
  try {
    if ((await system.stat(path)) === null) {
      const more = { next: 'grep -n LOG_PATH .env' }
      return { finding: finding('errors.missing', 'unknown', { path }, more), rows: NO_ERRORS }
    }
    const end = performance.now() + timeoutMs
    const stop = () => performance.now() > end
    const { from, to } = window
    const scan = await scanLog(system, path, { from, to: to + TOLERANCE }, stop)
    const week = from - 7 * DAY
    const before =
      scan.events > 0 && !scan.cutShort ? await scanLog(system, path, { from: week, to: from }, stop) : null
    return { finding: errorsFinding(scan, path, window, desk), rows: rowsOf(scan, before, week) }
  } catch (error) {
    const more = { next: `ls -l ${shellWord(path)}` }
    const facts = { path, message: (error as Error).message }
    return { finding: finding('errors.unreadable', 'unknown', facts, more), rows: NO_ERRORS }
  }
}

export function errorsFinding(scan: LogScan, path: string, { from, to }: Window, desk: number | null): Finding {
  const { begins, ends, events } = scan
  const window_ms = to - from
  const seen_ms = begins === null ? 0 : Math.min(window_ms, Math.max(0, to - begins))
  const kinds = scan.groups.length
  const facts = { events, kinds, begins_at: iso(begins), ends_at: iso(ends), seen_ms, window_ms }
  const since = scan.groups.reduce<number | null>((first, group) => earlier(first, group.first), null)
  const more = { since, next: `tail -n 50 ${shellWord(path)}` }
  if (scan.cutShort) return finding('errors.cut', 'unknown', facts, more)
  const partial = !scan.fromTheStart && begins !== null
  if (events > 0) return finding(partial ? 'errors.some_since' : 'errors.some', 'warning', facts, more)
  if (begins === null && !scan.fromTheStart) return finding('errors.silent', 'unknown', facts, { next: more.next })
  // A log that begins later than the desk has lost its beginning: it was rotated or cut.
  const lost = partial && desk !== null && begins > Math.max(from, desk) + TOLERANCE
  if (lost) return finding('errors.incomplete', 'warning', facts, more)
  return finding(partial ? 'errors.none_since' : 'errors.none', 'ok', facts)
}

const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)
