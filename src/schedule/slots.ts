import { addDays, dateIn, instantAt, weekdayOf } from '../report/period.ts'
import type { ScheduledJob } from './table.ts'

/** One nominal time of a job. Its date in the team's zone is its name: a job has at most one run per date. */
export interface Slot {
  /** `YYYY-MM-DD` in the team's zone. */
  readonly date: string
  /** When it is due. A wall time that a clock jump leaves out is due right after the jump, a repeated one at first. */
  readonly due: number
}

const MS_PER_DAY = 86_400_000
/** A week, and one day more for a date that the zone left out. */
const SEARCH_DAYS = 8

/** The newest slot that is due at `now`. */
export function latestSlot(job: ScheduledJob, now: number, zone: string): Slot {
  return search(job, dateIn(now, zone), -1, zone, (slot) => slot.due <= now)
}

/** The first slot that is due after `now`. */
export function nextSlot(job: ScheduledJob, now: number, zone: string): Slot {
  // From yesterday on: a wall time that is skipped just before midnight is due on the next day.
  return search(job, addDays(dateIn(now, zone), -1), 1, zone, (slot) => slot.due > now)
}

export function nextSlots(job: ScheduledJob, now: number, zone: string, count: number): Slot[] {
  const slots: Slot[] = []
  for (let after = now; slots.length < count; after = slots.at(-1)!.due) slots.push(nextSlot(job, after, zone))
  return slots
}

/** How many slots there are from one to another, both counted. By the calendar: 70 years are as quick as a day. */
export function slotCount(job: ScheduledJob, first: Slot, last: Slot): number {
  const days = Math.round((Date.parse(last.date) - Date.parse(first.date)) / MS_PER_DAY)
  return Math.floor(days / (job.weekday === undefined ? 1 : 7)) + 1
}

function search(job: ScheduledJob, from: string, step: 1 | -1, zone: string, fits: (slot: Slot) => boolean): Slot {
  for (let n = 0; n <= SEARCH_DAYS + 1; n++) {
    const date = addDays(from, n * step)
    if (job.weekday !== undefined && weekdayOf(date) !== job.weekday) continue
    const slot = { date, due: instantAt(date, job.at, zone) }
    if (existsIn(date, zone) && fits(slot)) return slot
  }
  throw new RangeError(`${job.name} has no time in ${SEARCH_DAYS} days from ${from} in ${zone}`)
}

/** False for a date that the zone left out when it crossed the date line, e.g. 2011-12-30 in Apia. */
const existsIn = (date: string, zone: string): boolean => dateIn(instantAt(date, '12:00', zone), zone) === date
