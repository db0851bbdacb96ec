import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { type Query, type Reader, ReaderError, type ReaderFailure, type ReadTransaction } from '../sql.ts'
import { sqliteCode } from './failures.ts'

/** A declared query, whatever its types are. */
export type Statement = Pick<Query<object, unknown>, 'file' | 'sql'>

export interface ReaderOptions {
  /** How long a statement waits for somebody else's lock. */
  readonly busyMs?: number
  /** Asked between statements and now and then between rows; what it throws ends the reading. */
  readonly check?: () => void
}

type Statements = ReadonlyMap<string, Database.Statement>
const ROWS_BETWEEN_CHECKS = 1024

/**
 * Opens an existing database for reading and prepares `queries`, so that a missing table or column shows now and not
 * in the middle of a report. Never creates the file and never changes what is in it. (In WAL mode SQLite itself puts
 * `-wal` and `-shm` beside a database that nobody has open; it needs a folder it may write to for that.)
 * @throws ReaderError
 */
export function openReader(file: string, queries: Iterable<Statement>, options: ReaderOptions = {}): Reader {
  requireFile(file)
  const translate = <T>(work: () => T, isOpening = false): T => {
    try {
      return work()
    } catch (error) {
      throw failureOf(error, file, isOpening)
    }
  }
  const db = translate(
    () => new Database(file, { readonly: true, fileMustExist: true, timeout: options.busyMs ?? 2000 }),
  )
  try {
    const statements = translate(() => prepared(db, file, queries), true)
    const tx = transactionOf(statements, options.check ?? (() => {}))
    return {
      read: (work) => translate(() => db.transaction(() => work(tx))()),
      close: () => db.close(),
    }
  } catch (error) {
    db.close()
    throw error
  }
}

export function requireFile(file: string): void {
  let facts: ReturnType<typeof statSync>
  try {
    facts = statSync(file)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    throw new ReaderError(missing ? 'missing' : code === 'EACCES' ? 'permission' : 'io', file, code, { cause: error })
  }
  if (!facts.isFile()) throw new ReaderError('not_a_database', file, 'not a regular file')
  // Zero bytes open without complaint, and then every table is missing.
  if (facts.size === 0) throw new ReaderError('empty', file, '0 bytes')
}

function prepared(db: Database.Database, file: string, queries: Iterable<Statement>): Statements {
  db.pragma('trusted_schema = OFF')
  db.pragma('query_only = ON')
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table'").get() === undefined) {
    throw new ReaderError('empty', file, 'no tables')
  }
  return new Map([...queries].map((query) => [query.file, db.prepare(query.sql)]))
}

function transactionOf(statements: Statements, check: () => void): ReadTransaction {
  const statement = (query: { readonly file: string }) => {
    const found = statements.get(query.file)
    if (!found) throw new Error(`${query.file} was not given to openReader`)
    check()
    return found
  }
  return {
    all: <P extends object, R>(query: Query<P, R>, params: P) => statement(query).all(params) as R[],
    one: <P extends object, R>(query: Query<P, R>, params: P) => statement(query).get(params) as R | undefined,
    *each<P extends object, R>(query: Query<P, R>, params: P) {
      let rows = 0
      for (const row of statement(query).iterate(params)) {
        if (++rows % ROWS_BETWEEN_CHECKS === 0) check()
        yield row as R
      }
    },
  }
}

const FAILURES: readonly (readonly [RegExp, ReaderFailure])[] = [
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, 'locked'],
  [/^SQLITE_NOTADB/, 'not_a_database'],
  [/^SQLITE_CORRUPT/, 'corrupt'],
  // A read-only connection meets READONLY and CANTOPEN where it may not make or use the WAL's files.
  [/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH|IOERR_ACCESS)/, 'permission'],
  [/^SQLITE_IOERR_SHORT_READ/, 'corrupt'],
  [/^SQLITE_(IOERR|FULL|NOMEM)/, 'io'],
  [/^SQLITE_SCHEMA/, 'schema'],
]

/**
 * SQLite's error as a ReaderError; anything else (a fault of the caller's own code) is passed on as it is. The general
 * SQLITE_ERROR means "no such table or column" while statements are prepared, and a fault of ours later.
 */
export function failureOf(error: unknown, file: string, isOpening: boolean): unknown {
  const code = sqliteCode(error)
  if (code === undefined || (code === 'SQLITE_ERROR' && !isOpening)) return error
  if (code === 'SQLITE_ERROR') return new ReaderError('schema', file, (error as Error).message, { cause: error })
  const [, failure] = FAILURES.find(([pattern]) => pattern.test(code)) ?? [null, 'io' as const]
  return new ReaderError(failure, file, `${code}: ${(error as Error).message}`, { cause: error })
}
