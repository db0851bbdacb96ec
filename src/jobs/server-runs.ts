import { reportQueries } from '../queries.ts'
import { fromSqlTime, type ReadTransaction, sqlBound } from '../sql.ts'

/** A time without a server, ms since 1970, half-open. */
export interface Gap {
  readonly from: number
  readonly until: number
  /** It did not stop by itself (killed, power cut): it ended at some instant from `from` on. */
  readonly crashed: boolean
}

export interface ServerRuns {
  /** The first start on record; what was before, nobody knows. Infinity when there is none. */
  readonly since: number
  /** In order of time. The last one does not end when the server has stopped and not started since. */
  readonly gaps: readonly Gap[]
}

/** When the server did not run at or after `from`, as far as the record says. */
export function readServerRuns(tx: ReadTransaction, from: number): ServerRuns {
  const gaps: Gap[] = []
  let since = Number.POSITIVE_INFINITY
  let hasStarted = false
  let stopped: number | undefined
  for (const { at, type, alive_at, first_start } of tx.each(reportQueries.serverRuns, { from: sqlBound(from) })) {
    const instant = fromSqlTime(at)
    since = fromSqlTime(first_start ?? '')
    if (type === 'server_stopped') {
      stopped = instant
      continue
    }
    if (!hasStarted) hasStarted = true
    else if (stopped !== undefined) gaps.push({ from: stopped, until: instant, crashed: false })
    else gaps.push({ from: fromSqlTime(alive_at ?? at), until: instant, crashed: true })
    stopped = undefined
  }
  if (stopped !== undefined) gaps.push({ from: stopped, until: Number.POSITIVE_INFINITY, crashed: false })
  return { since, gaps }
}
