import { createHash } from 'node:crypto'
import { linkSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { DatabaseFacts } from '../backup/manifest.ts'
import { backupQueries, storeQueries } from '../queries.ts'
import { ReaderError } from '../sql.ts'
import { sqliteCode } from './failures.ts'
import { failureOf, requireFile } from './reader.ts'

/** How long somebody else's lock is waited for. */
const BUSY_MS = 5000
/** All pages in one step: a backup in several starts again whenever another process writes, for ever under load. */
const ALL_PAGES = 0x7fffffff

/** The disk that takes the copy is full. */
export class DiskFullError extends Error {}

/**
 * Copies a database, as it is at one instant, into a new file that needs no WAL beside it. Reads the source only, and
 * never creates it; writers are not held up.
 * @returns what the source held at that instant. Whether the copy holds it as well is for `inspect` to say
 * @throws ReaderError about the source, DiskFullError
 */
export async function copyDatabase(source: string, target: string): Promise<DatabaseFacts> {
  requireFile(source)
  const facts = await translated(source, async () => {
    const db = new Database(source, { readonly: true, fileMustExist: true, timeout: BUSY_MS })
    try {
      db.pragma('trusted_schema = OFF')
      // Within a transaction the backup takes the same snapshot as the counting before it.
      db.exec('BEGIN')
      const found = factsOf(db)
      let steps = 0
      await db.backup(target, {
        progress() {
          // The first step copies nothing. A third one means that the second met a lock and gave up waiting.
          if (++steps > 1) throw new ReaderError('locked', source, 'another program writes')
          return ALL_PAGES
        },
      })
      db.exec('COMMIT')
      return found
    } finally {
      db.close()
    }
  })
  await translated(target, () => {
    const copy = new Database(target, { fileMustExist: true })
    try {
      copy.pragma('journal_mode = DELETE')
    } finally {
      copy.close()
    }
  })
  return facts
}

/**
 * What a database that nobody writes holds, after a check of every page. Writes nothing.
 * @param name what errors call it, when it is a copy of something people know
 * @throws ReaderError
 */
export async function inspect(path: string, name = path): Promise<DatabaseFacts> {
  return await readOnly(path, name, (db) => {
    const verdict = db.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok') throw new ReaderError('corrupt', name, String(verdict))
    return factsOf(db)
  })
}

/**
 * What a database holds, without a check of its pages, and the hash of its event `seq`: two records that agree there
 * have the same past. `archived` when the event was moved out: nothing can be said then.
 * @throws ReaderError
 */
export async function glance(
  path: string,
  seq: number,
): Promise<DatabaseFacts & { readonly hash: string | null | 'archived' }> {
  return await readOnly(path, path, (db) => {
    const facts = factsOf(db)
    if (facts.chain_head === null) return { ...facts, hash: null }
    const first = db.prepare(storeQueries.eventFirst.sql).get() as { seq: number } | undefined
    if (first && seq > 0 && first.seq > seq) return { ...facts, hash: 'archived' }
    const [event] = db.prepare(storeQueries.eventPage.sql).all({ after: seq - 1, limit: 1 }) as {
      seq: number
      hash: string
    }[]
    return { ...facts, hash: event?.seq === seq ? event.hash : null }
  })
}

/**
 * Requests that were moved out of a database into archive files.
 * @throws ReaderError
 */
export async function movedOut(path: string): Promise<number> {
  return await readOnly(path, path, (db) => {
    const has = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'approval_archives'"
    if (db.prepare(has).get() === undefined) return 0
    return db.prepare(backupQueries.movedOut.sql).pluck().get() as number
  })
}

async function readOnly<T>(path: string, name: string, work: (db: Database.Database) => T): Promise<T> {
  requireFile(path)
  return await translated(name, () => {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_MS })
    try {
      db.pragma('trusted_schema = OFF')
      return db.transaction(() => work(db))()
    } finally {
      db.close()
    }
  })
}

async function translated<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (sqliteCode(error) === 'SQLITE_FULL') throw new DiskFullError(`no space left beside ${path}`, { cause: error })
    throw failureOf(error, path, true)
  }
}

function factsOf(db: Database.Database): DatabaseFacts {
  const schema = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name').raw().all()
  const version = db.pragma('user_version', { simple: true })
  const tables = db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .pluck()
    .all() as string[]
  const rowsOf = (table: string) =>
    db
      .prepare(`SELECT count(*) FROM "${table.replaceAll('"', '""')}"`)
      .pluck()
      .get()
  const newest = tables.includes('approval_requests')
    ? (db.prepare(backupQueries.newestRequest.sql).pluck().get() as string | null)
    : null
  const head = tables.includes('approval_events')
    ? (db.prepare(storeQueries.eventHead.sql).get() as { seq: number; hash: string } | undefined)
    : undefined
  return {
    schema_sha256: createHash('sha256')
      .update(JSON.stringify([version, schema]))
      .digest('hex'),
    tables: Object.fromEntries(tables.map((table) => [table, rowsOf(table) as number])),
    newest_request: newest,
    chain_head: head ?? null,
  }
}

/**
 * Keeps everybody out of a database: `open` when somebody is in it, `unknown` when it is too damaged to be locked or
 * its disk knows no links. The lock goes with this process. It is taken through a second name of the same file, because
 * whoever locks by the first would write the WAL back and so change what has to be kept as it was.
 */
export function lockDatabase(path: string): { readonly release: () => void } | 'open' | 'unknown' {
  const second = `${path}.restore-lock`
  const clear = (): void => {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(second + suffix, { force: true })
  }
  clear()
  let db: Database.Database | undefined
  try {
    linkSync(path, second)
    db = new Database(second, { timeout: 0, fileMustExist: true })
    // Without it somebody who has a WAL database open and does nothing would not be met.
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    clear()
    return /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(error) ?? '') ? 'open' : 'unknown'
  }
  const held = db
  return {
    release() {
      held.close()
      clear()
    },
  }
}
