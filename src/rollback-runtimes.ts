import { type Config, KEYS, loadConfig, RULES, serverFilePath, serverUrl } from './config.ts'
import { composeRuntimeKind } from './rollback/compose-detect.ts'
import { readHealth } from './rollback/health.ts'
import { Refusal } from './rollback/plan.ts'
import { noRuntime, type ProcessDeps, processRuntimeKind } from './rollback/process-runtime.ts'
import type { RuntimeKind, Runtimes, Stability } from './rollback/runtime.ts'
import { rollbackText } from './rollback/words.ts'
import type { System } from './system/system.ts'

interface Wiring {
  readonly system: System
  readonly config: Config
  readonly stability: Stability
  /** `--runtime` */
  readonly only: string | undefined
  readonly env: NodeJS.ProcessEnv
}

/** The text of every setting that one file gives by itself. */
export const configured = async (envFile: string): Promise<Readonly<Record<string, string>>> =>
  loadConfig({ APPROVAL_ENV_FILE: envFile }).given

/** How a server may run, and which of them this configuration's server is. */
export function wireRuntimes({ system, config, stability, only, env }: Wiring): Runtimes {
  const deps: ProcessDeps = {
    ...{ system, stability, configured, now: Date.now },
    serverFile: serverFilePath(config.settings),
    envFile: config.envFile,
    startOnly: new Set<string>(KEYS.filter((key) => RULES[key].fixed)),
  }
  const compose = composeRuntimeKind({
    ...{ system, stability, now: Date.now, envFile: config.envFile, dockerHost: env.DOCKER_HOST },
    exported: KEYS.filter((key) => env[key] !== undefined),
    defaults: Object.fromEntries(KEYS.map((key) => [key, RULES[key].fallback])),
  })
  const kinds: readonly RuntimeKind[] = [compose, processRuntimeKind(deps)]
  return {
    async detect() {
      const wanted = kinds.filter(({ kind }) => only === undefined || kind === only)
      const looks = await Promise.allSettled(wanted.map((kind) => kind.detect()))
      const all = looks.flatMap((look) => (look.status === 'fulfilled' && look.value ? [look.value] : []))
      // An engine that cannot be asked is no reason to leave the server of this very database alone.
      const failed = looks.find((look) => look.status === 'rejected')
      if (failed && all.length === 0) throw failed.reason
      // A container of our image anywhere on this machine gives way to the server of this very database.
      const ours = all.filter(({ reference }) => reference.how !== 'image')
      const found = ours.length > 0 ? ours : all
      if (found.length > 1) {
        const which = found.map(({ kind, target }) => `${kind}: ${target}`).join(', ')
        throw new Refusal(rollbackText('several_runtimes', { which }))
      }
      if (found[0]) return found[0]
      if (only === 'compose') throw new Refusal(rollbackText('no_such_runtime', { kind: only }))
      const url = serverUrl(config.settings)
      const health = await readHealth(system, url)
      if (health) throw new Refusal(rollbackText('server_unknown', { pid: health.pid, url }))
      return noRuntime(deps)
    },
    open(reference) {
      const kind = kinds.find((one) => one.kind === (reference.kind === 'none' ? 'process' : reference.kind))
      if (!kind) throw new Refusal(rollbackText('no_such_runtime', { kind: reference.kind }))
      return kind.open(reference)
    },
  }
}
