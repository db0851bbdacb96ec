import type { Cell, Document, Lang, Report, State } from '../report/document.ts'
import { localTime, zoneName } from '../report/period.ts'
import { crontabLine, crontabText, type Place } from './crontab.ts'
import type { JobRun } from './ledger.ts'
import { nextSlots } from './slots.ts'
import { cronExpression, type ScheduledJob } from './table.ts'
import { scheduleWords } from './words.ts'

const MINUTE = 60_000
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** What a reader looks at: one zone, one instant. */
export interface View {
  readonly zone: string
  readonly now: number
}

const when = (ms: number, zone: string): string => localTime(ms, zone, 'YYYY-MM-DD HH:mm')

function duration(ms: number, lang: Lang): string {
  const say = scheduleWords(lang)
  if (ms % (60 * MINUTE) === 0) return say('hours', { n: ms / (60 * MINUTE) })
  if (ms < MINUTE) return say('seconds', { n: (ms / 1000).toFixed(1) })
  return say('minutes', { n: ms % MINUTE === 0 ? ms / MINUTE : (ms / MINUTE).toFixed(1) })
}

export function showReport(table: readonly ScheduledJob[], place: Place, { zone, now }: View): Report {
  const jobs = table.map((job) => ({
    job: job.name,
    at: job.at,
    weekday: job.weekday ?? null,
    cron: cronExpression(job),
    command: job.command,
    catch_up_seconds: job.catchUpMs / 1000,
    deadline_seconds: job.deadlineMs / 1000,
  }))
  const document = (lang: Lang): Document => {
    const say = scheduleWords(lang)
    const day = (weekday: number | undefined) => (weekday ? `${say('weekdays').split(',')[weekday - 1]} ` : '')
    const rows = table.map((job) => [
      job.name,
      `${day(job.weekday)}${job.at}`,
      cronExpression(job),
      duration(job.catchUpMs, lang),
      duration(job.deadlineMs, lang),
    ])
    const head = [say('job'), say('at'), say('cron'), say('catch_up'), say('deadline')]
    const title = say('title_show')
    const crontab = [
      { kind: 'heading', text: say('crontab') },
      { kind: 'command', text: crontabLine(place) },
    ] as const
    return { lang, title, blocks: [{ kind: 'table', caption: zoneName(now, zone), head, rows }, ...crontab] }
  }
  return { schema: 'ops.schedule.v1', data: { zone, jobs, crontab: crontabText(table, zone, place) }, document }
}

export function nextReport(table: readonly ScheduledJob[], count: number, { zone, now }: View): Report {
  const runs = table
    .flatMap((job) => nextSlots(job, now, zone, count).map((slot) => ({ job: job.name, ...slot })))
    .sort((a, b) => a.due - b.due || a.job.localeCompare(b.job))
    .slice(0, count)
  const document = (lang: Lang): Document => {
    const say = scheduleWords(lang)
    const title = say('title_next')
    const rows = runs.map((run) => [when(run.due, zone), run.job])
    return {
      lang,
      title,
      blocks: [{ kind: 'table', caption: zoneName(now, zone), head: [say('due'), say('job')], rows }],
    }
  }
  const data = { zone, runs: runs.map((run) => ({ job: run.job, date: run.date, due_at: iso(run.due) })) }
  return { schema: 'ops.schedule-next.v1', data, document }
}

export function historyReport(runs: readonly JobRun[], { zone, now }: View): Report {
  const document = (lang: Lang): Document => {
    const say = scheduleWords(lang)
    const title = say('title_history')
    if (runs.length === 0) return { lang, title, blocks: [{ kind: 'paragraph', text: say('empty') }] }
    const head = [say('due'), say('job'), say('state'), say('by'), say('took'), say('exit'), say('note')]
    const rows = runs.map((run): Cell[] => [
      when(run.slot.due, zone),
      run.job,
      { text: run.state, state: moodOf(run) },
      run.trigger,
      run.startedAt === null || run.finishedAt === null ? '-' : duration(run.finishedAt - run.startedAt, lang),
      String(run.exitCode ?? '-'),
      noteOf(run, lang),
    ])
    return { lang, title, blocks: [{ kind: 'table', caption: zoneName(now, zone), head, rows }] }
  }
  return { schema: 'ops.schedule-history.v1', data: { zone, runs: runs.map(runData) }, document }
}

function noteOf(run: JobRun, lang: Lang): string {
  const say = scheduleWords(lang)
  const missed = run.missed && run.missed.count > 1 ? say('missed_note', run.missed) : null
  const attempt = run.attempt > 1 ? say('attempt_note', { attempt: run.attempt }) : null
  return [missed, attempt, run.note].filter((part) => part !== null).join('; ')
}

function moodOf({ state, exitCode }: JobRun): State {
  if (state === 'DONE') return (['ok', 'warning', 'critical', 'unknown'] as const)[exitCode ?? 3] ?? 'unknown'
  if (state === 'CLAIMED' || state === 'RUNNING') return 'ok'
  return state === 'MISSED' || state === 'OVERLAP' ? 'warning' : 'critical'
}

const runData = (run: JobRun) => ({
  job: run.job,
  date: run.slot.date,
  due_at: iso(run.slot.due),
  state: run.state,
  attempt: run.attempt,
  started_by: run.trigger,
  claimed_at: iso(run.claimedAt),
  started_at: iso(run.startedAt),
  finished_at: iso(run.finishedAt),
  exit_code: run.exitCode,
  holder: { host: run.holder.host, pid: run.holder.pid },
  output_file: run.outputFile,
  output_tail: run.outputTail,
  missed: run.missed,
  note: run.note,
})
