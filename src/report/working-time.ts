import { dateIn, instantAt, type Period, weekdayOf } from './period.ts'

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type Weekday = (typeof WEEKDAYS)[number]

/** When the team works, by the wall of its zone. */
export interface WorkingTime {
  /** `HH:MM`, half-open. */
  readonly from: string
  readonly until: string
  readonly days: readonly Weekday[]
  /** Years whose holidays are all listed. */
  readonly years: readonly number[]
  /** `YYYY-MM-DD` -> its name. */
  readonly holidays: Readonly<Record<string, string>>
}

/** What a day is. `unknown`: a weekday of a year whose holidays nobody has listed. */
export type DayKind =
  | { readonly kind: 'working' | 'weekend' | 'unknown' }
  | { readonly kind: 'holiday'; readonly name: string }

export function dayKind(date: string, { days, years, holidays }: WorkingTime): DayKind {
  const name = holidays[date]
  if (name !== undefined) return { kind: 'holiday', name }
  if (!days.includes(WEEKDAYS[weekdayOf(date) - 1]!)) return { kind: 'weekend' }
  return { kind: years.includes(Number(date.slice(0, 4))) ? 'working' : 'unknown' }
}

const MINUTE = 60_000

/**
 * Tells of instants (ms since 1970) whether they lie out of working hours; null where the calendar cannot tell. Dates
 * change on a minute in every zone: a minute is looked up once, and a date judged once.
 */
export function outOfHours(time: WorkingTime, zone: string): (ms: number) => boolean | null {
  const days = new Map<string, Judged>()
  const ofMinutes = new Map<number, Judged>()
  return (ms) => {
    const minute = Math.floor(ms / MINUTE)
    let day = ofMinutes.get(minute)
    if (day === undefined) {
      const date = dateIn(minute * MINUTE, zone)
      day = days.get(date) ?? judge(date, time, zone)
      days.set(date, day)
      ofMinutes.set(minute, day)
    }
    // Outside of the hours it is out of hours, holiday or not.
    return ms < day.from || ms >= day.until ? true : day.inside
  }
}

interface Judged extends Period {
  /** Whether what lies within the hours is out of hours all the same. */
  readonly inside: boolean | null
}

function judge(date: string, time: WorkingTime, zone: string): Judged {
  const { kind } = dayKind(date, time)
  const inside = kind === 'unknown' ? null : kind !== 'working'
  return { from: instantAt(date, time.from, zone), until: instantAt(date, time.until, zone), inside }
}
