import { reportQueries } from '../queries.ts'
import type { Act, GateReport, UnapprovedCalls } from '../report/daily-report-data.ts'
import type { Period } from '../report/period.ts'
import { parseRestoreResult } from '../report/restore-result.ts'
import { parseRollbackResult } from '../report/rollback-result.ts'
import { fromSqlTime, type ReadTransaction, sqlBound } from '../sql.ts'
import { readGateOff } from './gate-periods.ts'
import { bounds } from './statistics.ts'

/** More than this is counted, not listed: a report must stay readable by a program, too. */
const MOST_LISTED = 10_000

/** An instant of the database as the API writes it; a text that is none stays what it is. */
const iso = (text: string): string => {
  const ms = fromSqlTime(text)
  return Number.isNaN(ms) ? text : new Date(ms).toISOString()
}

/** When the gate was off in the period, how it is at `now`, and what ran meanwhile without anybody's approval. */
export function readGate(tx: ReadTransaction, period: Period, now: number): GateReport {
  return {
    off_now: offAt(tx, now),
    record_begins: recordBegins(tx, period),
    off: readGateOff(tx, period).map(({ from, until }) => ({
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
      ms: until - from,
    })),
    ...readUnapproved(tx, period),
  }
}

/** The calls that ran in the period without anybody's approval, because the gate was off. */
export function readUnapproved(tx: ReadTransaction, period: Period): UnapprovedCalls {
  const calls = tx.all(reportQueries.callsUnapproved, { ...bounds(period), limit: MOST_LISTED })
  return {
    calls_total: calls[0]?.calls ?? 0,
    calls: calls.map(({ seq, at, actor, server, tool, level, digest }) => ({
      ...{ seq, at: iso(at), user_id: actor, server: server ?? '', tool_name: tool ?? '' },
      ...{ level: level ?? '', digest: digest ?? '' },
    })),
  }
}

/** A desk of the old system kept no record of its gate, and a day before the first start has none. */
function recordBegins(tx: ReadTransaction, { from }: Period): string | null {
  const first = tx.one(reportQueries.checkFirstEvent, {})?.at
  return first === undefined || fromSqlTime(first) <= from ? null : iso(first)
}

/** A lease that has ended is over, recorded or not. */
function offAt(tx: ReadTransaction, now: number): GateReport['off_now'] {
  const last = tx.one(reportQueries.gateBefore, { from: sqlBound(now + 1) })
  if (last?.type !== 'gate_off') return null
  const { until } = JSON.parse(last.data) as { until?: unknown }
  const end = typeof until === 'string' ? until : null
  return end !== null && Date.parse(end) <= now ? null : { since: iso(last.at), until: end }
}

export interface Acts {
  readonly total: number
  readonly acts: readonly Act[]
}

export function readActs(tx: ReadTransaction, period: Period): Acts {
  const rows = tx.all(reportQueries.administrativeActs, { ...bounds(period), limit: MOST_LISTED })
  return {
    total: rows[0]?.acts ?? 0,
    acts: rows.map(({ seq, at, type, actor, data, request_id }) => ({
      ...{ seq, at: iso(at), type, actor },
      ...toldOf(type, data, request_id),
    })),
  }
}

type Told = Pick<Act, 'about' | 'restored' | 'rollback'>
const NOTHING: Told = { about: '', restored: null, rollback: null }

/** What the server took over; a row that somebody wrote past it is shown, not believed. */
function toldOf(type: string, data: string, requestId: string | null): Told {
  if (type !== 'rollback' && type !== 'restored') {
    return { ...NOTHING, about: requestId ?? aboutOf(JSON.parse(data)) }
  }
  try {
    if (type === 'restored') {
      const restored = parseRestoreResult(data)
      return { ...NOTHING, about: restored.backup, restored }
    }
    const { id } = JSON.parse(data) as { id?: unknown }
    const result = parseRollbackResult(data, String(id))
    const { scenario, kind, outcome, by, host, reason, ticket = null, until = null } = result
    return { ...NOTHING, about: result.id, rollback: { scenario, kind, outcome, by, host, reason, ticket, until } }
  } catch {
    return NOTHING
  }
}

/** The one fact of an event's data that names its object. */
function aboutOf(data: Readonly<Record<string, unknown>>): string {
  const { user_id, role, version, backup, month, config_error, policy_error } = data
  const found = user_id ?? version ?? backup ?? month ?? config_error ?? policy_error ?? ''
  return `${found}${role === undefined ? '' : ` (${role})`}`
}

export function readAuditHead(tx: ReadTransaction) {
  const head = tx.one(reportQueries.chainHead, {})
  return head ? { ...head, at: iso(head.at) } : null
}
