import { join } from 'node:path'
import { archivePath, type Settings } from '../config.ts'
import { reportQueries } from '../queries.ts'
import type { Period } from '../report/period.ts'
import { fromSqlTime, ReaderError, type ReadTransaction, sqlBound } from '../sql.ts'

/**
 * What was asked before this instant is in archive files, not in the database: its figures are unknown there, not
 * zero. ms since 1970; null when nothing was moved out.
 */
export function readArchivedUntil(tx: ReadTransaction): number | null {
  const last = tx.all(reportQueries.archivedMonths, {}).at(-1)
  return last ? fromSqlTime(last.until) : null
}

/** @throws ReaderError `archived`, which names the file that has the period's beginning: a report on it must say so */
export function assertNotArchived(tx: ReadTransaction, { from }: Period, settings: Settings): void {
  const months = tx.all(reportQueries.archivedMonths, {})
  const holder = months.find(({ until }) => from < fromSqlTime(until))
  if (!holder) return
  const { until } = months.at(-1)!
  throw new ReaderError('archived', join(archivePath(settings), holder.file), `${until} UTC`)
}

/** When the record begins, as the database writes it; null where it is older than what is left of it here, or empty. */
export function firstOnRecord(tx: ReadTransaction): string | null {
  if (readArchivedUntil(tx) !== null) return null
  const { first: request } = tx.one(reportQueries.firstRequest, {})!
  const event = tx.one(reportQueries.checkFirstEvent, {})?.at ?? null
  return [request, event].filter((at) => at !== null).sort()[0] ?? null
}

/** @throws ReaderError `before_record`: of a period that ended before anything was written nothing is known, not zero */
export function assertOnRecord(tx: ReadTransaction, { until }: Period, { SECURITY_DB_PATH }: Settings): void {
  const first = firstOnRecord(tx)
  if (first !== null && sqlBound(until) <= first) {
    throw new ReaderError('before_record', SECURITY_DB_PATH, `${first.slice(0, 19)} UTC`)
  }
}
