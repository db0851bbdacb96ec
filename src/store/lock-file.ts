import Database from 'better-sqlite3'
import { isBusy } from './failures.ts'

/** Of two that come at the same moment SQLite refuses both at once, and lets one of them in when both wait a little. */
const MEETING_MS = 1000

/**
 * An exclusive transaction on a database of its own: the kernel ends it with this process, also by kill -9, and no
 * file's mere existence locks anybody out.
 * @param patienceMs how long another process that has it is waited for
 * @returns what ends it; `undefined` when another process has it
 */
export function lockFile(path: string, patienceMs = MEETING_MS): (() => void) | undefined {
  const db = new Database(path, { timeout: patienceMs })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return () => db.close()
  } catch (error) {
    db.close()
    if (isBusy(error)) return undefined
    throw error
  }
}
