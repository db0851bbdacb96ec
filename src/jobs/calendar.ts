import { z } from 'zod'
import { BrokenFileError, type Findings, readJsonFile } from '../approval/json-file.ts'
import { isDate } from '../report/period.ts'
import { WEEKDAYS, type WorkingTime } from '../report/working-time.ts'
import type { System } from '../system/system.ts'

/** The team's calendar.json, or why there is none: a report then says so, and calls no hour in or out. */
export type Calendar =
  | { readonly time: WorkingTime; readonly problems: null }
  /** Each with its file and, where there is one, its line; `missing` when there is no such file. */
  | { readonly time: null; readonly missing: boolean; readonly problems: readonly string[] }

const MAX_BYTES = 1024 ** 2
const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'allowed: HH:MM, 00:00 to 23:59')
const schema = z.strictObject({
  $comment: z.string().optional(),
  working_hours: z.strictObject({ from: clock, until: clock.or(z.literal('24:00')) }),
  working_days: z.array(z.enum(WEEKDAYS)),
  years: z.array(z.int().min(1970).max(9999)),
  holidays: z.record(z.string(), z.string().trim().min(1, 'a holiday needs its name').max(100)),
})

export async function readCalendar(system: Pick<System, 'readText'>, path: string): Promise<Calendar> {
  let text: string
  try {
    text = await system.readText(path, MAX_BYTES)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    return { time: null, missing, problems: [missing ? `${path}: no such file` : `${path}: ${message}`] }
  }
  return parseCalendar(text, path)
}

/** @param file named in what is said about it */
export function parseCalendar(text: string, file: string): Calendar {
  try {
    const read = readJsonFile(text, { file, whole: 'calendar', schema, check: checkSense })
    const { working_hours, working_days: days, years, holidays } = read
    return { time: { ...working_hours, days, years, holidays }, problems: null }
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    return { time: null, missing: false, problems: error.problems }
  }
}

function checkSense(
  { working_hours: { from, until }, years, holidays }: z.infer<typeof schema>,
  { wrong }: Findings,
): void {
  if (from >= until) wrong(['working_hours', 'until'], `${until} is not after ${from}`)
  for (const date of Object.keys(holidays)) {
    if (!isDate(date)) wrong(['holidays', date], 'no such date, allowed: YYYY-MM-DD')
    else if (!years.includes(Number(date.slice(0, 4)))) {
      wrong(['holidays', date], `${date.slice(0, 4)} is not in years: are its holidays all listed?`)
    }
  }
}
