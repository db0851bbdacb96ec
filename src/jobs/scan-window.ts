import { ledgerQueries } from '../queries.ts'
import { fromSqlTime, ReaderError, sqlBound } from '../sql.ts'
import type { Window } from './error-log.ts'
import type { JobContext } from './job.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A check that ran by hand this morning does not shorten the next one's view. */
const LAST = 20 * HOUR
/** After a longer pause a log is no longer read whole. */
const MOST = 7 * DAY

/**
 * What a scan of logs looks at: everything since the last scheduled check that came to its end, so that no hour falls
 * between two; 24 hours where the ledger knows of none.
 */
export function scanWindow({ now, settings, reader: open }: Pick<JobContext, 'now' | 'settings' | 'reader'>): Window {
  const query = ledgerQueries.checkLastScan
  try {
    const reader = open({ file: settings.OPS_DB_PATH, queries: [query], busyMs: 500 })
    try {
      const bounds = { job: 'daily-check', from: sqlBound(now - MOST), before: sqlBound(now - LAST) }
      const began = reader.read((tx) => tx.one(query, bounds))?.started_at ?? null
      return { from: began === null ? now - DAY : fromSqlTime(began), to: now }
    } finally {
      reader.close()
    }
  } catch (error) {
    // The check of the jobs says what is wrong with the ledger.
    if (!(error instanceof ReaderError)) throw error
    return { from: now - DAY, to: now }
  }
}
