import type Database from 'better-sqlite3'
import { ledgerQueries } from '../queries.ts'
import type { Claim, Ending, Heartbeat, JobRun, Ledger } from '../schedule/ledger.ts'
import { fromSqlTime, sqlTime } from '../sql.ts'
import type { ProcessIdentity } from '../system/system.ts'
import { openLedgerFile } from './ledger-file.ts'
import { attemptParams, claimParams, jobRunOf } from './ledger-rows.ts'
import { prepareAll, type Statements } from './statements.ts'

/** How far back a ledger that replaces a lost one looks for runs that may not have happened. */
const LOST_HISTORY_MS = 24 * 3_600_000

export interface OpenLedger {
  readonly ledger: Ledger
  /** What happened to an earlier file, for the operator: its history is gone. */
  readonly warning: string | null
  close(): void
}

/**
 * Opens `ops.db`, made anew when it is missing or damaged.
 * @throws Error with a sentence for the operator when it can be neither used nor replaced
 */
export function openLedger(path: string, now: number): OpenLedger {
  const { db, warning } = openLedgerFile(path, now)
  return { ledger: new SqliteLedger(db, warning === null ? 0 : LOST_HISTORY_MS), warning, close: () => db.close() }
}

/** The ledger in SQLite. Every statement is one transaction; no method awaits between reading and writing. */
class SqliteLedger implements Ledger {
  readonly #statements: Statements<typeof ledgerQueries>
  readonly #lookBack: number

  constructor(db: Database.Database, lookBack: number) {
    this.#statements = prepareAll(db, ledgerQueries)
    this.#lookBack = lookBack
  }

  async knownSince(job: string, now: number): Promise<number> {
    return fromSqlTime(this.#statements.jobKnown.get({ job, now: sqlTime(now - this.#lookBack) })!.known_since)
  }

  async find(job: string, date: string): Promise<JobRun | null> {
    const row = this.#statements.runFind.get({ job, date })
    return row ? jobRunOf(row) : null
  }

  async active(job: string): Promise<JobRun[]> {
    return this.#statements.runActive.all({ job }).map(jobRunOf)
  }

  async lastDueBefore(job: string, before: number): Promise<number | null> {
    const { nominal } = this.#statements.runLastDue.get({ job, before: sqlTime(before) })!
    return nominal === null ? null : fromSqlTime(nominal)
  }

  async claim(claim: Claim): Promise<boolean> {
    return this.#statements.runClaim.run(claimParams(claim)) === 1
  }

  async claimAgain(claim: Claim, { attempt }: JobRun): Promise<boolean> {
    return this.#statements.runClaimAgain.run({ ...claimParams(claim), attempt }) === 1
  }

  async started(run: JobRun, child: ProcessIdentity, outputFile: string, now: number): Promise<boolean> {
    const { pid: child_pid, start: child_start } = child
    const params = { ...attemptParams(run, now), child_pid, child_start, output_file: outputFile }
    return this.#statements.runStarted.run(params) === 1
  }

  async finished(run: JobRun, { state, exitCode, outputTail, note, now }: Ending): Promise<boolean> {
    const params = { ...attemptParams(run, now), state, exit_code: exitCode, output_tail: outputTail, note }
    return this.#statements.runFinished.run(params) === 1
  }

  async notRun(claim: Claim, state: 'MISSED' | 'OVERLAP', missed: JobRun['missed'], note: string | null) {
    const counted = { missed_from: missed?.from ?? null, missed_count: missed?.count ?? null }
    return this.#statements.runNotRun.run({ ...claimParams(claim), ...counted, state, note }) === 1
  }

  async history(job: string | null, limit: number): Promise<JobRun[]> {
    return this.#statements.history.all({ job, limit }).map(jobRunOf)
  }

  async heartbeat(): Promise<Heartbeat | null> {
    const row = this.#statements.heartbeat.get({})
    return row ? { at: fromSqlTime(row.at), uptime: row.uptime, boot: row.boot, settleUntil: row.settle_until } : null
  }

  async beat({ at, uptime, boot, settleUntil }: Heartbeat): Promise<void> {
    this.#statements.beat.run({ at: sqlTime(at), uptime, boot, settle_until: settleUntil })
  }
}
