import { readFileSync } from 'node:fs'
import { BrokenFileError } from './approval/json-file.ts'
import { type Policy, parsePolicy } from './approval/policy.ts'
import { type Config, KEYS, loadConfig, RULES } from './config.ts'
import { createTurns } from './turns.ts'

/** The configuration and the policy that are in force, and what was wrong with those that are not. */
export interface LiveConfig {
  config(): Config
  policy(): Policy
  /** For /health. */
  facts(): {
    readonly policy: { path: string; loaded_at: string; error: string | null }
    readonly config: { loaded_at: string; error: string | null; effective: Config['given']; from: Config['from'] }
  }
  /**
   * Reads `.env` and the policy again. What is wrong keeps its old value and is said in `facts`; settings that are
   * fixed at the start keep theirs.
   * @param before runs with the new configuration before it is in force; when it rejects, the old one stays
   */
  reload(before: (next: Config) => Promise<void>): Promise<{ config_error: string | null; policy_error: string | null }>
}

/** @throws Error when the policy cannot be read */
export function createLiveConfig(first: Config, env: NodeJS.ProcessEnv, wall: () => number): LiveConfig {
  let config = first
  let policy = loadPolicy(config.settings.POLICY_PATH)
  const at = { config: wall(), policy: wall() }
  const errors: { config: string | null; policy: string | null } = { config: null, policy: null }
  // A reading that took long must not come into force over a later one.
  const inTurn = createTurns()

  async function readConfig(before: (next: Config) => Promise<void>): Promise<void> {
    const read = loadConfig(env)
    const next = keepFixed(config, read)
    await before(next)
    config = next
    at.config = wall()
    const waiting = KEYS.filter((key) => config.given[key] !== read.given[key])
    if (waiting.length > 0) {
      throw new Error(`${waiting.join(', ')}: changed in ${read.envFile}; takes effect at the next start`)
    }
  }

  function readPolicy(): void {
    policy = loadPolicy(config.settings.POLICY_PATH)
    at.policy = wall()
  }

  const iso = (ms: number) => new Date(ms).toISOString()
  return {
    config: () => config,
    policy: () => policy,
    facts: () => ({
      policy: { path: config.settings.POLICY_PATH, loaded_at: iso(at.policy), error: errors.policy },
      config: { loaded_at: iso(at.config), error: errors.config, effective: config.given, from: config.from },
    }),
    reload: (before) =>
      inTurn(async () => {
        errors.config = await problem(() => readConfig(before))
        errors.policy = await problem(readPolicy)
        return { config_error: errors.config, policy_error: errors.policy }
      }),
  }
}

async function problem(work: () => void | Promise<void>): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function loadPolicy(path: string): Policy {
  try {
    return parsePolicy(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof BrokenFileError) throw error
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The new configuration, with the old values of the settings that only a start reads. */
function keepFixed(old: Config, read: Config): Config {
  const fixed = KEYS.filter((key) => RULES[key].fixed)
  const from = <T extends object>(values: T) => Object.fromEntries(fixed.map((key) => [key, values[key as keyof T]]))
  return {
    ...read,
    settings: { ...read.settings, ...from(old.settings) },
    given: { ...read.given, ...from(old.given) },
  }
}
