import type Database from 'better-sqlite3'
import { isBusy } from './failures.ts'

const PATIENCE_MS = 5000
const PAUSE_MS = 10

/**
 * Puts the file into WAL mode, with a durable commit for every transaction.
 *
 * Of two processes that switch a new file at the same moment SQLite refuses one at once, whatever its time-out: each
 * reads what the other wants to write. The refused one tries again; by then the file is switched. Whoever really has
 * the file is waited for as long as with every other statement, once.
 * @param setting names the file's place in the configuration, for the message
 * @throws Error when the filesystem cannot hold such a database
 */
export function useWal(db: Database.Database, setting: 'SECURITY_DB_PATH' | 'OPS_DB_PATH'): void {
  if (switched(db) !== 'wal') {
    throw new Error(`${db.name}: its filesystem cannot hold a WAL database. Set ${setting} to a local disk`)
  }
  // A reopened WAL database starts at NORMAL, which may lose the last commits in a power cut.
  db.pragma('synchronous = FULL')
}

function switched(db: Database.Database): unknown {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return db.pragma('journal_mode = WAL', { simple: true })
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    }
  }
}
