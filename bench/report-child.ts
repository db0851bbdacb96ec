/**
 * Runs one job in a process of its own, as its ops main would, at the bench's instant: `JOB FOLDER`. Prints what it took
 * as one line of JSON.
 */
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { loadConfig } from '../src/config.ts'
import { createContext } from '../src/context.ts'
import { dailyCheck } from '../src/jobs/daily-check.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'
import type { JobContext, Outcome } from '../src/jobs/job.ts'
import { timeoutDiagnosis } from '../src/jobs/timeout-diagnosis.ts'
import { weeklySummary } from '../src/jobs/weekly-summary.ts'
import { render } from '../src/report/render.ts'
import { environment } from '../test/support/server.ts'
import { NOW } from './years.ts'

export interface Took {
  /** Opening, preparing and reading the database, ms. */
  readonly database: number
  /** The longest read transaction, ms. */
  readonly longest: number
  readonly job: number
  /** Of that, what the processor was needed for, ms: on a busy machine the rest is waiting. */
  readonly cpu: number
  /** Peak of the process's resident memory, bytes. */
  readonly rss: number
}

const JOBS: Readonly<Record<string, (context: JobContext) => Promise<Outcome>>> = {
  'daily-check': (context) => dailyCheck.run(context, { 'no-drill': true }),
  'daily-report': (context) => dailyReport.run(context, { date: undefined, keep: false }),
  'weekly-summary': (context) =>
    weeklySummary.run(context, { weeks: undefined, risk: false, days: undefined, date: undefined, keep: false }),
  'timeout-diagnosis': (context) =>
    timeoutDiagnosis.run(context, { days: undefined, limit: undefined, concurrency: false, size: false }),
}

/** `resourceUsage` counts what the process was before its exec: its parent, which may just have made the database. */
const peakOfMemory = (): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024

/** The context, and how long what it opened was open and read. */
function measured(context: JobContext): { context: JobContext; took: { database: number; longest: number } } {
  const took = { database: 0, longest: 0 }
  const timed = <T>(work: () => T): { value: T; ms: number } => {
    const start = performance.now()
    const value = work()
    return { value, ms: performance.now() - start }
  }
  const reader: JobContext['reader'] = (options) => {
    const opened = timed(() => context.reader(options))
    took.database += opened.ms
    return {
      close: () => opened.value.close(),
      read(work) {
        const { value, ms } = timed(() => opened.value.read(work))
        took.database += ms
        took.longest = Math.max(took.longest, ms)
        return value
      },
    }
  }
  return { context: { ...context, reader }, took }
}

const [name, folder] = process.argv.slice(2) as [string, string]
// Nothing listens on the port: what is measured is the database's part.
const { settings } = loadConfig(environment(folder, { PORT: '1', OPS_TIMEZONE: 'Asia/Seoul' }))
const { signal } = new AbortController()
const { context, took } = measured(
  createContext({ settings, zone: settings.OPS_TIMEZONE, now: NOW, timeoutMs: 60_000, signal }),
)
const start = performance.now()
const cpuStart = process.cpuUsage()
const { report } = await JOBS[name]!(context)
render(report, 'html', 'ko', { colour: false, columns: 80 })
const { user, system } = process.cpuUsage(cpuStart)
const result: Took = {
  ...took,
  job: performance.now() - start,
  cpu: (user + system) / 1000,
  rss: peakOfMemory(),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
