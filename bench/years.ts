import { renameSync, rmSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { eventHash } from '../src/approval/chain.ts'
import { sqlTime } from '../src/sql.ts'
import { openDatabase } from '../src/store/database.ts'

/** The instant of the bench: 18:00 in Seoul. */
export const NOW = Date.parse('2026-11-22T09:00:00Z')
const DAY = 86_400_000
const DAYS = 730
/** Midnight in Seoul, after the last day. */
const END = Date.parse('2026-11-22T15:00:00Z')

/**
 * One day's requests in order of time: nine tenths between 09:00 and 19:00, five of six answered, in a few seconds or a
 * few minutes. A day is one statement, so that ten million rows take minutes.
 */
const REQUESTS = `
WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :count),
asked AS (
  SELECT k, abs((:seq + k) * 2654435761 % 1000003) AS dice, :from + CASE
      WHEN 100 * k < 5 * :count THEN 100 * k * 32400000 / (5 * :count)
      WHEN 100 * k < 95 * :count THEN 32400000 + (100 * k - 5 * :count) * 36000000 / (90 * :count)
      ELSE 68400000 + (100 * k - 95 * :count) * 17990000 / (5 * :count) END AS at
  FROM n),
ended AS (
  SELECT *, CASE WHEN dice % 100 < 72 THEN 'approved' WHEN dice % 100 < 82 THEN 'rejected'
      WHEN dice % 100 < 96 THEN 'expired' ELSE 'cancelled' END AS status,
    1500 + dice % 7 * (dice % 41) * 1000 + dice % 997 AS takes
  FROM asked)
INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status, requested_at, responded_at,
  responder_id, response_reason, expires_at, server, level, digest, created_seq, closed_seq, life)
SELECT printf('%08x-0000-4000-8000-000000000000', :seq + 2 * k),
  CASE dice % 12 WHEN 0 THEN 'execute_bash' WHEN 1 THEN 'run_command' WHEN 2 THEN 'git_commit' WHEN 3 THEN 'web_automate'
    WHEN 4 THEN 'switch_model' WHEN 5 THEN 'write_file' WHEN 6 THEN 'write_file' ELSE 'execute_python' END,
  'agent_' || (dice / 12 % 8), 'developer', '{"code":"print(' || dice || ')"}', status,
  strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch'),
  CASE WHEN dice % 100 < 82 THEN strftime('%Y-%m-%d %H:%M:%f', (at + takes) / 1000.0, 'unixepoch') END,
  CASE WHEN dice % 100 < 82 THEN 'approver_' || (dice / 100 % 6) END, CASE WHEN dice % 100 < 82 THEN 'read it' END,
  strftime('%Y-%m-%d %H:%M:%f', (at + 300000) / 1000.0, 'unixepoch'), '', 'HIGH', printf('%x', :seq + 2 * k),
  :seq + 2 * k - 1, :seq + 2 * k, 1
FROM ended WHERE at < :now - 600000
ORDER BY k`

/** What the record tells of them; made-up hashes, as no report verifies all of it. */
const EVENTS = `
INSERT INTO approval_events (seq, at, type, request_id, actor, data, prev_hash, hash)
SELECT created_seq, requested_at, 'created', request_id, user_id, '{}', '', ''
  FROM approval_requests WHERE requested_at >= :from AND requested_at < :until
UNION ALL
SELECT closed_seq, coalesce(responded_at, expires_at), status, request_id, coalesce(responder_id, user_id), '{}', '', ''
  FROM approval_requests WHERE requested_at >= :from AND requested_at < :until
ORDER BY 1`

/** Who saw those that nobody answered; no report asks it of the others. */
const LIVES = `
INSERT INTO request_life (created_seq, what, who, first_at, last_at)
SELECT created_seq, column1, column2, requested_at, requested_at
FROM approval_requests, (VALUES ('notified', 'approver_1'), ('notified', 'approver_2'), ('waiting', 'agent'))
WHERE requested_at >= :from AND requested_at < :until AND +status = 'expired'`

/** A security.db of two years with so many requests, and the record of them. */
export async function fillYears(path: string, rows: number): Promise<void> {
  const part = `${path}.part`
  rmSync(part, { force: true })
  const { db } = await openDatabase(part, NOW)
  db.pragma('journal_mode = OFF')
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -262144')
  // What an old database has besides: the runbook's statements must not lack it.
  db.exec('CREATE INDEX old_requested_at ON approval_requests (requested_at DESC)')
  const requests = db.prepare(REQUESTS)
  const events = db.prepare(EVENTS)
  const lives = db.prepare(LIVES)
  const record = recorder(db)
  let seq = 0
  let done = 0
  for (let day = 0; day < DAYS; day++) {
    const from = END - (DAYS - day) * DAY
    const count = Math.floor(((day + 1) * rows) / DAYS) - done
    done += count
    db.transaction(() => {
      if (count > 0) {
        requests.run({ count: BigInt(count), seq: BigInt(seq), from: BigInt(from), now: BigInt(NOW) })
        const period = { from: sqlTime(from), until: sqlTime(from + DAY) }
        events.run(period)
        lives.run(period)
      }
      seq = administration(record, day, Math.min(from + 15 * 3_600_000, NOW - 600_000))
    })()
  }
  db.pragma('journal_mode = WAL')
  db.close()
  renameSync(part, path)
}

type Record = (at: number, type: string, data?: object) => number

/** Appends one event that continues the one before it; answers its number. */
function recorder(db: Database.Database): Record {
  const head = db.prepare('SELECT seq, hash FROM approval_events ORDER BY seq DESC LIMIT 1')
  const insert = db.prepare(`INSERT INTO approval_events (seq, at, type, request_id, actor, data, prev_hash, hash)
    VALUES (:seq, :at, :type, :request_id, :actor, :data, :prev_hash, :hash)`)
  return (ms, type, data = {}) => {
    const { seq, hash } = (head.get() ?? { seq: 0, hash: '' }) as { seq: number; hash: string }
    const row = { seq: seq + 1, at: sqlTime(ms), type, request_id: null, actor: 'server', data: JSON.stringify(data) }
    const event = { ...row, prev_hash: hash }
    insert.run({ ...event, hash: eventHash(event) })
    return row.seq
  }
}

/** A restart every day; every week an hour without the gate, in which a hundred calls ran. */
function administration(record: Record, day: number, at: number): number {
  record(at, 'server_stopped')
  const seq = record(at + 5000, 'server_started', { version: '0.1.0' })
  if ((DAYS - 1 - day) % 7 !== 0) return seq
  record(at + 10_000, 'gate_off', { until: new Date(at + 310_000).toISOString(), cause: 'lease' })
  for (let n = 0; n < 100; n++) {
    record(at + 11_000 + n * 2000, 'bypassed', { server: '', tool: 'execute_python', level: 'CRITICAL', digest: 'd' })
  }
  return record(at + 310_000, 'gate_on')
}
