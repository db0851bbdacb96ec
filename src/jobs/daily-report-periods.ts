import { addDays, dateIn, dayOf, instantAt, localTime, type Period } from '../report/period.ts'

/** When the evening report is made: the time that the schedule has for it. */
export const EVENING = '18:00'

export interface ReportPeriods {
  readonly date: string
  /** From midnight to now, or to midnight for a day that is over. */
  readonly today: Period
  /**
   * From 18:00 of the day before to 18:00, or to now when it is earlier. The bounds are the schedule's instants, not
   * those at which the report happened to run: so each request is in exactly one evening report, also when one ran
   * late, twice or by hand.
   */
  readonly since: Period
  /** False before 18:00: the evening's own report will say more. */
  readonly isComplete: boolean
  /** The whole of the day that `today` is the part of which is over. */
  readonly day: Period
  /** The same weekday of the four weeks before, up to the same time of day: last week's first. */
  readonly weeksBefore: readonly [Period, Period, Period, Period]
  /** What happened meanwhile is listed for all of both periods. */
  readonly span: Period
}

export function reportPeriods(date: string, now: number, zone: string): ReportPeriods {
  const day = dayOf(date, zone)
  const isOver = now >= day.until
  const today = { from: day.from, until: isOver ? day.until : now }
  const evening = instantAt(date, EVENING, zone)
  const since = { from: instantAt(addDays(date, -1), EVENING, zone), until: Math.min(evening, now) }
  const weekBefore = (weeks: number): Period => {
    const { from, until, date: before } = dayOf(addDays(date, -7 * weeks), zone)
    return { from, until: isOver ? until : instantAt(before, localTime(now, zone, 'HH:mm:ss.SSS'), zone) }
  }
  return {
    ...{ date, day, today, since, isComplete: now >= evening },
    weeksBefore: [weekBefore(1), weekBefore(2), weekBefore(3), weekBefore(4)],
    span: { from: since.from, until: isOver ? since.until : Math.max(since.until, now) },
  }
}

/** What prints a day's report. Without its date it would be that of whatever day it is typed on. */
export const reportCommand = (date: string): string => `npm run daily-report -- --date ${date}`

/** The date of the evening report that accounts for an instant; of what comes after 18:00 today's says most so far. */
export function reportDate(instant: number, now: number, zone: string): string {
  const date = dateIn(instant, zone)
  const isLate = instant >= instantAt(date, EVENING, zone)
  return isLate && date < dateIn(now, zone) ? addDays(date, 1) : date
}

/** A date that can be reported on: one that exists, and has begun. */
export const hasBegun = (date: string, now: number, zone: string): boolean => date <= dateIn(now, zone)
