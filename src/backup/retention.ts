import { dateIn } from '../report/period.ts'

/** So many days, weeks and months keep their newest backup; the newest few stay in any case. */
export const KEEP = { days: 7, weeks: 4, months: 12, least: 3 } as const

interface Dated {
  readonly name: string
  /** ms since 1970 */
  readonly at: number
}

/**
 * Which backups stay. Days, weeks and months that have a backup are counted, not the time that has passed: a clock
 * that stands wrong, or a desk that was off for a year, costs nothing. Backups that are dated in the future (the clock
 * was wrong then) are judged apart, so that they push out none of the others.
 */
export function kept(backups: readonly Dated[], now: number, zone: string): Set<string> {
  const past = backups.filter(({ at }) => at <= now)
  const future = backups.filter(({ at }) => at > now)
  return new Set([...byRule(past, zone), ...byRule(future, zone), ...newest(backups, KEEP.least)])
}

function byRule(backups: readonly Dated[], zone: string): string[] {
  const day = ({ at }: Dated) => dateIn(at, zone)
  return [
    ...newest(backups, KEEP.least),
    ...newestOfEach(backups, day, KEEP.days),
    ...newestOfEach(backups, (backup) => mondayOf(day(backup)), KEEP.weeks),
    ...newestOfEach(backups, (backup) => day(backup).slice(0, 7), KEEP.months),
  ]
}

const sorted = (backups: readonly Dated[]): Dated[] =>
  [...backups].sort((a, b) => b.at - a.at || (a.name < b.name ? 1 : -1))

const newest = (backups: readonly Dated[], count: number): string[] =>
  sorted(backups)
    .slice(0, count)
    .map(({ name }) => name)

function newestOfEach(backups: readonly Dated[], periodOf: (backup: Dated) => string, count: number): string[] {
  const first = new Map<string, string>()
  for (const backup of sorted(backups)) {
    const period = periodOf(backup)
    if (!first.has(period)) first.set(period, backup.name)
  }
  return [...first.values()].slice(0, count)
}

/** The Monday of the date's week. */
function mondayOf(date: string): string {
  const noon = new Date(`${date}T12:00:00Z`)
  noon.setUTCDate(noon.getUTCDate() - ((noon.getUTCDay() + 6) % 7))
  return noon.toISOString().slice(0, 10)
}
