import { dateIn, startOfDate } from './period.ts'

const DAY = 86_400_000

export interface Month {
  /** `YYYY-MM` */
  readonly month: string
  /** Its end in the zone, ms since 1970. */
  readonly until: number
}

export const monthIn = (ms: number, zone: string): string => dateIn(ms, zone).slice(0, 7)

export function nextMonth(month: string): string {
  const [year, number] = month.split('-').map(Number) as [number, number]
  return new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 7)
}

/**
 * The calendar months that have been over for `days`, oldest first: from the one that holds `oldest` on, and behind
 * `last`, the one that was dealt with last.
 */
export function monthsDue(
  { oldest, last, now, zone }: { oldest: number; last: string | undefined; now: number; zone: string },
  days: number,
): Month[] {
  const end = monthIn(now - days * DAY, zone)
  const first = monthIn(oldest, zone)
  const behind = last === undefined ? first : nextMonth(last)
  const due: Month[] = []
  for (let month = first > behind ? first : behind; month < end; month = nextMonth(month)) {
    due.push({ month, until: startOfDate(`${nextMonth(month)}-01`, zone) })
  }
  return due
}
