import { reportQueries } from '../queries.ts'
import { addDays, hoursOf, offsetAt, type Period, startOfDate, type Week, weekOf } from '../report/period.ts'
import type { Totals } from '../report/statistics.ts'
import type { Change, WeekRow } from '../report/weekly-summary-data.ts'
import { fromSqlTime, type ReadTransaction, sqlBound } from '../sql.ts'
import { readArchivedUntil } from './archived.ts'
import { readGateOff, totalOf } from './gate-periods.ts'
import { decisionsOf, readTallies, readTotals, type Tally } from './statistics.ts'
import { readTools, type ToolTally } from './weekly-tools.ts'

/** When the record begins, as the database writes it; null when it is empty. */
export interface Beginning {
  readonly requests: string | null
  readonly events: string | null
  /** What was asked before it was moved out; null when nothing was. */
  readonly archived: string | null
}

/** A week as it is read: what it says by itself, and what is added up over all of them. */
export interface WeekRead {
  readonly row: Omit<WeekRow, 'change'>
  readonly hours: HeatMap
  readonly tallies: readonly Tally[]
  readonly tools: readonly ToolTally[]
}

/** 24 hours of 7 days, Monday first; null where no such hour is on record. */
export type HeatMap = readonly (readonly (number | null)[])[]

/** `complete` weeks before that of the date, and that one, the oldest first. */
export const weeksUntil = (date: string, zone: string, complete: number): Week[] =>
  Array.from({ length: complete + 1 }, (_, i) => weekOf(date, zone, i - complete))

export function readBeginning(tx: ReadTransaction): Beginning {
  const until = readArchivedUntil(tx)
  const archived = until === null ? null : sqlBound(until)
  // From the cut on all is here; before it, only what was half done then.
  if (archived !== null) return { requests: archived, events: archived, archived }
  return {
    requests: tx.one(reportQueries.firstRequest, {})!.first,
    events: tx.one(reportQueries.checkFirstEvent, {})?.at ?? null,
    archived,
  }
}

/** Nothing is read of a week before the record or in the archives, nor of what has not come yet. */
export function readWeek(tx: ReadTransaction, week: Week, begins: Beginning, now: number, zone: string): WeekRead {
  const until = Math.min(week.until, now)
  const span = { week: week.week, ...isoSpan({ from: week.from, until }) }
  const first = earliest(begins)
  if (first === null || first >= sqlBound(week.until)) {
    const nothing = { record_begins: null, totals: null, decision_times: null, gate_off: null }
    const isArchived = begins.archived !== null && sqlBound(week.until) <= begins.archived
    const state = isArchived ? 'archived' : 'before_record'
    return { row: { ...span, state, ...nothing }, hours: NO_HOURS, tallies: [], tools: [] }
  }
  const period = { from: week.from, until }
  const { totals, hours } = readHours(tx, period, { now, zone, first })
  const tallies = daysOf(week, zone, until).flatMap((day) => readTallies(tx, day))
  const off = readGateOff(tx, period)
  const isPartly = first > sqlBound(week.from)
  const row: WeekRead['row'] = {
    ...span,
    state: now < week.until ? 'in_progress' : 'complete',
    record_begins: isPartly ? isoText(first) : null,
    totals,
    decision_times: decisionsOf(tallies).times,
    gate_off: gateOff(off, begins.events, period),
  }
  return { row, hours, tallies, tools: readTools(tx, period, off) }
}

/** Without an event nobody can say whether the gate was on. */
function gateOff(off: readonly Period[], events: string | null, { from, until }: Period): WeekRow['gate_off'] {
  if (events === null || events >= sqlBound(until)) return null
  return { ms: totalOf(off), complete: events <= sqlBound(from) }
}

const earliest = ({ requests, events }: Beginning): string | null =>
  requests === null || events === null ? (requests ?? events) : requests < events ? requests : events

const NO_HOURS: HeatMap = Array.from({ length: 24 }, () => Array.from({ length: 7 }, () => null))

interface Around {
  readonly now: number
  readonly zone: string
  /** When the record begins. */
  readonly first: string
}

/**
 * The period hour by hour, and its totals as their sum. Each hour is a short range of the same index that serves the
 * whole: all of them together read what the whole reads, and no clock's jump is in the way.
 */
function readHours(tx: ReadTransaction, period: Period, { now, zone, first }: Around) {
  const hours = NO_HOURS.map((row) => [...row])
  const read: Totals[] = []
  for (const hour of hoursOf(period, zone)) {
    const totals = readTotals(tx, hour, now)
    read.push(totals)
    if (sqlBound(hour.until) <= first) continue
    const wall = new Date(hour.from + offsetAt(hour.from, zone))
    const [at, day] = [wall.getUTCHours(), (wall.getUTCDay() + 6) % 7]
    hours[at]![day] = (hours[at]![day] ?? 0) + totals.total
  }
  return { totals: totalsOf(read), hours }
}

function totalsOf(parts: readonly Totals[]): Totals {
  const sum = (of: (totals: Totals) => number) => parts.reduce((total, part) => total + of(part), 0)
  const rate = (name: 'approval_rate' | 'answered_rate') => ({
    k: sum((totals) => totals[name].k),
    n: sum((totals) => totals[name].n),
  })
  return {
    total: sum(({ total }) => total),
    open: sum(({ open }) => open),
    unanswered: sum(({ unanswered }) => unanswered),
    decided: sum(({ decided }) => decided),
    approved: sum(({ approved }) => approved),
    rejected: sum(({ rejected }) => rejected),
    cancelled: sum(({ cancelled }) => cancelled),
    unknown_status: sum(({ unknown_status }) => unknown_status),
    approval_rate: rate('approval_rate'),
    answered_rate: rate('answered_rate'),
  }
}

/** Day by day, so that no list of decisions is longer than a day's. */
function daysOf({ monday }: Week, zone: string, end: number): Period[] {
  const starts = Array.from({ length: 8 }, (_, i) => Math.min(end, startOfDate(addDays(monday, i), zone)))
  return starts.slice(1).flatMap((until, i) => (starts[i]! < until ? [{ from: starts[i]!, until }] : []))
}

/** Each row beside the one before it. */
export const withChanges = (rows: readonly WeekRead['row'][]): WeekRow[] =>
  rows.map((row, i) => ({ ...row, change: changeOf(row, rows[i - 1]) }))

function changeOf(row: WeekRead['row'], before: WeekRead['row'] | undefined): WeekRow['change'] {
  if (!isWhole(row) || !before || !isWhole(before)) return null
  const [now, then] = [row.totals!, before.totals!]
  return { total: difference(now.total - then.total), unanswered: difference(now.unanswered - then.unanswered) }
}

const isWhole = ({ state, record_begins }: WeekRead['row']): boolean => state === 'complete' && record_begins === null

const difference = (by: number): Change => ({ by, direction: by > 0 ? 'up' : by < 0 ? 'down' : 'same' })

export const addHours = (maps: readonly HeatMap[]): HeatMap =>
  NO_HOURS.map((row, hour) =>
    row.map((_, day) => {
      const known = maps.flatMap((map) => map[hour]![day] ?? [])
      return known.length === 0 ? null : known.reduce((sum, n) => sum + n, 0)
    }),
  )

export const isoSpan = ({ from, until }: Period) => ({
  from: new Date(from).toISOString(),
  until: new Date(until).toISOString(),
})

/** A text that is no instant stays what it is. */
function isoText(text: string): string {
  const ms = fromSqlTime(text)
  return Number.isNaN(ms) ? text : new Date(ms).toISOString()
}
