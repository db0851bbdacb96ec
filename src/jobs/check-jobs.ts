import { ledgerQueries } from '../queries.ts'
import type { Finding } from '../report/daily-check-data.ts'
import { addDays, dateIn, instantAt } from '../report/period.ts'
import { remedyOf } from '../report/unmeasured.ts'
import { SCHEDULE } from '../schedule/table.ts'
import { fromSqlTime, ReaderError, type ReadTransaction, sqlBound } from '../sql.ts'
import { finding, iso } from './check.ts'
import { reportCommand } from './daily-report-periods.ts'
import type { JobContext } from './job.ts'

const DAY = 86_400_000
const BUSY_MS = 1000
const EVENING = SCHEDULE.find(({ name }) => name === 'daily-report')!
/** Scheduler and cron look at the schedule every few minutes, and note it. */
const TICK_MS = 15 * 60_000
/** How a run can end, or not begin, that somebody has to look at. */
const BAD = ['FAILED', 'TIMED_OUT', 'ABANDONED', 'MISSED', 'OVERLAP']

interface Run {
  readonly job: string
  readonly date: string
  readonly state: string
  readonly finished: number | null
  readonly exitCode: number | null
  readonly missedCount: number | null
}

/** What the ledger says; null for a job it has never seen. */
export interface LedgerFacts {
  readonly runs: readonly Run[]
  readonly evening: Run | null
  /** ms since 1970: what was due before is not owed. */
  readonly eveningKnown: number | null
  readonly known: number | null
  /** When somebody last looked at the schedule. */
  readonly heartbeat: number | null
}

/**
 * Yesterday's evening report, and the scheduled jobs of the last 24 hours.
 * @param desk when the desk's record begins, ms; null when that is not known
 */
export function checkJobs(context: JobContext, desk: number | null): Finding[] {
  const { now, settings } = context
  const date = addDays(dateIn(now, settings.OPS_TIMEZONE), -1)
  const due = { date, at: instantAt(date, EVENING.at, settings.OPS_TIMEZONE) }
  try {
    const ledger = readLedger(context, date)
    return [eveningFinding(ledger, due, desk), jobsFinding(ledger, now)]
  } catch (error) {
    if (!(error instanceof ReaderError)) throw error
    const more = { next: remedyOf(error) }
    const facts = { cause: error.code, path: error.file, detail: error.detail }
    const isNew = error.code === 'missing' && desk !== null && desk > due.at
    return [
      isNew
        ? finding('evening.not_due', 'ok', { nominal_at: iso(due.at) })
        : finding('evening.unmeasured', 'unknown', facts, more),
      finding('jobs.unmeasured', 'unknown', facts, more),
    ]
  }
}

function readLedger({ now, settings, reader: open }: JobContext, date: string): LedgerFacts {
  const { checkRuns, checkKnown, runFind, heartbeat } = ledgerQueries
  const queries = [checkRuns, checkKnown, runFind, heartbeat]
  const reader = open({ file: settings.OPS_DB_PATH, queries, busyMs: BUSY_MS })
  try {
    return reader.read((tx) => {
      const evening = tx.one(runFind, { job: EVENING.name, date })
      const beat = tx.one(heartbeat, {})
      const known = SCHEDULE.flatMap(({ name }) => knownSince(tx, name) ?? [])
      return {
        runs: tx.all(checkRuns, { from: sqlBound(now - DAY) }).map(runOf),
        evening: evening ? runOf(evening) : null,
        eveningKnown: knownSince(tx, EVENING.name),
        known: known.length > 0 ? Math.min(...known) : null,
        heartbeat: beat ? fromSqlTime(beat.at) : null,
      }
    })
  } finally {
    reader.close()
  }
}

function knownSince(tx: ReadTransaction, job: string): number | null {
  const row = tx.one(ledgerQueries.checkKnown, { job })
  return row ? fromSqlTime(row.known_since) : null
}

interface RunRow {
  readonly job: string
  readonly nominal_date: string
  readonly state: string
  readonly finished_at: string | null
  readonly exit_code: number | null
  readonly missed_count: number | null
}

const runOf = (row: RunRow): Run => ({
  job: row.job,
  date: row.nominal_date,
  state: row.state,
  finished: row.finished_at === null ? null : fromSqlTime(row.finished_at),
  exitCode: row.exit_code,
  missedCount: row.missed_count,
})

/** The evening whose report was due, and when. */
interface Due {
  readonly date: string
  readonly at: number
}

export function eveningFinding(ledger: LedgerFacts, { date, at }: Due, desk: number | null): Finding {
  const { evening, eveningKnown } = ledger
  const facts = { nominal_at: iso(at) }
  const more = { since: at, next: `${reportCommand(date)} --keep` }
  if (evening?.state === 'DONE') {
    return finding('evening.done', 'ok', { ...facts, finished_at: iso(evening.finished), exit_code: evening.exitCode })
  }
  if (evening) {
    return finding('evening.not_done', 'warning', { ...facts, state: evening.state }, more)
  }
  const began = eveningKnown ?? desk
  if (began !== null && began > at) return finding('evening.not_due', 'ok', facts)
  return finding('evening.absent', 'warning', facts, more)
}

export function jobsFinding({ runs, known, heartbeat }: LedgerFacts, now: number): Finding {
  const next = 'npm run schedule -- history'
  const bad = runs.filter(({ state }) => BAD.includes(state))
  if (bad.length > 0) {
    const facts = { bad: bad.map(textOf), runs: runs.length }
    return finding('jobs.bad', 'warning', facts, { next })
  }
  if (heartbeat !== null && now - heartbeat > TICK_MS) {
    const facts = { last_at: iso(heartbeat), runs: runs.length }
    return finding('jobs.stopped', 'warning', facts, { since: heartbeat, next: 'npm start' })
  }
  if (runs.length > 0) return finding('jobs.fine', 'ok', { runs: runs.length })
  // A ledger that is older than a day has something in it for every day, if anybody keeps it.
  return known !== null && known > now - DAY
    ? finding('jobs.none', 'ok', { runs: 0 })
    : finding('jobs.none', 'warning', { runs: 0 }, { since: known, next: 'npm start' })
}

function textOf({ job, date, state, exitCode, missedCount }: Run): string {
  const code = exitCode === null ? '' : ` (${exitCode})`
  const count = missedCount !== null && missedCount > 1 ? ` x${missedCount}` : ''
  return `${job} ${date} ${state}${code}${count}`
}
