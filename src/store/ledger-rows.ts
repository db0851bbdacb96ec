import type { Claim, JobRun, RunState, Trigger } from '../schedule/ledger.ts'
import { fromSqlTime, sqlTime } from '../sql.ts'

/** One row of `job_runs`. */
export interface JobRunRow {
  run_id: number
  job: string
  nominal_date: string
  nominal: string
  state: string
  attempt: number
  started_by: string
  claimed_at: string
  holder_host: string
  holder_pid: number
  holder_start: string
  holder_boot: string
  child_pid: number | null
  child_start: string | null
  started_at: string | null
  finished_at: string | null
  exit_code: number | null
  output_tail: string | null
  output_file: string | null
  missed_from: string | null
  missed_count: number | null
  note: string | null
}

/** The parameters that all claiming statements share. */
export type ClaimParams = Pick<
  JobRunRow,
  'job' | 'nominal' | 'started_by' | 'holder_host' | 'holder_pid' | 'holder_start' | 'holder_boot'
> & { date: string; now: string }

/** Names one attempt of one holder: what it may still change. */
export type AttemptParams = Pick<JobRunRow, 'job' | 'attempt' | 'holder_pid' | 'holder_start' | 'holder_boot'> & {
  date: string
  now: string
}

export const claimParams = ({ job, slot, trigger, holder, now }: Claim): ClaimParams => ({
  job,
  date: slot.date,
  nominal: sqlTime(slot.due),
  started_by: trigger,
  now: sqlTime(now),
  holder_host: holder.host,
  holder_pid: holder.pid,
  holder_start: holder.start,
  holder_boot: holder.boot,
})

export const attemptParams = ({ job, slot, attempt, holder }: JobRun, now: number): AttemptParams => ({
  job,
  date: slot.date,
  attempt,
  holder_pid: holder.pid,
  holder_start: holder.start,
  holder_boot: holder.boot,
  now: sqlTime(now),
})

export function jobRunOf(row: JobRunRow): JobRun {
  const holder = { host: row.holder_host, pid: row.holder_pid, start: row.holder_start, boot: row.holder_boot }
  return {
    job: row.job,
    slot: { date: row.nominal_date, due: fromSqlTime(row.nominal) },
    state: row.state as RunState,
    attempt: row.attempt,
    trigger: row.started_by as Trigger,
    claimedAt: fromSqlTime(row.claimed_at),
    holder,
    child: row.child_pid === null ? null : { ...holder, pid: row.child_pid, start: row.child_start ?? '' },
    startedAt: instant(row.started_at),
    finishedAt: instant(row.finished_at),
    exitCode: row.exit_code,
    outputTail: row.output_tail,
    outputFile: row.output_file,
    missed: row.missed_from === null ? null : { from: row.missed_from, count: row.missed_count ?? 1 },
    note: row.note,
  }
}

const instant = (text: string | null): number | null => (text === null ? null : fromSqlTime(text))
