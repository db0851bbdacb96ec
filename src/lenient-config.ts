import { devNull } from 'node:os'
import { type Config, envFileAt, envPath, KEYS, type Key, loadConfig, RULES, type Settings } from './config.ts'
import type { EnvFile } from './env-file.ts'

/** The configuration without the lines and values that are wrong: for what must answer whatever stands in `.env`. */
export function lenientConfig(env: NodeJS.ProcessEnv): Config & { readonly isWhole: boolean } {
  const envFile = envPath(env)
  const { entries, problems } = readable(envFile)
  const good = entries.filter(({ key, value }) => key in RULES && isGood(key as Key, value))
  const given = Object.fromEntries(good.map(({ key, value }) => [key, value]))
  const own = KEYS.filter((key) => env[key] !== undefined)
  const goodOwn = Object.fromEntries(own.filter((key) => isGood(key, env[key]!)).map((key) => [key, env[key]]))
  const known = entries.filter(({ key }) => key in RULES)
  const isWhole = problems.length === 0 && good.length === known.length && own.length === Object.keys(goodOwn).length
  if (isWhole) return { ...loadConfig(env), isWhole }
  return { ...loadConfig({ ...given, ...goodOwn, APPROVAL_ENV_FILE: devNull }), envFile, isWhole }
}

/** One that cannot be read at all has no good line. */
function readable(path: string): EnvFile {
  try {
    return envFileAt(path)
  } catch (error) {
    return { entries: [], problems: [{ line: 1, message: (error as Error).message }] }
  }
}

/** In which language to complain about a configuration that is broken elsewhere. */
export function languageOf(env: NodeJS.ProcessEnv): Settings['OPS_LANG'] {
  const isSet = (value = '') => value !== '' && isGood('OPS_LANG', value)
  if (isSet(env.OPS_LANG)) return RULES.OPS_LANG.read(env.OPS_LANG!)
  const { entries } = readable(envPath(env))
  const given = entries.findLast(({ key, value }) => key === 'OPS_LANG' && isSet(value))
  return RULES.OPS_LANG.read(given?.value ?? RULES.OPS_LANG.fallback)
}

/** What is allowed instead; undefined when the value is good. */
export function problemOf(key: Key, value: string): string | undefined {
  try {
    RULES[key].read(value)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const isGood = (key: Key, value: string): boolean => value === '' || problemOf(key, value) === undefined
