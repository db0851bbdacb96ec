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

/** @throws ReaderError `before_record`: of a period that ended before anything was written nothing is known, not zero */
export function assertOnRecord(tx: ReadTransaction, { until }: Period, { SECURITY_DB_PATH }: Settings): void {
  // Then the record is older than what is left of it here.
  if (readArchivedUntil(tx) !== null) return
  const { first: request } = tx.one(reportQueries.firstRequest, {})!
  const event = tx.one(reportQueries.checkFirstEvent, {})?.at ?? null
  const [first] = [request, event].filter((at) => at !== null).sort()
  if (first !== undefined && sqlBound(until) <= first) {
    throw new ReaderError('before_record', SECURITY_DB_PATH, `${first.slice(0, 19)} UTC`)
  }
}
