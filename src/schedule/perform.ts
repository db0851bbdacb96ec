import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT } from '../exit-codes.ts'
import type { RunResult } from '../system/system.ts'
import type { Scheduler } from './attend.ts'
import type { Ending, JobRun } from './ledger.ts'
import { jobArgv, type ScheduledJob } from './table.ts'

const TAIL_BYTES = 10_000
const FILE_BYTES = 10 * 1024 * 1024
/** The end of a run is worth waiting for a locked or full disk: without it the run would be repeated. */
const RECORD_TRIES = 12
const RECORD_PAUSE_MS = 5_000

class LostClaimError extends Error {}

/** Runs what has been claimed, to the record of its end. */
export async function perform(scheduler: Scheduler, job: ScheduledJob, claimed: JobRun): Promise<JobRun> {
  const { ledger, system, clock, say, tell } = scheduler
  const outputFile = join(scheduler.runs, fileName(claimed))
  const about = { job: job.name, date: claimed.slot.date }
  tell(say('starting', { ...about, trigger: claimed.trigger }))
  let result: RunResult
  try {
    result = await system.run(jobArgv(scheduler.node, job, claimed.slot.date), {
      timeoutMs: job.deadlineMs,
      cwd: scheduler.root,
      env: scheduler.env,
      maxOutputBytes: TAIL_BYTES,
      maxFileBytes: FILE_BYTES,
      outputFile,
      signal: scheduler.signal,
      beforeStart: async (pid) => {
        const child = await system.processAt(pid)
        const recorded = child !== null && (await ledger.started(claimed, child, outputFile, clock().now))
        if (!recorded) throw new LostClaimError('the claim was lost before the start')
      },
    })
  } catch (error) {
    // Nothing has begun. When even this cannot be written, the next tick finds a claim that nobody holds.
    const note = `not started: ${(error as Error).message}`
    const ending: Ending = { state: 'ABANDONED', exitCode: null, outputTail: null, note, now: clock().now }
    await ledger.finished(claimed, ending).catch(() => {})
    throw error
  }
  const ending: Ending = { ...judge(result, scheduler.signal.aborted), outputTail: result.output, now: clock().now }
  await record(scheduler, claimed, ending)
  const run = (await ledger.find(job.name, claimed.slot.date)) ?? claimed
  const seconds = (result.ms / 1000).toFixed(1)
  tell(
    say('ended', {
      ...about,
      state: run.state,
      exit: ending.exitCode ?? result.signal ?? '-',
      seconds,
      file: outputFile,
    }),
  )
  return run
}

/**
 * A check or report that ran to its end prints its result and exits with its verdict, 0 to 3. Node's own exit code of
 * a crash is 1 as well, but a crash prints nothing on stdout.
 */
export function judge(result: RunResult, stopped: boolean): Pick<Ending, 'state' | 'exitCode' | 'note'> {
  const { code: exitCode, signal } = result
  if (result.timedOut || exitCode === EXIT.DEADLINE) return { state: 'TIMED_OUT', exitCode: EXIT.DEADLINE, note: null }
  if (exitCode !== null && exitCode <= EXIT.UNKNOWN && result.stdout.trim() !== '') {
    return { state: 'DONE', exitCode, note: null }
  }
  if (stopped) return { state: 'ABANDONED', exitCode, note: 'stopped together with its scheduler' }
  return { state: 'FAILED', exitCode, note: signal === null ? null : `ended by ${signal}` }
}

async function record(scheduler: Scheduler, run: JobRun, ending: Ending): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await scheduler.ledger.finished(run, ending)
      return
    } catch (error) {
      if (tries === RECORD_TRIES || scheduler.signal.aborted) throw error
      if (tries === 1) scheduler.tell(scheduler.say('not_recorded', { job: run.job, cause: (error as Error).message }))
      await sleep(RECORD_PAUSE_MS)
    }
  }
}

const fileName = ({ job, slot, attempt }: JobRun): string =>
  `${job}-${slot.date}${attempt === 1 ? '' : `.attempt-${attempt}`}.log`
