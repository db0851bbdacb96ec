import dayjs from 'dayjs'
import utc from 'dayjs/plugin/utc.js'

dayjs.extend(utc)

const DAY = 86_400_000
const HOUR = 3_600_000
/** More than any jump of a clock for daylight saving; date-line jumps are found by the probes a day apart. */
const SEARCH = 3 * 3_600_000

/** `[from, until)`: half-open, so that no instant lies in two periods. Milliseconds since 1970. */
export interface Period {
  readonly from: number
  readonly until: number
}

/** One calendar day in a zone: 23, 24 or 25 hours. */
export interface Day extends Period {
  /** `YYYY-MM-DD` */
  readonly date: string
}

/** An ISO 8601 week in a zone, from Monday to Monday: 168 hours, one fewer or one more where a clock jumps. */
export interface Week extends Period {
  /** `2026-W53`: the year is that of its Thursday. */
  readonly week: string
  /** Its Monday. */
  readonly monday: string
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone)
  if (!found) {
    const two = '2-digit'
    const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const
    found = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...fields })
    formats.set(zone, found)
  }
  return found
}

export function isZone(name: string): boolean {
  try {
    format(name)
    return true
  } catch {
    return false
  }
}

/** Local time minus UTC at this instant, in milliseconds. dayjs is not asked: it is wrong on the days a clock jumps. */
export function offsetAt(ms: number, zone: string): number {
  const part: Record<string, number> = {}
  for (const { type, value } of format(zone).formatToParts(ms)) part[type] = Number(value)
  const { year, month, day, hour, minute, second } = part as Record<string, number>
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000
}

/** The calendar date on the zone's wall at this instant. */
export const dateIn = (ms: number, zone: string): string => new Date(ms + offsetAt(ms, zone)).toISOString().slice(0, 10)

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10)

/**
 * The instant at which the zone's wall shows this date and time (`HH:MM`, seconds and milliseconds allowed). A time
 * that a jump leaves out gives the first instant after the jump; a time that comes twice gives the first.
 */
export function instantAt(date: string, time: string, zone: string): number {
  const wall = Date.parse(`${date}T${time}Z`)
  if (Number.isNaN(wall)) throw new RangeError(`${date} ${time} is not a date and a time`)
  const guesses = [wall - offsetAt(wall - DAY, zone), wall - offsetAt(wall + DAY, zone)]
  const exact = guesses.filter((ms) => ms + offsetAt(ms, zone) === wall)
  if (exact.length > 0) return Math.min(...exact)
  let before = Math.min(...guesses) - SEARCH
  let after = Math.max(...guesses) + SEARCH
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (middle + offsetAt(middle, zone) >= wall) after = middle
    else before = middle
  }
  return after
}

export const startOfDate = (date: string, zone: string): number => instantAt(date, '00:00', zone)

export const dayOf = (date: string, zone: string): Day => ({
  date,
  from: startOfDate(date, zone),
  until: startOfDate(addDays(date, 1), zone),
})

export const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00Z`)) && addDays(text, 0) === text

/**
 * The hours of a period as the zone's wall counts them, the first and the last cut to it. On the day on which a clock
 * jumps there is one more or one fewer, or one that is shorter; an hour that comes twice is there twice.
 */
export function hoursOf({ from, until }: Period, zone: string): Period[] {
  const hours: Period[] = []
  for (let start = from; start < until; ) {
    const intoHour = (((start + offsetAt(start, zone)) % HOUR) + HOUR) % HOUR
    const end = Math.min(until, start + HOUR - intoHour)
    hours.push({ from: start, until: end })
    start = end
  }
  return hours
}

/** The day that holds the instant, or `shift` days from it: -1 is yesterday. */
export const dayBounds = (ms: number, zone: string, shift = 0): Day => dayOf(addDays(dateIn(ms, zone), shift), zone)

/** `2026-W53`: weeks begin on Monday and belong to the year in which their Thursday lies. */
export function weekLabel(date: string): string {
  const thursday = addDays(date, 4 - weekdayOf(date))
  const daysBefore = Math.round((Date.parse(thursday) - Date.parse(`${thursday.slice(0, 4)}-01-01`)) / DAY)
  return `${thursday.slice(0, 4)}-W${String(Math.floor(daysBefore / 7) + 1).padStart(2, '0')}`
}

/** 1 Monday ... 7 Sunday */
export const weekdayOf = (date: string): number => ((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7) + 1

/** The week that holds the date, or `shift` weeks from it: -1 is the week before. */
export function weekOf(date: string, zone: string, shift = 0): Week {
  const monday = addDays(date, 1 - weekdayOf(date) + 7 * shift)
  return {
    week: weekLabel(monday),
    monday,
    from: startOfDate(monday, zone),
    until: startOfDate(addDays(monday, 7), zone),
  }
}

const wall = (ms: number, zone: string) => dayjs.utc(ms + offsetAt(ms, zone))

/** `2026-11-22 18:00:00` on the zone's wall; say the zone beside it. */
export const localTime = (ms: number, zone: string, pattern = 'YYYY-MM-DD HH:mm:ss'): string =>
  wall(ms, zone).format(pattern)

/** The same of ISO 8601; what is no instant is shown as it stands in the database. */
export function instantText(iso: string, zone: string, pattern?: string): string {
  const ms = Date.parse(iso)
  return Number.isNaN(ms) ? iso : localTime(ms, zone, pattern)
}

/** `Asia/Seoul, UTC+09:00`: the name and what it means at this instant. */
export function zoneName(ms: number, zone: string): string {
  return zone === 'UTC' ? zone : `${zone}, ${offsetName(ms, zone)}`
}

/** `UTC+09:00` */
export function offsetName(ms: number, zone: string): string {
  const minutes = Math.round(offsetAt(ms, zone) / 60_000)
  const digits = (value: number) => String(value).padStart(2, '0')
  const size = Math.abs(minutes)
  return `UTC${minutes < 0 ? '-' : '+'}${digits(Math.floor(size / 60))}:${digits(size % 60)}`
}

/** `2026-11-22 00:00 – 18:00`; the second date only where it differs. A period that ends at midnight ends at 24:00. */
export function periodText(period: Period, zone: string): string {
  const from = dateIn(period.from, zone)
  const until = dateIn(period.until, zone)
  const isMidnight = startOfDate(until, zone) === period.until && until > from
  const end = isMidnight
    ? `${addDays(until, -1) === from ? '' : `${addDays(until, -1)} `}24:00`
    : localTime(period.until, zone, until === from ? 'HH:mm' : 'YYYY-MM-DD HH:mm')
  return `${localTime(period.from, zone, 'YYYY-MM-DD HH:mm')} – ${end}`
}
