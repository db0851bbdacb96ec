import type { ErrorRows } from '../report/daily-check-data.ts'
import { iso } from './check.ts'
import type { LogScan } from './error-log.ts'

const SHOWN = 10

export const NO_ERRORS: ErrorRows = { groups: [], more_kinds: 0, more_events: 0 }

/** How far back a log was read for what is known already. */
export type Before = Pick<LogScan, 'groups' | 'ungrouped' | 'cutShort' | 'begins' | 'fromTheStart'>

/**
 * The most frequent errors of a scan, each with whether it is new.
 * @param before the scan of the week before; null when there was none
 * @param weekBegin where that week begins, ms since 1970
 */
export function rowsOf(scan: LogScan, before: Before | null, weekBegin: number): ErrorRows {
  const { groups, ungrouped } = scan
  const hidden = groups.slice(SHOWN)
  const isNew = newness(before, weekBegin)
  return {
    groups: groups.slice(0, SHOWN).map(({ fingerprint, count, first, last, sample }) => ({
      ...{ count, first_at: iso(first), last_at: iso(last), sample, is_new: isNew(fingerprint) },
    })),
    more_kinds: hidden.length + (ungrouped > 0 ? 1 : 0),
    more_events: hidden.reduce((sum, { count }) => sum + count, ungrouped),
  }
}

/** New is only what a whole week is known not to have had; what was seen once in a part of it is not new. */
function newness(before: Before | null, weekBegin: number): (fingerprint: string) => boolean | null {
  if (before === null) return () => null
  const known = new Set(before.groups.map(({ fingerprint }) => fingerprint))
  const { begins, fromTheStart, cutShort, ungrouped } = before
  const reaches = begins === null ? fromTheStart : begins <= weekBegin || fromTheStart
  const isWhole = reaches && !cutShort && ungrouped === 0
  return (fingerprint) => (known.has(fingerprint) ? false : isWhole ? true : null)
}
