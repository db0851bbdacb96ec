import { uptime } from 'node:os'
import { dirname, join } from 'node:path'
import { KEYS, ROOT, type Settings } from './config.ts'
import type { Lang } from './report/document.ts'
import { localTime } from './report/period.ts'
import { printable } from './report/printable.ts'
import type { Scheduler } from './schedule/attend.ts'
import type { Clock } from './schedule/decide.ts'
import type { Ledger } from './schedule/ledger.ts'
import type { ScheduledJob } from './schedule/table.ts'
import { scheduleWords } from './schedule/words.ts'
import { realSystem } from './system/real.ts'

/** `process` itself, as far as the schedule uses it. */
export type Process = Pick<
  NodeJS.Process,
  'argv' | 'connected' | 'env' | 'execPath' | 'pid' | 'stdout' | 'stderr' | 'on'
>

/** What one call of the schedule works with. */
export interface World {
  readonly table: readonly ScheduledJob[]
  readonly process: Process
  readonly settings: Settings
  readonly lang: Lang
}

/** Says it on stderr, and hands the exit code on. */
export function complain(process: Process, code: number, ...lines: string[]): number {
  for (const line of lines) process.stderr.write(`${printable(line)}\n`)
  return code
}

/** Wires the real machine and its clocks to a ledger. */
export async function schedulerOf(world: World, ledger: Ledger, signal: AbortSignal): Promise<Scheduler> {
  const { table, process, settings, lang } = world
  const self = await realSystem.self()
  const zone = settings.OPS_TIMEZONE
  return {
    table,
    zone,
    system: realSystem,
    ledger,
    clock: (): Clock => ({ now: Date.now(), uptime: uptime() * 1000, boot: self.boot }),
    self,
    node: process.execPath,
    root: ROOT,
    env: settingsOf(process.env),
    runs: join(dirname(settings.OPS_DB_PATH), 'runs'),
    signal,
    running: new Set(),
    say: scheduleWords(lang),
    tell: (line) => void complain(process, 0, `${localTime(Date.now(), zone)} ${zone}  ${line}`),
  }
}

/** The jobs read the same configuration as we do; the rest of our environment is not theirs. */
const settingsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => (KEYS as string[]).includes(entry[0]) || entry[0].startsWith('APPROVAL_'),
    ),
  )
