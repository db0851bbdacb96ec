import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { awayFrom } from './support/away-from.ts'
import { NO_LIMIT, type RunningServer, startServer, temporaryFolder } from './support/server.ts'

/**
 * The statements of the team's runbook, letter by letter; their 'now' is the day the server runs. One is missing: the
 * live monitor's, whose alias captures the column it asks for, so that it fails on every database.
 */
const STATEMENTS: Record<string, { sql: string; rows: unknown[][] }> = {
  'the table exists': {
    sql: "SELECT name FROM sqlite_master WHERE type='table' AND name='approval_requests';",
    rows: [['approval_requests']],
  },
  'morning check: waiting requests of the last hour': {
    sql: `SELECT
  SUBSTR(request_id, 1, 8) as id,
  tool_name,
  user_id,
  strftime('%H:%M:%S', requested_at) as time,
  CAST((julianday(expires_at) - julianday('now')) * 60 AS INTEGER) as expires_min
FROM approval_requests
WHERE status = 'pending'
  AND datetime('now', '-1 hour') < requested_at
ORDER BY requested_at DESC;`,
    rows: [
      [
        expect.stringMatching(/^[0-9a-f]{8}$/),
        'execute_python',
        'dev_user',
        expect.stringMatching(/^\d\d:\d\d:\d\d$/),
        0,
      ],
    ],
  },
  'morning check: yesterday': {
    sql: `SELECT
  COUNT(*) as total,
  SUM(CASE WHEN status = 'approved' THEN 1 ELSE 0 END) as approved,
  SUM(CASE WHEN status = 'rejected' THEN 1 ELSE 0 END) as rejected,
  SUM(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) as pending
FROM approval_requests
WHERE DATE(requested_at) = DATE('now', '-1 day');`,
    rows: [[0, null, null, null]],
  },
  'evening report: the day': {
    sql: `SELECT
  'Total Requests' as metric,
  COUNT(*) as value
FROM approval_requests
WHERE DATE(requested_at) = DATE('now')
UNION ALL
SELECT 'Approved', COUNT(*)
FROM approval_requests
WHERE DATE(requested_at) = DATE('now') AND status = 'approved'
UNION ALL
SELECT 'Rejected', COUNT(*)
FROM approval_requests
WHERE DATE(requested_at) = DATE('now') AND status = 'rejected'
UNION ALL
SELECT 'Pending', COUNT(*)
FROM approval_requests
WHERE DATE(requested_at) = DATE('now') AND status = 'pending';`,
    rows: [
      ['Total Requests', 3],
      ['Approved', 1],
      ['Rejected', 1],
      ['Pending', 1],
    ],
  },
  'evening report: tools': {
    sql: `SELECT tool_name, COUNT(*) as count
FROM approval_requests
WHERE DATE(requested_at) = DATE('now')
GROUP BY tool_name
ORDER BY count DESC
LIMIT 5;`,
    rows: [['execute_python', 3]],
  },
  'evening report: minutes to answer, which are those of human answers alone': {
    sql: `SELECT
  ROUND(AVG(
    (julianday(responded_at) - julianday(requested_at)) * 24 * 60
  ), 2) as avg_minutes
FROM approval_requests
WHERE DATE(requested_at) = DATE('now') AND responded_at IS NOT NULL;`,
    rows: [[expect.any(Number)]],
  },
  'what waits, in detail': {
    sql: `SELECT SUBSTR(request_id,1,8), tool_name, user_id, requested_at \
   FROM approval_requests WHERE status='pending' ORDER BY requested_at;`,
    rows: [
      [expect.any(String), 'execute_python', 'dev_user', expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/)],
    ],
  },
  'how many wait': {
    sql: "SELECT COUNT(*) FROM approval_requests WHERE status = 'pending';",
    rows: [[1]],
  },
  "the weekly summary, which is empty on every database: '-4 weeks' is no SQLite modifier": {
    sql: `SELECT
  STRFTIME('%Y-W%W', requested_at) as week,
  COUNT(*) as total,
  SUM(CASE WHEN status = 'approved' THEN 1 ELSE 0 END) as approved,
  ROUND(100.0 * SUM(CASE WHEN status = 'approved' THEN 1 ELSE 0 END) / COUNT(*), 1) as approval_rate
FROM approval_requests
WHERE requested_at > datetime('now', '-4 weeks')
GROUP BY week
ORDER BY week DESC;`,
    rows: [],
  },
  'tools by risk': {
    sql: `SELECT
  tool_name,
  COUNT(*) as requests,
  SUM(CASE WHEN status = 'rejected' THEN 1 ELSE 0 END) as rejections,
  ROUND(100.0 * SUM(CASE WHEN status = 'rejected' THEN 1 ELSE 0 END) / COUNT(*), 1) as rejection_rate
FROM approval_requests
GROUP BY tool_name
ORDER BY rejection_rate DESC;`,
    rows: [['execute_python', 3, 1, 33.3]],
  },
  'timeouts that nobody swept: there are none': {
    sql: `SELECT
  request_id,
  tool_name,
  user_id,
  requested_at,
  expires_at,
  CAST((julianday(expires_at) - julianday('now')) * 86400 AS INTEGER) as seconds_until_expiry
FROM approval_requests
WHERE status = 'pending' AND datetime('now') >= expires_at
LIMIT 10;`,
    rows: [],
  },
}
describe('the statements of the runbook run unchanged on our database:', () => {
  const dir = temporaryFolder()
  let server: RunningServer
  let db: Database.Database

  beforeAll(async () => {
    // Their day is that of UTC.
    await awayFrom(0)
    server = await startServer(dir.path, NO_LIMIT)
    const [first, second] = [await server.ask(), await server.ask()]
    await server.ask()
    await server.call('POST', `/api/approvals/${first.request_id}/approve`, { reason: 'ok' })
    await server.call('POST', `/api/approvals/${second.request_id}/reject`, { reason: 'no' })
    db = new Database(`${dir.path}/security.db`, { readonly: true })
  })
  afterAll(async () => {
    db.close()
    await server.kill('SIGTERM')
    dir.remove()
  })

  test.each(Object.entries(STATEMENTS))('%s', (_name, { sql, rows }) => {
    expect(db.prepare(sql).raw().all()).toEqual(rows)
  })
})
