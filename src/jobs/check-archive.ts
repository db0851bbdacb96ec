import { join } from 'node:path'
import { archivePath } from '../config.ts'
import { reportQueries, storeQueries } from '../queries.ts'
import type { Finding } from '../report/daily-check-data.ts'
import { monthsDue } from '../report/months.ts'
import { shellWord } from '../report/unmeasured.ts'
import { fromSqlTime, ReaderError, sqlBound } from '../sql.ts'
import { finding } from './check.ts'
import type { JobContext } from './job.ts'

const DAY = 86_400_000
/** The server looks once a day, and tries again after a failure: what is due since yesterday does not wait yet. */
const PATIENCE_DAYS = 2
const SHOWN = 5

/** Does what is old leave the database, and are the files there that have it? Their content: `approval audit verify`. */
export async function checkArchive(context: JobContext): Promise<Finding> {
  const { settings, system, now, zone } = context
  const { RETENTION_DAYS: days, LOG_PATH } = settings
  let seen: ReturnType<typeof read>
  try {
    seen = read(context)
  } catch (error) {
    if (!(error instanceof ReaderError)) throw error
    return finding('archive.unmeasured', 'unknown', {}, { next: 'npm run daily-check' })
  }
  const { months, oldest } = seen
  const folder = archivePath(settings)
  const missing: string[] = []
  for (const { file } of months) if ((await system.stat(join(folder, file))) === null) missing.push(file)
  if (missing.length > 0) {
    const files = missing.length > SHOWN ? [...missing.slice(0, SHOWN), '…'] : missing
    const facts = { missing: missing.length, files, path: folder }
    return finding('archive.missing', 'warning', facts, { next: `ls -l ${shellWord(folder)}` })
  }
  if (days === null) return finding('archive.not_configured', 'not_configured', {})
  const last = months.at(-1)?.month
  const due = oldest === null ? [] : monthsDue({ oldest, last, now, zone }, days + PATIENCE_DAYS)
  if (due.length > 0) {
    const facts = { months: due.length, first: due[0]!.month, days }
    return finding('archive.waiting', 'warning', facts, { next: `grep -n RETENTION_DAYS ${shellWord(LOG_PATH)}` })
  }
  if (last === undefined) return finding('archive.none', 'ok', { days })
  return finding('archive.kept', 'ok', { archives: months.length, last, days })
}

/** `oldest`: ms since 1970 of the oldest that is still in the database and could be moved. */
function read({ reader: open, settings, now }: JobContext) {
  const reader = open({ queries: [reportQueries.archivedMonths, storeQueries.archiveOldest] })
  try {
    return reader.read((tx) => {
      const months = tx.all(reportQueries.archivedMonths, {})
      const until = sqlBound(now - (settings.RETENTION_DAYS ?? 0) * DAY)
      const { event_at, request_at } = tx.one(storeQueries.archiveOldest, { until })!
      const instants = [event_at, request_at].flatMap((text) => (text === null ? [] : [fromSqlTime(text)]))
      const known = instants.filter((ms) => !Number.isNaN(ms))
      return { months, oldest: known.length > 0 ? Math.min(...known) : null }
    })
  } finally {
    reader.close()
  }
}
