import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { bounds, readDecisions, readTotals } from '../src/jobs/statistics.ts'
import { reportQueries } from '../src/queries.ts'
import type { Period } from '../src/report/period.ts'
import { fromSqlTime, sqlTime } from '../src/sql.ts'
import { openReader } from '../src/store/reader.ts'
import { TSX, temporaryFolder } from '../test/support/server.ts'
import { median } from './children.ts'
import type { Row } from './desk.ts'
import type { Took } from './report-child.ts'
import { write } from './writer.ts'
import { fillYears, NOW } from './years.ts'

/** What a job may take, ms: in the database, or all of it. */
const BARS: Readonly<Record<string, { readonly of: 'database' | 'job'; readonly ms: number }>> = {
  'daily-check': { of: 'database', ms: 2000 },
  'daily-report': { of: 'job', ms: 1000 },
  'weekly-summary': { of: 'job', ms: 3000 },
  'timeout-diagnosis': { of: 'job', ms: 3000 },
}
const RSS_BAR = 150e6
const READ_BAR = 5000
const RUNS = 3

/** The statements of the runbook's evening report, as the team has them, with 'now' at the bench's instant. */
const RUNBOOK = [
  "SELECT count(*) FROM approval_requests WHERE DATE(requested_at) = DATE('now')",
  "SELECT count(*) FROM approval_requests WHERE DATE(requested_at) = DATE('now') AND status = 'approved'",
  "SELECT count(*) FROM approval_requests WHERE DATE(requested_at) = DATE('now') AND status = 'rejected'",
  "SELECT count(*) FROM approval_requests WHERE DATE(requested_at) = DATE('now') AND status = 'pending'",
  "SELECT tool_name, COUNT(*) AS count FROM approval_requests WHERE DATE(requested_at) = DATE('now') GROUP BY tool_name ORDER BY count DESC LIMIT 5",
  "SELECT ROUND(AVG((julianday(responded_at) - julianday(requested_at)) * 24 * 60), 2) FROM approval_requests WHERE DATE(requested_at) = DATE('now') AND responded_at IS NOT NULL",
].map((sql) => sql.replaceAll("'now'", `'${sqlTime(NOW)}'`))

export interface Size {
  readonly rows?: number
  /** Keeps the databases for the next run: ten million rows take minutes to make. */
  readonly folder?: string | undefined
}

/** Reports at several sizes of the database, beside the runbook's statements on the same file. */
export async function reports({ rows: largest = 1_000_000, folder }: Size = {}): Promise<Row[]> {
  const rows: Row[] = []
  let before: number | undefined
  for (const size of new Set([Math.min(10_000, largest), 100_000, largest])) {
    const { path, remove } = folder === undefined ? temporaryFolder() : { path: join(folder, `${size}`), remove() {} }
    try {
      const file = join(path, 'security.db')
      if (!existsSync(file)) await fillYears(file, size)
      const name = `${size.toLocaleString('en')} rows`
      const { same, row } = dayFigures(file, name)
      rows.push(row, sameDay(same, before, name))
      before ??= same
      for (const job of Object.keys(BARS)) rows.push(...(await wholeJob(job, path, name)))
      rows.push(...(await underWriter(path, name)))
    } finally {
      remove()
    }
  }
  return rows
}

function time(runs: number, work: () => unknown): number {
  return median(
    Array.from({ length: runs }, () => {
      const start = performance.now()
      work()
      return performance.now() - start
    }),
  )
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** So many requests has a day of the smallest database: a day that large is asked of each of them. */
const SAME = 100

/** The day's figures by our statements and by the runbook's, on the same file, in this process. */
function dayFigures(file: string, name: string): { row: Row; same: number } {
  const reader = openReader(file, Object.values(reportQueries))
  const figures = (period: Period) => () =>
    reader.read((tx) => [
      readTotals(tx, period, NOW),
      tx.all(reportQueries.periodTools, { ...bounds(period), now: sqlTime(NOW), limit: 5 }),
      readDecisions(tx, period),
    ])
  const ours = time(15, figures({ from: Date.parse('2026-11-22T00:00:00Z'), until: NOW }))
  const db = new Database(file, { readonly: true })
  const newest = db.prepare('SELECT requested_at FROM approval_requests ORDER BY requested_at DESC LIMIT 1 OFFSET ?')
  const same = time(45, figures({ from: fromSqlTime(newest.pluck().get(SAME) as string), until: NOW }))
  reader.close()
  const statements = RUNBOOK.map((sql) => db.prepare(sql))
  const theirs = time(RUNS, () => statements.map((statement) => statement.all()))
  db.close()
  const what = `the day's figures, beside the runbook's statements, ${name}`
  return { row: { what, ours: ms(ours), limit: ms(theirs), ratio: `${(theirs / ours).toFixed(0)} x faster` }, same }
}

function sameDay(same: number, before: number | undefined, name: string): Row {
  const what = `the figures of a day of ${SAME} requests, beside the smallest database, ${name}`
  return { what, ours: ms(same), limit: ms(before ?? same), ratio: (same / (before ?? same)).toFixed(2) }
}

/** A job in its own process; the median of its runs. */
async function wholeJob(job: string, folder: string, name: string): Promise<Row[]> {
  const runs: Took[] = []
  for (let n = 0; n < RUNS; n++) runs.push(await child(job, folder))
  const { of, ms: bar } = BARS[job]!
  const took = median(runs.map((run) => run[of]))
  const cpu = median(runs.map((run) => run.cpu))
  const rss = median(runs.map((run) => run.rss))
  const beside = (what: string, value: number, limit: number, write: (n: number) => string): Row => ({
    ...{ what: `${job}, ${what}, ${name}`, ours: write(value), limit: write(limit), ratio: (value / limit).toFixed(2) },
  })
  return [
    beside(of === 'job' ? 'all of it (CPU)' : 'in the database (CPU of the job)', took, bar, (n) =>
      n === bar ? ms(n) : `${ms(n)} (${ms(cpu)})`,
    ),
    beside('peak of memory', rss, RSS_BAR, mb),
  ]
}

async function child(job: string, folder: string): Promise<Took> {
  const main = fileURLToPath(new URL('report-child.ts', import.meta.url))
  const process_ = spawn(process.execPath, ['--import', TSX, main, job, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  process_.stdout.on('data', (chunk) => (text += chunk))
  const [code] = await once(process_, 'close')
  if (code !== 0) throw new Error(`${job} ended with ${code}`)
  return JSON.parse(text) as Took
}

/**
 * How large the WAL grows while somebody writes as fast as it goes and every report is made, and while the same is
 * written and nobody reads. A report that held a snapshot for long would keep the WAL from being written back.
 */
async function underWriter(folder: string, name: string): Promise<Row[]> {
  const file = join(folder, 'security.db')
  let longest = 0
  let over = false
  const reading = (async () => {
    for (const job of Object.keys(BARS)) longest = Math.max(longest, (await child(job, folder)).longest)
  })().finally(() => (over = true))
  const beside = await write(file, () => !over)
  await reading
  const alone = await write(file, (requests) => requests < beside.requests)
  return [
    {
      ...{ what: `the WAL while reports are made, beside nobody reading, ${name}`, ours: mb(beside.wal) },
      ...{ limit: mb(alone.wal), ratio: (beside.wal / alone.wal).toFixed(2) },
    },
    {
      ...{ what: `the longest read transaction of a report, ${name}`, ours: ms(longest) },
      ...{ limit: ms(READ_BAR), ratio: (longest / READ_BAR).toFixed(2) },
    },
  ]
}
