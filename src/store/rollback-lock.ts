import Database from 'better-sqlite3'
import { sqliteCode } from './failures.ts'

/**
 * An exclusive transaction on a database of its own: the kernel ends it with this process, also by kill -9, and no
 * file's mere existence locks anybody out.
 * @returns what ends it; `undefined` when another process has it
 */
export function lockFile(path: string): (() => void) | undefined {
  const db = new Database(path, { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return () => db.close()
  } catch (error) {
    db.close()
    if (sqliteCode(error)?.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}
