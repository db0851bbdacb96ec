import { screenOf } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { localTime } from './report/period.ts'
import { printableLines } from './report/printable.ts'
import { render } from './report/render.ts'
import { keepSchedule } from './schedule/daemon.ts'
import type { Ledger, Trigger } from './schedule/ledger.ts'
import type { ScheduledJob } from './schedule/table.ts'
import { runLatest, type Ticked, tick } from './schedule/tick.ts'
import { nextReport } from './schedule/views.ts'
import { scheduleWords } from './schedule/words.ts'
import { complain, type Process, schedulerOf, type World } from './schedule-context.ts'

/** How long a running job may go on after the scheduler was told to stop. */
const FINISH_MS = 10_000

/** Keeps the schedule until a signal comes, or until the server that started us is gone. */
export async function keep(world: World, ledger: Ledger): Promise<number> {
  const { process, table, settings, lang } = world
  const stop = new AbortController()
  const kill = new AbortController()
  const end = (): void => {
    if (stop.signal.aborted) return
    stop.abort()
    setTimeout(() => kill.abort(), FINISH_MS).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'disconnect'] as const) process.on(signal, end)
  // The server may have gone while we were being loaded: nobody tells us again.
  if (process.connected === false) end()
  const scheduler = await schedulerOf(world, ledger, kill.signal)
  const next = nextReport(table, table.length, { zone: settings.OPS_TIMEZONE, now: Date.now() })
  const ready = `${scheduleWords(lang)('ready', { pid: process.pid })}\n`
  process.stdout.write(ready + render(next, 'table', lang, screenOf(process)))
  await keepSchedule(scheduler, stop.signal)
  return EXIT.OK
}

/** `run --due`: whatever is due. Silent when that is nothing, since cron mails every word. */
export async function runDue(world: World, ledger: Ledger, by: Trigger): Promise<number> {
  const scheduler = await schedulerOf(world, ledger, endOnSignals(world.process))
  const codes = (await tick(scheduler, by)).map((ticked) => print(ticked, world.process) ?? EXIT.OK)
  return Math.max(EXIT.OK, ...codes)
}

/** `run JOB`: its latest due run, unless it has been run. */
export async function runJob(world: World, ledger: Ledger, job: ScheduledJob, by: Trigger): Promise<number> {
  const scheduler = await schedulerOf(world, ledger, endOnSignals(world.process))
  const ticked = await runLatest(scheduler, job, by)
  return print(ticked, world.process) ?? complain(world.process, EXIT.LOCK_HELD, whyNot(ticked, world))
}

function endOnSignals(process: Process): AbortSignal {
  const kill = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => kill.abort())
  return kill.signal
}

/** Prints what ran. @returns the exit code; undefined when there was nothing to run */
function print({ result }: Ticked, process: Process): number | undefined {
  if (result.kind === 'failed') return EXIT.UNKNOWN
  if (result.kind !== 'ran') return undefined
  process.stdout.write(printableLines(result.run.outputTail ?? ''))
  return result.run.exitCode ?? EXIT.UNKNOWN
}

function whyNot({ job, slot, result }: Ticked, { lang, settings }: World): string {
  const say = scheduleWords(lang)
  if (result.kind === 'missed') return say('outside', { job: job.name, date: slot.date })
  if (result.kind !== 'taken' || result.by === null) return say('going', { job: job.name })
  const { state, trigger, holder, claimedAt } = result.by
  const when = localTime(claimedAt, settings.OPS_TIMEZONE)
  return say('taken', { job: job.name, date: slot.date, state, trigger, host: holder.host, pid: holder.pid, when })
}
