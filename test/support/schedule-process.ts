import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'
import type { JobRun } from '../../src/schedule/ledger.ts'
import type { ScheduledJob } from '../../src/schedule/table.ts'
import { openLedger } from '../../src/store/ledger.ts'
import { MORNING } from './scheduler.ts'
import { environment, TSX } from './server.ts'

/** 09:00 in Seoul of the day on which these tests happen. */
export const NINE = Date.parse('2026-11-22T00:00:00Z')

export interface ScheduleProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

interface Start {
  readonly dir: string
  /** What the process's clock shows now. */
  readonly at?: number
  readonly table?: readonly ScheduledJob[]
  readonly env?: Record<string, string>
  readonly ipc?: boolean
  readonly main?: string
}

/** Starts the scheduler as a process of its own, with a table and a clock of the test's. */
export function startSchedule(args: readonly string[], start: Start): ScheduleProcess {
  const { dir, at = NINE + 1000, table = [jobThat(dir)], main = 'test/support/schedule-main.ts' } = start
  const env = environment(dir, {
    OPS_LANG: 'en',
    SCHEDULE_TABLE: JSON.stringify(table),
    CLOCK_SHIFT: String(at - Date.now()),
    ...start.env,
  })
  const child = spawn(process.execPath, ['--import', TSX, join(ROOT, main), ...args], {
    env,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', ...(start.ipc ? (['ipc'] as const) : [])],
  })
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // With a channel, `close` does not come once that is disconnected.
  const ended = once(child, start.ipc ? 'exit' : 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

/** A morning job that notes in `ran` that it ran, and behaves as told. */
export const jobThat = (dir: string, how = '', more: Partial<ScheduledJob> = {}): ScheduledJob => ({
  ...MORNING,
  command: ['test/support/schedule-job.ts', join(dir, 'ran'), how],
  ...more,
})

export async function history(dir: string): Promise<JobRun[]> {
  const { ledger, close } = openLedger(join(dir, 'ops.db'), NINE)
  try {
    return await ledger.history(null, 100)
  } finally {
    close()
  }
}

/** As if the jobs had been known for an hour. */
export async function knownBefore(dir: string, ...jobs: string[]): Promise<void> {
  const { ledger, close } = openLedger(join(dir, 'ops.db'), NINE)
  for (const job of jobs) await ledger.knownSince(job, NINE - 3_600_000)
  close()
}
