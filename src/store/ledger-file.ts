import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { readSql, sqlTime } from '../sql.ts'
import { sqliteCode } from './failures.ts'
import { useWal } from './wal.ts'

/** `APOL`: says that the file is ours. */
const APPLICATION_ID = 0x41504f4c
const MIGRATIONS = ['001-ledger'] as const
const BUSY_MS = 5_000

interface LedgerFile {
  readonly db: Database.Database
  /** Set when history was lost: what became of the old file. */
  readonly warning: string | null
}

/** Opens, makes or replaces the file. Any number of processes may do this at once. */
export function openLedgerFile(path: string, now: number): LedgerFile {
  mkdirSync(dirname(path), { recursive: true })
  const lost = !existsSync(path) && hasRuns(path)
  try {
    return { db: open(path), warning: lost ? `${path} was gone: the record of earlier runs is lost` : null }
  } catch (error) {
    if (!isDamage(error)) throw error
    return replaceDamaged(path, now)
  }
}

function open(path: string): Database.Database {
  const db = new Database(path, { timeout: BUSY_MS })
  try {
    const verdict = db.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok') throw new DamagedError(String(verdict))
    migrate(db, path)
    // A power cut must not undo a claim whose run has begun.
    useWal(db, 'OPS_DB_PATH')
    db.pragma('trusted_schema = OFF')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

class DamagedError extends Error {}

const isDamage = (error: unknown): boolean =>
  error instanceof DamagedError || /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error) ?? '')

/** Looks and writes in one transaction: another process may be making the same file. */
function migrate(db: Database.Database, path: string): void {
  db.transaction(() => {
    const done = ownVersion(db, path)
    if (done === MIGRATIONS.length) return
    for (const name of MIGRATIONS.slice(done)) db.exec(readSql(`migrations/ops/${name}`))
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${MIGRATIONS.length}`)
  }).immediate()
}

/** How many migrations a file of ours has, 0 for a new one; anything else is refused. */
function ownVersion(db: Database.Database, path: string): number {
  if (db.pragma('application_id', { simple: true }) === APPLICATION_ID) {
    const version = db.pragma('user_version', { simple: true }) as number
    if (version <= MIGRATIONS.length) return version
    throw new Error(`${path} was written by a newer approval-ops (schema ${version}). Start that version`)
  }
  if (db.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined) return 0
  throw new Error(`${path} is a database of another program. Set OPS_DB_PATH to a file of its own`)
}

/**
 * Moves the damaged file aside and makes a new one. Under a lock that ends with its holder, and after a second look:
 * else a slower process would move away the new file of a quicker one.
 */
function replaceDamaged(path: string, now: number): LedgerFile {
  const lock = new Database(`${path}.lock`, { timeout: BUSY_MS })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    try {
      return { db: open(path), warning: null }
    } catch (error) {
      if (!isDamage(error)) throw error
    }
    const aside = `${path}.damaged-${sqlTime(now).replace(/[-:]/g, '').replace(' ', 'T').slice(0, 15)}Z`
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
    }
    const warning = `${path} was damaged and lies now at ${aside}: the record of earlier runs is lost`
    return { db: open(path), warning }
  } finally {
    lock.close()
  }
}

/** Kept output beside a missing ledger: it was there once. */
function hasRuns(path: string): boolean {
  const folder = join(dirname(path), 'runs')
  return existsSync(folder) && readdirSync(folder).length > 0
}
