import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { restoreNotePath } from '../backup/manifest.ts'
import { readSql } from '../sql.ts'
import { backUp, recordAdoption } from './adoption.ts'
import { useWal } from './wal.ts'

/** `APOP`: says that the file is ours. */
const APPLICATION_ID = 0x41504f50
const MIGRATIONS = ['001-desk', '002-desk-columns', '003-request-life', '004-archives', '006-usable-approvals'] as const
const KNOWN_TABLES = ['approval_requests', 'security_users']

export interface Opened {
  readonly db: Database.Database
  /** Set when a database of the old system was taken over: where its verified backup lies. */
  readonly adopted: { readonly backup: string } | null
  /** There was no database, or an empty one. */
  readonly created: boolean
}

/**
 * Opens `security.db` for the server, the only process that writes it: creates it, adopts one of the old system in
 * place (after a verified backup, and on record), migrates it. WAL with a durable commit for every transaction.
 * @throws Error with a sentence for the operator; nothing was changed then, unless the filesystem cannot hold WAL: that
 *   is known only when the file is made or migrated
 */
export async function openDatabase(path: string, now: number): Promise<Opened> {
  refuseDuringRestore(path)
  mkdirSync(dirname(path), { recursive: true })
  const before = fileIdentity(path)
  let db: Database.Database
  try {
    db = new Database(path, { timeout: 5000 })
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
  try {
    db.pragma('trusted_schema = OFF')
    // One look and all its consequences: another process may be making or adopting the same file.
    db.exec('BEGIN IMMEDIATE')
    // What we have open may have been moved aside while we waited: nobody would find again what we write there.
    if (before !== 'missing' && fileIdentity(path) !== before) {
      throw new Error(`${path} was replaced while it was being opened. Try again`)
    }
    const kind = kindOf(db, path)
    // Again: a restore that began in between looked for us before we had the file open.
    refuseDuringRestore(path)
    const backup = kind === 'old' ? await backUp(path, now) : null
    migrate(db)
    if (backup !== null) recordAdoption(db, backup, now)
    db.exec('COMMIT')
    configure(db)
    db.pragma('busy_timeout = 0')
    return { db, created: kind === 'new', adopted: backup === null ? null : { backup } }
  } catch (error) {
    db.close()
    const { message } = error as Error
    throw message.includes(path) ? error : new Error(`${path}: ${message}`, { cause: error })
  }
}

/** A database that is being replaced, or was left half replaced, is nobody's to write. */
function refuseDuringRestore(path: string): void {
  if (!existsSync(restoreNotePath(path))) return
  throw new Error(`${path} is being restored from a backup, or that was cut off: npm run backup -- resume`)
}

/** `old`: of the old system, `own`: of ours. Anything else is refused. */
function kindOf(db: Database.Database, path: string): 'new' | 'old' | 'own' {
  const applicationId = db.pragma('application_id', { simple: true })
  if (applicationId === APPLICATION_ID) {
    const version = db.pragma('user_version', { simple: true }) as number
    if (version > MIGRATIONS.length) {
      throw new Error(`${path} was written by a newer approval-ops (schema ${version}). Start that version`)
    }
    return 'own'
  }
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]
  if (tables.length === 0) return 'new'
  if (KNOWN_TABLES.some((table) => tables.includes(table))) return 'old'
  throw new Error(`${path} is a database of another program. Set SECURITY_DB_PATH to a file of its own`)
}

function configure(db: Database.Database): void {
  useWal(db, 'SECURITY_DB_PATH')
  // 16 MB between checkpoints: pages that change often are written back once instead of every few commits.
  db.pragma('wal_autocheckpoint = 4000')
  db.pragma('foreign_keys = ON')
}

function migrate(db: Database.Database): void {
  const done = db.pragma('user_version', { simple: true }) as number
  for (const name of MIGRATIONS.slice(done)) db.exec(readSql(`migrations/security/${name}`))
  db.pragma(`application_id = ${APPLICATION_ID}`)
  db.pragma(`user_version = ${MIGRATIONS.length}`)
}

/** Identity of the file at `path`, to notice that it was replaced or deleted under an open connection. */
export const fileIdentity = (path: string): string => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${stat.dev}:${stat.ino}` : 'missing'
}
