import { dirname } from 'node:path'
import { reportQueries } from '../queries.ts'
import { type Finding, LIMITS } from '../report/daily-check-data.ts'
import { remedyOf, shellWord } from '../report/unmeasured.ts'
import { type Reader, ReaderError } from '../sql.ts'
import type { DiskFacts, FileFacts } from '../system/system.ts'
import { finding } from './check.ts'
import type { JobContext } from './job.ts'

const TABLES = ['approval_requests', 'approval_events', 'security_users']
/** Somebody who holds the database longer than this is reported. The other checks wait behind it. */
const BUSY_MS = 1000

export interface Opened {
  readonly finding: Finding
  /** null when the database cannot be read: then `finding` says why. */
  readonly reader: Reader | null
}

/** Opens security.db if that is what it is. Creates nothing. */
export async function openDatabase(context: JobContext): Promise<Opened> {
  const path = context.settings.SECURITY_DB_PATH
  const closed = (found: Finding): Opened => ({ finding: found, reader: null })
  const wrongPath = { next: 'grep -n SECURITY_DB_PATH .env' }
  try {
    const facts = await context.system.stat(path)
    if (facts !== null && facts.kind !== 'file')
      return closed(finding('database.no_file', 'unknown', { path }, wrongPath))
    const missing = missingTables(context)
    // Without our record it is the old system's, which the server takes over.
    if (missing.length === 1 && missing[0] === 'approval_events') {
      return closed(finding('database.old', 'unknown', { path }, { next: 'npm start' }))
    }
    if (missing.length > 0) {
      return closed(finding('database.foreign', 'unknown', { path, tables: missing }, wrongPath))
    }
    const reader = context.reader({ busyMs: BUSY_MS })
    return { finding: sizes(facts!, await context.system.stat(`${path}-wal`), path), reader }
  } catch (error) {
    return closed(unreadable(error as Error, path))
  }
}

function missingTables(context: JobContext): string[] {
  const reader = context.reader({ queries: [reportQueries.checkTables], busyMs: BUSY_MS })
  try {
    const found = reader.read((tx) => tx.all(reportQueries.checkTables, {})).map(({ name }) => name)
    return TABLES.filter((table) => !found.includes(table))
  } finally {
    reader.close()
  }
}

/** Also for what reading a database that opened well runs into. */
export function unreadable(error: Error, path: string): Finding {
  if (!(error instanceof ReaderError)) {
    return finding('database.failed', 'unknown', { path, message: error.message }, { next: 'npm run daily-check' })
  }
  const { code, detail, file } = error
  const isDamaged = code === 'corrupt' || code === 'not_a_database'
  const next = remedyOf(isDamaged ? { code: 'corrupt', file, detail } : error)
  return finding('database.unreadable', isDamaged ? 'critical' : 'unknown', { cause: code, path, detail }, { next })
}

/** A WAL larger than the database itself says that somebody keeps it from being written back. */
function sizes(db: FileFacts, wal: FileFacts | null, path: string): Finding {
  const facts = { db_bytes: db.size, wal_bytes: wal?.size ?? 0, path }
  const { wal_bytes } = facts
  const { wal_critical_bytes, wal_warning_bytes } = LIMITS
  const more = { next: remedyOf({ code: 'locked', file: path, detail: '' }) }
  const outgrown = db.size > wal_warning_bytes && wal_bytes > db.size
  if (wal_bytes > wal_critical_bytes || outgrown) return finding('database.wal', 'critical', facts, more)
  if (wal_bytes > wal_warning_bytes) return finding('database.wal', 'warning', facts, more)
  return finding('database.readable', 'ok', facts)
}

/** Room for the database, and whether its file system can hold a WAL at all. */
export async function checkDisk({ system, settings }: JobContext): Promise<Finding> {
  const path = dirname(settings.SECURITY_DB_PATH)
  try {
    return diskFinding(await system.statfs(path), path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return finding('disk.missing', 'unknown', { path }, { next: 'npm start' })
    return finding('disk.unreadable', 'unknown', { path, message }, { next: `ls -ld ${shellWord(path)}` })
  }
}

export function diskFinding({ free, total, type, remote }: DiskFacts, path: string): Finding {
  const more = { next: remedyOf({ code: 'io', file: path, detail: '' }) }
  const facts = { free_bytes: free, total_bytes: total, type, path }
  if (remote) return finding('disk.remote', 'critical', facts, more)
  if (free < LIMITS.free_critical_bytes) return finding('disk.low', 'critical', facts, more)
  if (free < LIMITS.free_warning_bytes) return finding('disk.low', 'warning', facts, more)
  return finding('disk.enough', 'ok', facts)
}
