import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EnvFile, parseEnv } from './env-file.ts'

/** The folder of package.json: relative paths in the configuration start here, whatever the current directory is. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** Every setting, typed. Durations are seconds, instants are milliseconds since 1970. */
export interface Settings {
  readonly APPROVAL_WORKFLOW_ENABLED: boolean
  readonly APPROVAL_DISABLED_UNTIL: number | null
  readonly APPROVAL_TIMEOUT: number
  readonly APPROVAL_POLLING_INTERVAL: number
  readonly APPROVAL_MAX_PENDING: number
  readonly APPROVAL_EXECUTION_TTL: number
  readonly APPROVAL_HOLD: number
  readonly APPROVAL_TRUST_USER_HEADER: boolean
  readonly APPROVAL_ALLOW_REMOTE: boolean
  readonly RBAC_ENABLED: boolean
  readonly SANDBOX_ENABLED: boolean
  readonly RATE_LIMIT_ENABLED: boolean
  /** Days; null = never. */
  readonly RETENTION_DAYS: number | null
  readonly SECURITY_DB_PATH: string
  readonly OPS_DB_PATH: string
  readonly POLICY_PATH: string
  readonly MCP_CONFIG_PATH: string
  readonly WORKSPACE_PATH: string
  readonly CONTACTS_PATH: string
  readonly CALENDAR_PATH: string
  readonly LOG_PATH: string
  readonly HOST: string
  readonly PORT: number
  readonly APPROVAL_URL: string
  readonly OPS_TIMEZONE: string
  readonly OPS_LANG: 'ko' | 'en'
}
export type Key = keyof Settings

interface Rule<T> {
  readonly fallback: string
  /** Throws an Error whose message says what is allowed. */
  readonly read: (text: string) => T
  /** Read once at start: a reload cannot change it while the server runs. */
  readonly fixed?: true
}

/** One table: name, default, allowed values. `.env.example` is tested against it. */
export const RULES: { readonly [K in Key]: Rule<Settings[K]> } = {
  APPROVAL_WORKFLOW_ENABLED: { fallback: 'true', read: flag },
  APPROVAL_DISABLED_UNTIL: { fallback: '', read: instant },
  APPROVAL_TIMEOUT: { fallback: '300', read: whole(1, 86_400) },
  APPROVAL_POLLING_INTERVAL: { fallback: '1', read: whole(1, 60) },
  APPROVAL_MAX_PENDING: { fallback: '50', read: whole(1, 1_000_000) },
  APPROVAL_EXECUTION_TTL: { fallback: '300', read: whole(1, 86_400) },
  APPROVAL_HOLD: { fallback: '50', read: whole(1, 300) },
  APPROVAL_TRUST_USER_HEADER: { fallback: 'false', read: flag, fixed: true },
  APPROVAL_ALLOW_REMOTE: { fallback: 'false', read: flag, fixed: true },
  RBAC_ENABLED: { fallback: 'true', read: flag },
  SANDBOX_ENABLED: { fallback: 'true', read: flag },
  RATE_LIMIT_ENABLED: { fallback: 'true', read: flag },
  RETENTION_DAYS: { fallback: '400', read: retention },
  SECURITY_DB_PATH: { fallback: './data/security.db', read: path, fixed: true },
  OPS_DB_PATH: { fallback: './data/ops.db', read: path, fixed: true },
  POLICY_PATH: { fallback: './policy.json', read: path },
  MCP_CONFIG_PATH: { fallback: './mcp.json', read: path },
  WORKSPACE_PATH: { fallback: './data/workspace', read: path },
  CONTACTS_PATH: { fallback: './contacts.json', read: path },
  CALENDAR_PATH: { fallback: './calendar.json', read: path },
  LOG_PATH: { fallback: './data/server.log', read: path, fixed: true },
  HOST: { fallback: '127.0.0.1', read: text, fixed: true },
  PORT: { fallback: '8020', read: whole(0, 65_535), fixed: true },
  APPROVAL_URL: { fallback: '', read: url },
  OPS_TIMEZONE: { fallback: 'Asia/Seoul', read: timeZone, fixed: true },
  OPS_LANG: { fallback: 'ko', read: language },
}
export const KEYS = Object.keys(RULES) as Key[]

/** Where a value came from, for the column "configured" of every check. */
export interface Config {
  readonly settings: Settings
  /** The text each key was given, after `.env` and the process environment (which wins). */
  readonly given: Readonly<Record<Key, string>>
  readonly from: Readonly<Record<Key, 'environment' | 'file' | 'default'>>
  readonly envFile: string
  /** Worth knowing, not worth stopping for: duplicates, keys that nothing reads. */
  readonly warnings: readonly string[]
}

/** All that is wrong with the configuration at once. Mains exit 78. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `.env` beside package.json, or the file that `APPROVAL_ENV_FILE` names. */
export const envPath = (env: NodeJS.ProcessEnv): string => resolve(ROOT, env.APPROVAL_ENV_FILE ?? '.env')

/** An `.env` that is not there has no lines. @throws ConfigError when it cannot be read */
export function envFileAt(path: string): EnvFile {
  try {
    return parseEnv(existsSync(path) ? readFileSync(path, 'utf8') : '')
  } catch (error) {
    throw new ConfigError([`${path}: ${(error as Error).message}`])
  }
}

