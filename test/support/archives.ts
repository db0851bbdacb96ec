import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { verifyAudit } from '../../src/approval/audit.ts'
import { sha256 } from '../../src/approval/digest.ts'
import type { Store } from '../../src/approval/store.ts'
import type { Archiver } from '../../src/archiver-child.ts'
import { createRetention, type RetentionDeps } from '../../src/retention.ts'
import { makeArchive } from '../../src/store/archive-make.ts'
import { verifyArchives } from '../../src/store/archive-read.ts'
import { openDatabase } from '../../src/store/database.ts'
import { createSqliteStore } from '../../src/store/sqlite-store.ts'

export interface Desk {
  readonly path: string
  readonly folder: string
  readonly db: Database.Database
  readonly store: Store
}

export const folderOf = (path: string): string => join(dirname(path), 'archive')

/** The server's store on this file, without waiting for the disk at every commit. */
export async function openDesk(path: string, now: number): Promise<Desk> {
  const { db } = await openDatabase(path, now)
  db.pragma('synchronous = OFF')
  return { path, folder: folderOf(path), db, store: createSqliteStore(db) }
}

/** A user's token, in tests. */
export const tokenOf = (user_id: string): string => `apv_${user_id.padEnd(43, 'x')}`

export async function addUsers(store: Store, at: number): Promise<void> {
  await store.seedRoles(at)
  for (const [user_id, role] of [
    ['dev_user', 'developer'],
    ['admin_user', 'admin'],
  ] as const) {
    await store.addUser({ user_id, role, username: null, token_sha256: sha256(tokenOf(user_id)) }, 'server', at)
  }
}

/** The archiver's functions in this process: the same files, without a start of Node for each. */
export const archiverHere: Archiver = { make: makeArchive, verify: verifyArchives }

export interface Moved {
  readonly errors: string[]
}

/** Moves what is due at `now`, like the server does once a day. */
export async function moveOld(
  { path, folder, store }: Pick<Desk, 'path' | 'folder' | 'store'>,
  now: number,
  more: Partial<RetentionDeps> = {},
  days: number | null = 31,
): Promise<Moved> {
  const errors: string[] = []
  const retention = createRetention({
    ...{ store, archiver: archiverHere, database: path, folder, clock: () => now },
    settings: () => ({ RETENTION_DAYS: days, OPS_TIMEZONE: 'Asia/Seoul' }),
    alone: (work) => work(),
    stopping: new AbortController().signal,
    log: { error: (facts) => errors.push((facts as { err: Error }).err.message) },
    ...more,
  })
  await retention.look()
  return { errors }
}

export const audit = ({ store, folder }: Pick<Desk, 'store' | 'folder'>, known?: { seq: number; hash: string }) =>
  verifyAudit(store, known, (archives, head) => verifyArchives({ folder, archives, isAll: true, known: head }))

export const archiveFiles = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])
const filesOf = (path: string): string[] =>
  archiveFiles(folderOf(path))
    .filter((file) => file.endsWith('.db'))
    .map((file) => join(folderOf(path), file))

/** Each row of a table in the database and its archives as SQLite writes it: type and bytes of every column. */
export function everyRow(path: string, table: string): string[] {
  const files = [...filesOf(path), path]
  return files.flatMap((file) => rowsOf(file, table)).sort()
}

export function rowsOf(file: string, table: string): string[] {
  const db = new Database(file, { readonly: true })
  try {
    const names = db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]
    const columns = names.map((name) => `typeof("${name}") || ':' || hex(CAST("${name}" AS BLOB))`)
    return db
      .prepare(`SELECT ${columns.join(" || '|' || ")} FROM ${table}`)
      .pluck()
      .all() as string[]
  } finally {
    db.close()
  }
}

/** The chain from its very beginning, by nothing but two lines and the rows. @returns its end */
export function chainOf(path: string): { seq: number; hash: string } {
  let end = { seq: 0, hash: '0'.repeat(64) }
  const files = [...filesOf(path), path]
  for (const file of files) {
    const db = new Database(file, { readonly: true })
    for (const row of db.prepare('SELECT * FROM approval_events ORDER BY seq').all() as Record<string, never>[]) {
      const { seq, at, type, request_id, actor, data, prev_hash, hash } = row
      const own = createHash('sha256').update(JSON.stringify([end.hash, seq, at, type, request_id, actor, data]))
      if (seq !== end.seq + 1 || prev_hash !== end.hash || own.digest('hex') !== hash) {
        throw new Error(`${file}: event ${seq} does not continue ${end.seq}`)
      }
      end = { seq, hash }
    }
    db.close()
  }
  return end
}
