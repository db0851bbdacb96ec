import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'
import type { Scheduler } from '../../src/schedule/attend.ts'
import type { Ledger } from '../../src/schedule/ledger.ts'
import type { ScheduledJob } from '../../src/schedule/table.ts'
import { scheduleWords } from '../../src/schedule/words.ts'
import { realSystem } from '../../src/system/real.ts'
import type { ProcessIdentity, RunOptions, RunResult } from '../../src/system/system.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export const MORNING: ScheduledJob = {
  name: 'morning',
  at: '09:00',
  command: ['morning'],
  catchUpMs: 3 * HOUR,
  deadlineMs: 60_000,
}
export const EVENING: ScheduledJob = {
  ...MORNING,
  name: 'evening',
  at: '18:00',
  command: ['evening'],
  catchUpMs: 14 * HOUR,
}

export const FINE: RunResult = {
  ok: true,
  code: 0,
  signal: null,
  timedOut: false,
  stdout: 'OK\n',
  stderr: '',
  output: 'OK\n',
  ms: 1200,
}

/** A scheduling process inside the test: its ledger is real, its clock is set by hand, its programs are only noted. */
export interface Hand {
  readonly scheduler: Scheduler
  /** What it started: `morning@2026-11-22T00:00:00.000Z`. */
  readonly ran: string[]
  readonly told: string[]
  /** Time passes: the clock shows `instant`, and the machine has run for as long. */
  at(instant: string): Hand
  /** The clock is set: no time passes. */
  set(instant: string): Hand
}

interface Options {
  readonly table?: readonly ScheduledJob[]
  readonly zone?: string
  readonly self?: ProcessIdentity
  readonly run?: (options: RunOptions) => Promise<RunResult>
}

export async function hand(ledger: Ledger, dir: string, options: Options = {}): Promise<Hand> {
  const self = options.self ?? (await realSystem.self())
  const ran: string[] = []
  const told: string[] = []
  const clock = { now: Date.parse('2026-11-20T00:00:00Z'), uptime: 1e13, boot: 'boot' }
  const scheduler: Scheduler = {
    table: options.table ?? [MORNING],
    zone: options.zone ?? 'Asia/Seoul',
    ledger,
    self,
    clock: () => ({ ...clock }),
    node: process.execPath,
    root: ROOT,
    env: {},
    runs: join(dir, 'runs'),
    signal: new AbortController().signal,
    running: new Set(),
    say: scheduleWords('en'),
    tell: (line) => void told.push(line),
    system: {
      ...realSystem,
      run: async (argv, runOptions) => {
        await runOptions.beforeStart?.(process.pid)
        ran.push(`${argv.at(-1)}@${new Date(clock.now).toISOString()}`)
        return options.run ? await options.run(runOptions) : FINE
      },
    },
  }
  const move = (instant: string, passes: boolean): Hand => {
    const now = Date.parse(instant)
    if (passes) clock.uptime += now - clock.now
    clock.now = now
    return it
  }
  const it: Hand = { scheduler, ran, told, at: (text) => move(text, true), set: (text) => move(text, false) }
  return it
}

/** A process that is certainly gone: nobody has this start time. */
export const dead = async (): Promise<ProcessIdentity> => ({ ...(await realSystem.self()), pid: 4_000_000, start: '1' })

/** The ledger with some of its methods replaced. */
export const withFaults = (ledger: Ledger, faults: Partial<Ledger>): Ledger =>
  new Proxy(ledger, {
    get(target, name: keyof Ledger) {
      return faults[name] ?? target[name].bind(target)
    },
  })
