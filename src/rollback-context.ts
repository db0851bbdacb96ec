import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { type Config, credentialsPath, KEYS, ROOT, RULES, rollbacksPath, serverUrl } from './config.ts'
import { printable } from './report/printable.ts'
import { quoted } from './rollback/cli-git.ts'
import { type Engine, npmScript } from './rollback/engine.ts'
import type { Pause } from './rollback/journal.ts'
import { type Plan, Refusal } from './rollback/plan.ts'
import { STABILITY, type Stability } from './rollback/runtime.ts'
import type { RollbackContext, ScenarioCommand } from './rollback/scenario.ts'
import { rollbackText, rollbackWords } from './rollback/words.ts'
import { typedWord } from './rollback-confirm.ts'
import { openLock } from './rollback-lock.ts'
import type { RollbackOptions } from './rollback-options.ts'
import { configured, wireRuntimes } from './rollback-runtimes.ts'
import type { Stopper } from './rollback-stop.ts'
import { realSystem } from './system/real.ts'
import type { System } from './system/system.ts'

/** What a test hands in: where to stop, how long to watch, another machine. */
export interface Seams {
  readonly pause?: Pause
  readonly stability?: Stability
  readonly system?: System
}

/** One call of a rollback's main. */
export interface Run {
  readonly scenario: ScenarioCommand
  readonly options: RollbackOptions
  readonly config: Config
  readonly process: NodeJS.Process
  readonly seams: Seams
}

/** Wires the real machine and the configuration. */
export function contextOf({ options, config, process, seams }: Run): RollbackContext {
  const system = seams.system ?? realSystem
  const stability = seams.stability ?? STABILITY
  const { settings } = config
  return {
    ...{ system, stability, configured, now: Date.now, root: ROOT },
    settings: KEYS.map((key) => ({ key, fallback: RULES[key].fallback, startOnly: RULES[key].fixed === true })),
    zone: options.zone ?? settings.OPS_TIMEZONE,
    folder: rollbacksPath(settings),
    reason: options.reason,
    ticket: options.ticket,
    server: { url: serverUrl(settings), env: settingsIn(process.env) },
    runtimes: wireRuntimes({ system, config, stability, only: options.runtime, env: process.env }),
    async token() {
      try {
        return JSON.parse(await readFile(credentialsPath(settings), 'utf8')).admin_user
      } catch {
        return undefined
      }
    },
  }
}

/** What the engine gets of this call: who, why, the lock, and how to ask. */
export function engineOf(run: Run, context: RollbackContext, stop: Stopper, show: (plan: Plan) => void): Engine {
  const { scenario, options, process, seams } = run
  const { system, now, folder, reason, ticket } = context
  const typed = [npmScript(scenario.scenario), '--', ...process.argv.slice(2).map(quoted), '--yes'].join(' ')
  return {
    ...{ system, now, folder, reason, ticket },
    lock: openLock(system, folder),
    by: whoRuns(process.env),
    stop: stop.signal,
    ...(seams.pause ? { pause: seams.pause } : {}),
    say(step, what) {
      const text = rollbackWords(options.lang)(`doing_${what}`, { title: step.title[options.lang] })
      process.stderr.write(`${printable(text)}\n`)
    },
    async confirm(plan, word) {
      show(plan)
      if (options.yes) return true
      if (!process.stdin.isTTY || !process.stderr.isTTY) throw new Refusal(rollbackText('no_tty'), typed)
      return await stop.asking(() => typedWord(word, options.lang, process, stop.signal))
    },
  }
}

/** Both identities, when one acts through sudo. */
export function whoRuns(env: NodeJS.ProcessEnv): string {
  const { username, uid } = userInfo()
  const name = username || String(uid)
  return env.SUDO_USER && env.SUDO_USER !== name ? `${env.SUDO_USER} (sudo ${name})` : name
}

/** The command line reads the same configuration as we do; the rest of our environment is not its. */
const settingsIn = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => (KEYS as string[]).includes(entry[0]) || entry[0].startsWith('APPROVAL_'),
    ),
  )
