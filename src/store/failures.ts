import Database from 'better-sqlite3'
import { ApprovalError } from '../approval/errors.ts'

/** SQLite's code, e.g. `SQLITE_BUSY_SNAPSHOT`; undefined for errors that are not SQLite's. */
export const sqliteCode = (error: unknown): string | undefined =>
  error instanceof Database.SqliteError ? error.code : undefined

export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(error) ?? '')

/** What this store finds wrong by itself: a file that was replaced, a record that was cut. */
export class StoreError extends Error {}

const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_(BUSY|LOCKED)/, 'another program holds the database'],
  [/^SQLITE_FULL/, 'the disk that holds the database is full'],
  [/^SQLITE_READONLY/, 'the database is read-only'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'the database is damaged'],
  [/^SQLITE_(IOERR|CANTOPEN)/, 'the disk that holds the database fails'],
]

/** True for what the store or SQLite says; anything else is a fault of ours and must not look like theirs. */
export const isStoreFailure = (error: unknown): boolean =>
  error instanceof StoreError || error instanceof Database.SqliteError

/** What the caller is told when the store fails: never more than the kind of failure. The cause goes to the log. */
export function unavailable(error: unknown): ApprovalError {
  const code = sqliteCode(error) ?? ''
  const what = SENTENCES.find(([pattern]) => pattern.test(code))?.[1] ?? 'the database does not answer'
  return new ApprovalError('store_unavailable', `${what}. Nothing was changed; try again`, {}, { cause: error })
}
