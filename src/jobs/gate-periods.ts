import { reportQueries } from '../queries.ts'
import type { Period } from '../report/period.ts'
import { fromSqlTime, type ReadTransaction, sqlBound } from '../sql.ts'

/** A `gate_off` or `gate_on` event, as the database has it. */
export interface GateEvent {
  readonly type: string
  readonly at: string
  readonly data: string
}

/** When the gate was off within `period`, by the record. */
export function readGateOff(tx: ReadTransaction, period: Period): Period[] {
  const bounds = { from: sqlBound(period.from), until: sqlBound(period.until) }
  const before = tx.one(reportQueries.gateBefore, { from: bounds.from })
  return gateOffPeriods([...(before ? [before] : []), ...tx.all(reportQueries.gateEvents, bounds)], period)
}

/**
 * When the gate was off within `period`.
 * @param events in order of time, from the last one before the period on
 */
export function gateOffPeriods(events: readonly GateEvent[], period: Period): Period[] {
  const found: Period[] = []
  const add = (from: number, until: number): void => {
    const inside = { from: Math.max(from, period.from), until: Math.min(until, period.until) }
    if (inside.from < inside.until) found.push(inside)
  }
  let off: { from: number; end: number } | undefined
  for (const { type, at, data } of events) {
    const instant = fromSqlTime(at)
    if (off && (type === 'gate_on' || instant >= off.end)) {
      add(off.from, Math.min(instant, off.end))
      off = undefined
    }
    // A second gate_off while it is off moves the end of the lease, not the beginning.
    if (type === 'gate_off') off = { from: off?.from ?? instant, end: leaseEnd(data) }
  }
  if (off) add(off.from, off.end)
  return found
}

/** The lease ends at its instant, whether or not anybody has noted that yet. */
function leaseEnd(data: string): number {
  const { until } = JSON.parse(data) as { until?: unknown }
  const end = typeof until === 'string' ? Date.parse(until) : Number.NaN
  return Number.isNaN(end) ? Number.POSITIVE_INFINITY : end
}

export const totalOf = (periods: readonly Period[]): number =>
  periods.reduce((sum, { from, until }) => sum + (until - from), 0)
