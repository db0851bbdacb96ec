import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { ROOT } from '../../src/config.ts'

/** A row of approval_requests; what is left out is an ordinary request of dev_user. */
export interface Row {
  request_id?: string
  tool_name?: string
  user_id?: string
  status?: string | null
  requested_at: string | null
  responded_at?: string | null
  responder_id?: string | null
  expires_at?: string | null
  server?: string
  created_seq?: number | null
  closed_seq?: number | null
  life?: number | null
}

/** A row of request_life. */
export interface LifeRow {
  created_seq: number
  what: string
  who: string
  first_at: string
  last_at: string
}

export interface Event {
  at: string
  type: string
  actor?: string
  request_id?: string | null
  data?: object
}

/** The old system's table, as origin-contract.md has it: nullable columns, indexes of its own. */
const OLD_SYSTEM = `
  CREATE TABLE security_users (user_id TEXT PRIMARY KEY, username TEXT, role_id INTEGER, created_at TEXT,
    updated_at TEXT, is_active INTEGER DEFAULT 1);
  CREATE TABLE approval_requests (request_id TEXT PRIMARY KEY, tool_name TEXT NOT NULL, user_id TEXT NOT NULL,
    role TEXT NOT NULL, request_data TEXT, status TEXT DEFAULT 'pending',
    requested_at TEXT DEFAULT (datetime('now')), responded_at TEXT, responder_id TEXT, response_reason TEXT,
    expires_at TEXT);
  CREATE INDEX idx_old_status ON approval_requests (status, expires_at);
  CREATE INDEX idx_old_user ON approval_requests (user_id);
  CREATE INDEX idx_old_requested ON approval_requests (requested_at DESC);`

const migration = (name: string): string => readFileSync(`${ROOT}/sql/migrations/security/${name}.sql`, 'utf8')

/** A database with the desk's schema and nothing in it; `adopted` has the old system's table underneath. */
export function createDatabase(path: string, { adopted = false, wal = true } = {}): Database.Database {
  const db = new Database(path)
  if (wal) db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.exec(adopted ? OLD_SYSTEM : migration('001-desk'))
  db.exec(migration('002-desk-columns'))
  db.exec(migration('003-request-life'))
  db.exec(migration('004-archives'))
  return db
}

/** The old system's database before the server has adopted it. */
export function createOldDatabase(path: string): void {
  const db = new Database(path)
  db.exec(OLD_SYSTEM)
  db.close()
}

let nextId = 0

export function insertRequests(db: Database.Database, rows: readonly Row[]): void {
  const insert = db.prepare(`INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status,
      requested_at, responded_at, responder_id, expires_at, server, created_seq, closed_seq, life)
    VALUES (:request_id, :tool_name, :user_id, 'developer', '{}', :status, :requested_at, :responded_at, :responder_id,
      :expires_at, :server, :created_seq, :closed_seq, :life)`)
  const ordinary = { tool_name: 'execute_python', user_id: 'dev_user', status: 'pending', server: '' }
  const unrecorded = { created_seq: null, closed_seq: null, life: null }
  const empty = { responded_at: null, responder_id: null, expires_at: '2099-01-01 00:00:00.000', ...unrecorded }
  db.transaction(() => {
    for (const row of rows) insert.run({ request_id: `r${++nextId}`, ...ordinary, ...empty, ...row })
  })()
}

/** Hashes are made up: the reports show the last one and verify none. */
export function insertEvents(db: Database.Database, events: readonly Event[]): void {
  const insert = db.prepare(`INSERT INTO approval_events (seq, at, type, request_id, actor, data, prev_hash, hash)
    VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM approval_events), :at, :type, :request_id, :actor, :data, '', :hash)`)
  for (const { at, type, actor = 'server', request_id = null, data = {} } of events) {
    insert.run({ at, type, request_id, actor, data: JSON.stringify(data), hash: 'ab'.repeat(32) })
  }
}

export function insertLives(db: Database.Database, rows: readonly LifeRow[]): void {
  const insert = db.prepare(`INSERT INTO request_life (created_seq, what, who, first_at, last_at)
    VALUES (:created_seq, :what, :who, :first_at, :last_at)`)
  for (const row of rows) insert.run(row)
}