/** The configuration, or all that is wrong with it. */
export function configOf(env: NodeJS.ProcessEnv): Config | ConfigError {
  try {
    return loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

/**
 * Reads `.env` and the process environment.
 * @throws ConfigError with every problem, each with its file and line
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const envFile = envPath(env)
  const file = envFileAt(envFile)
  const problems = file.problems.map((p) => `${envFile}:${p.line}: ${p.message}`)
  const warnings: string[] = []
  const inFile = new Map<string, { value: string; line: number }>()
  for (const { key, value, line } of file.entries) {
    const earlier = inFile.get(key)
    if (earlier) warnings.push(`${envFile}:${line}: ${key} is set again (first on line ${earlier.line}); the last wins`)
    else if (!(key in RULES)) warnings.push(`${envFile}:${line}: ${key} is not a setting of approval-ops`)
    inFile.set(key, { value, line })
  }
  const given = {} as Record<Key, string>
  const from = {} as Record<Key, 'environment' | 'file' | 'default'>
  const settings: Record<string, unknown> = {}
  for (const key of KEYS) {
    const fromFile = inFile.get(key)
    const value = env[key] ?? fromFile?.value ?? ''
    const where = env[key] !== undefined ? 'environment' : fromFile ? `${envFile}:${fromFile.line}` : 'default'
    given[key] = value === '' ? RULES[key].fallback : value
    from[key] = env[key] !== undefined ? 'environment' : fromFile ? 'file' : 'default'
    try {
      settings[key] = RULES[key].read(given[key])
    } catch (error) {
      problems.push(`${where}: ${key}=${JSON.stringify(value)}: ${(error as Error).message}`)
    }
  }
  if (problems.length === 0) problems.push(...workspaceProblems(settings as unknown as Settings, envFile))
  if (problems.length > 0) throw new ConfigError(problems)
  return { settings: settings as unknown as Settings, given, from, envFile, warnings }
}

/** What runs in the workspace may change everything there: nothing that the desk relies on must be in it. */
function workspaceProblems({ WORKSPACE_PATH, ...rest }: Settings, envFile: string): string[] {
  const { SECURITY_DB_PATH, OPS_DB_PATH, LOG_PATH, POLICY_PATH, MCP_CONFIG_PATH } = rest
  const ours = [ROOT, envFile, SECURITY_DB_PATH, OPS_DB_PATH, LOG_PATH, POLICY_PATH, MCP_CONFIG_PATH]
  const inside = ours.find((path) => `${path}${sep}`.startsWith(`${WORKSPACE_PATH.replace(/\/$/, '')}${sep}`))
  if (inside === undefined) return []
  return [`WORKSPACE_PATH=${WORKSPACE_PATH}: allowed: a folder of its own; ${inside} is in this one`]
}

/** Where the command line and the checks find the server. */
export function serverUrl(settings: Settings): string {
  if (settings.APPROVAL_URL !== '') return settings.APPROVAL_URL
  const host = settings.HOST === '0.0.0.0' || settings.HOST === '::' ? '127.0.0.1' : settings.HOST
  return `http://${host.includes(':') ? `[${host}]` : host}:${settings.PORT}`
}

/** The tokens that the first start wrote, beside the database. */
export const credentialsPath = (settings: Settings): string =>
  join(dirname(settings.SECURITY_DB_PATH), 'credentials.json')

/** What a running server says of itself, beside the database. */
export const serverFilePath = (settings: Settings): string => join(dirname(settings.SECURITY_DB_PATH), 'server.json')

/** What people vouch for, and the key that signs it, beside the database. */
export const attestationsPath = ({ SECURITY_DB_PATH }: Pick<Settings, 'SECURITY_DB_PATH'>) => ({
  file: join(dirname(SECURITY_DB_PATH), 'attestations.jsonl'),
  keyFile: join(dirname(SECURITY_DB_PATH), 'attestations.key'),
})

/** Journals, snapshots and results of rollbacks, beside the database. */
export const rollbacksPath = (settings: Settings): string => join(dirname(settings.SECURITY_DB_PATH), 'rollbacks')

/** What was moved out of the database, one file a month, beside it. */
export const archivePath = (settings: Settings): string => join(dirname(settings.SECURITY_DB_PATH), 'archive')

/** Verified copies of the databases, beside them. */
export const backupsPath = (settings: Settings): string => join(dirname(settings.SECURITY_DB_PATH), 'backups')

/** One line for each restore that ended well. */
export const restoresPath = (settings: Settings): string => join(backupsPath(settings), 'restores.jsonl')

/** The kept reports, beside the database. */
export const reportsPath = ({ SECURITY_DB_PATH }: Pick<Settings, 'SECURITY_DB_PATH'>): string =>
  join(dirname(SECURITY_DB_PATH), 'reports')

export const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/.test(host)

function flag(text: string): boolean {
  if (/^true$/i.test(text)) return true
  if (/^false$/i.test(text)) return false
  throw new Error('allowed: true or false')
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new Error(`allowed: a whole number from ${min} to ${max}`)
  }
}

/** A month at least: whoever works with a request finds it where it was. */
function retention(text: string): number | null {
  if (text === '0') return null
  try {
    return whole(31, 36_500)(text)
  } catch {
    throw new Error('allowed: a whole number from 31 to 36500, or 0 for never')
  }
}

function instant(text: string): number | null {
  if (text === '') return null
  const value = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(value)) throw new Error('allowed: an ISO 8601 instant with its zone, e.g. 2026-11-22T15:00:00+09:00')
  return value
}

function text(text: string): string {
  return text
}

function path(text: string): string {
  return resolve(ROOT, text)
}

function url(text: string): string {
  if (text === '') return ''
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new Error('allowed: an http:// or https:// address')
  return text.replace(/\/+$/, '')
}

function timeZone(text: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return text
  } catch {
    throw new Error('allowed: an IANA time zone, e.g. Asia/Seoul or UTC')
  }
}

function language(text: string): 'ko' | 'en' {
  if (text === 'ko' || text === 'en') return text
  throw new Error('allowed: ko or en')
}
