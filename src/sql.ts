import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * One statement of `sql/`: its file, its named parameters and its row. All are declared in src/queries.ts.
 * The types are a promise about the file; `test/queries.test.ts` prepares each statement and compares.
 */
export interface Query<Params, Row> {
  /** Path below `sql/`, without `.sql`. */
  readonly file: string
  readonly sql: string
  /** Only for the type checker. */
  readonly types?: (params: Params) => Row
}

const SQL = fileURLToPath(new URL('../sql/', import.meta.url))

export const readSql = (file: string): string => readFileSync(join(SQL, `${file}.sql`), 'utf8')

export const query = <Params, Row = never>(file: string): Query<Params, Row> => ({ file, sql: readSql(file) })

/** Instants of the database: `YYYY-MM-DD HH:MM:SS.SSS`, UTC. */
export const sqlTime = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 23)

/**
 * The bound of a half-open range. A whole second is written without its `.000`, so that rows of the old system
 * (`YYYY-MM-DD HH:MM:SS`, no milliseconds) that lie exactly on it sort on the right side.
 */
export const sqlBound = (ms: number): string => sqlTime(ms).replace(/\.000$/, '')

/** Inverse of sqlTime; reads the old system's seconds as well. NaN when the text is not an instant. */
export const fromSqlTime = (text: string): number =>
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?$/.test(text) ? Date.parse(`${text.replace(' ', 'T')}Z`) : Number.NaN

/**
 * Why a database could not be read. Decided by SQLite's and the system's codes, never by a message's text. `archived`:
 * what was asked for was moved out of it; `file` is the archive that has it then. `before_record`: it is older than
 * anything in it.
 */
export type ReaderFailure =
  | 'missing'
  | 'empty'
  | 'not_a_database'
  | 'corrupt'
  | 'locked'
  | 'schema'
  | 'permission'
  | 'io'
  | 'archived'
  | 'before_record'

/** What `Reader` throws, on opening and on reading. `detail` is for the log and for the developer. */
export class ReaderError extends Error {
  readonly code: ReaderFailure
  readonly file: string
  readonly detail: string
  constructor(code: ReaderFailure, file: string, detail: string, options?: ErrorOptions) {
    super(`${file}: ${code}: ${detail}`, options)
    this.name = 'ReaderError'
    this.code = code
    this.file = file
    this.detail = detail
  }
}

/**
 * Read access for reports: a connection that cannot write, one snapshot for all statements of one `read`.
 * Implemented by src/store; handed to jobs.
 */
export interface Reader {
  /** Runs `work` inside one read transaction: all its statements see the same instant of the database. */
  read<T>(work: (tx: ReadTransaction) => T): T
  close(): void
}

export interface ReadTransaction {
  all<P extends object, R>(query: Query<P, R>, params: P): R[]
  /** The first row; aggregates always have one. */
  one<P extends object, R>(query: Query<P, R>, params: P): R | undefined
  /** Row by row, for results that must not be held in memory at once. */
  each<P extends object, R>(query: Query<P, R>, params: P): IterableIterator<R>
}
