import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { CANARY_SERVER } from '../src/approval/request.ts'
import { reportQueries } from '../src/queries.ts'
import { sqlTime } from '../src/sql.ts'
import { createDatabase, insertEvents, insertRequests } from './support/report-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'report-queries-'))

/** As the desk makes it, on top of the old system's, and one whose planner was told what is in it. */
const databases = ['a database of ours', 'an adopted database', 'a database with statistics'].map((name) => {
  const db = createDatabase(join(folder, `${name}.db`), { adopted: name.includes('adopted'), wal: false })
  const minute = (n: number) => sqlTime(Date.parse('2026-11-01T00:00:00Z') + n * 60_000)
  const statuses = ['approved', 'approved', 'rejected', 'expired', 'pending']
  insertRequests(
    db,
    Array.from({ length: 2000 }, (_, n) => ({ requested_at: minute(n), status: statuses[n % 5]! })),
  )
  insertEvents(
    db,
    Array.from({ length: 2000 }, (_, n) => ({ at: minute(n), type: n % 100 === 0 ? 'gate_off' : 'created' })),
  )
  if (name.includes('statistics')) db.exec('ANALYZE')
  return [name, db] as const
})
afterAll(() => {
  for (const [, db] of databases) db.close()
  rmSync(folder, { recursive: true })
})

const all = Object.values(reportQueries)

/** What SQLite means to do, step by step. */
function plan(db: Database.Database, sql: string): string[] {
  const parameters = Object.fromEntries([...sql.matchAll(/:([a-z_]+)/g)].map(([, name]) => [name!, '']))
  return (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { detail: string }[]).map(({ detail }) => detail)
}

/** The steps that read one of the desk's tables, or an index of it, from one end to the other. */
function scans(db: Database.Database, sql: string): string[] {
  const names = [...sql.matchAll(/(approval_\w+|security_\w+)(?: AS)?(?: ([a-z]\w*))?/g)].flatMap(([, table, alias]) =>
    alias === undefined ? [table!] : [table!, alias],
  )
  return plan(db, sql).filter((step) => names.includes(/^SCAN (\S+)/.exec(step)?.[1] ?? ''))
}

/** Statements whose plan has a scan that reads no more than a few rows; the reason why. */
const BOUNDED: Readonly<Record<string, string>> = {
  'report/archived-months': 'one row a month',
  'report/check-events': 'the newest, in the order of the table, up to :limit',
  'report/check-first-event': 'the first row of the table',
  'report/check-newest-request': 'the last row of an index',
  'report/rows-outside': 'NULL in a column that cannot hold it: SQLite keeps the step in its plan and skips it',
}

describe.each(databases)('on %s', (_, db) => {
  test.each(all)('$file reads a range, never a whole table or index', ({ file, sql }) => {
    const found = scans(db, sql)
    if (!(file in BOUNDED)) expect(found).toEqual([])
    else if (/LIMIT/.test(sql)) expect(plan(db, sql).join()).not.toMatch(/B-TREE/)
    else if (/FROM approval_archives/.test(sql)) expect(found).toHaveLength(1)
    else expect(found.length).toBe(isNullable(db) ? 0 : 1)
    if (!file.startsWith('report/period-')) return
    const searches = plan(db, sql).filter((step) => step.startsWith('SEARCH approval_requests'))
    for (const search of searches) expect(search).toContain('COVERING INDEX approval_requests_report')
  })
})

test('a scan is seen when there is one, also behind a short name', () => {
  const [, db] = databases[0]!
  expect(scans(db, 'SELECT count(*) FROM approval_events e WHERE data = :x')).toHaveLength(1)
  expect(scans(db, "SELECT 1 FROM approval_requests WHERE date(requested_at) = '2026-11-01'")).toHaveLength(1)
  expect(scans(db, 'SELECT 1 FROM approval_requests WHERE requested_at > :x')).toEqual([])
})

/** NOT NULL columns: SQLite keeps the line in its plan and skips the work. */
function isNullable(db: Database.Database): boolean {
  const columns = db.pragma('table_info(approval_requests)') as { name: string; notnull: number }[]
  return columns.find(({ name }) => name === 'requested_at')!.notnull === 0
}

test('every statement about requests and calls leaves the drills out', () => {
  for (const { file, sql } of all) {
    if (file.startsWith('report/check-') || !/approval_requests|bypassed/.test(sql) || file === 'report/first-request')
      continue
    expect(sql, file).toContain(`'${CANARY_SERVER}'`)
  }
})

test('no statement asks the database for the time', () => {
  for (const { file, sql } of Object.values(reportQueries)) {
    const statement = sql.replace(/--.*$/gm, '')
    expect(statement, file).not.toMatch(/'now'|CURRENT_|datetime\(\)|localtime/i)
  }
})
