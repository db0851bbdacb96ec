import type { EnvEntry, EnvFile } from '../env-file.ts'
import type { Cause, CompareData, CompareRow, RowState } from '../report/config-compare-data.ts'
import type { Observed, Runtime } from './runtime.ts'
import type { Setting } from './scenario.ts'

export interface CompareFacts {
  readonly runtime: Pick<Runtime, 'kind' | 'target' | 'envFile'>
  readonly file: EnvFile
  readonly settings: readonly Setting[]
  readonly seen: Pick<Observed, 'health' | 'environments'>
  /** Why a value is none that the setting may have; `undefined` when it is one. */
  readonly invalid: (key: string, value: string) => string | undefined
  /** A text that may be shown, of a key's value. */
  readonly mask: (key: string, value: string) => string
}

/** What one key is in each place, not masked. */
export interface Standing {
  readonly key: string
  readonly entry: EnvEntry | undefined
  /** After a reload or recreate. */
  readonly next: string
  readonly effective: string | undefined
  readonly state: RowState
  readonly causes: readonly Cause[]
}

/** Where every setting stands, in the table's order. */
export function standings({ runtime, file, settings, seen, invalid, mask }: CompareFacts): readonly Standing[] {
  const { health, environments } = seen
  // Without compose the server reads the file itself, as a whole or not at all.
  const unreadable =
    !environments &&
    (file.problems.length > 0 ||
      settings.some(({ key, fallback }) => {
        const entry = file.entries.findLast((one) => one.key === key)
        return entry !== undefined && invalid(key, entry.value || fallback) !== undefined
      }))
  return settings.map((setting): Standing => {
    const { key, fallback } = setting
    const entries = file.entries.filter((entry) => entry.key === key)
    const entry = entries.at(-1)
    const wanted = entry?.value || fallback
    const effective = health?.config.effective[key]
    const causes: Cause[] = problemsOf(file, key)
    if (entry && entries.length > 1) {
      const earlier = entries.slice(0, -1).map(({ line }) => line)
      causes.push({ code: 'duplicate', line: entry.line, earlier: earlier.join(', ') })
    }
    const allowed = entry && invalid(key, wanted)
    if (allowed !== undefined) causes.push({ code: 'bad_value', allowed })
    const { next, overruled } = environments
      ? composed(setting, entry, environments.composed, mask)
      : read(setting, entry, health, mask)
    if (overruled) causes.push(overruled)
    const differing = effective === undefined ? undefined : pendingCause(setting, next, effective, runtime.kind, seen)
    const pending: Cause | undefined = differing && unreadable ? { code: 'file_broken' } : differing
    if (pending) causes.push(pending)
    if (effective === undefined) causes.push({ code: 'no_answer' })
    const broken = causes.some(({ code }) => code === 'line_problem' || code === 'bad_value')
    const isOverruled = overruled !== undefined && overruled.code !== 'published_port' && next !== wanted
    const state = broken ? 'never' : effective === undefined ? 'unknown' : stateOf(pending, isOverruled)
    return { key, entry, next: unreadable ? (effective ?? next) : next, effective, state, causes }
  })
}

function stateOf(pending: Cause | undefined, isOverruled: boolean): RowState {
  if (pending?.code === 'start_only') return 'restart'
  if (pending?.code === 'server_differs' || pending?.code === 'file_broken') return 'never'
  if (pending) return 'pending'
  return isOverruled ? 'never' : 'equal'
}

/** The four columns, masked, with the cause of each difference. Keys that nobody reads come last. */
export function compareConfig(facts: CompareFacts): CompareData {
  const { runtime, file, settings, seen, mask } = facts
  const shown = (key: string, value: string | undefined) => (value === undefined ? null : mask(key, value))
  const known = standings(facts).map(
    ({ key, entry, next, effective, state, causes }): CompareRow => ({
      ...{ key, line: entry?.line ?? null, file: shown(key, entry?.value), state, causes },
      fallback: settings.find((setting) => setting.key === key)?.fallback ?? null,
      ...{ next: mask(key, next), effective: shown(key, effective) },
    }),
  )
  const rows = [...known, ...strangerRows(facts)]
  const named = new Set(rows.flatMap(({ causes }) => causes.flatMap((cause) => ('line' in cause ? [cause.line] : []))))
  const problems = file.problems
    .filter(({ line }) => !named.has(line))
    .map(({ line, message }) => ({ line, problem: message }))
  const count = (state: RowState) => rows.filter((row) => row.state === state).length
  const broken = file.problems.length > 0 || rows.some(({ causes }) => causes.some(({ code }) => code === 'bad_value'))
  const pending = count('pending') > 0 && !broken
  return {
    ...{ runtime: runtime.kind, target: runtime.target, env_file: runtime.envFile, problems },
    read_error: seen.health?.config.error ?? null,
    differences: count('pending') + count('restart') + count('never') + problems.length,
    unknown: count('unknown'),
    next_command: pending ? 'npm run rollback-env -- --dry-run' : null,
    rows,
  }
}

/** Without compose: the server's environment, then the file, then the default. */
function read(
  { key, fallback }: Setting,
  entry: EnvEntry | undefined,
  health: Observed['health'],
  mask: CompareFacts['mask'],
): { next: string; overruled: Cause | undefined } {
  const wanted = entry?.value || fallback
  const effective = health?.config.effective[key]
  if (health?.config.from?.[key] !== 'environment' || effective === undefined) {
    return { next: wanted, overruled: undefined }
  }
  const silent = entry === undefined || effective === wanted
  return { next: effective, overruled: silent ? undefined : { code: 'environment', value: mask(key, effective) } }
}

/** With compose: what it hands to the container, then the default. */
function composed(
  { key, fallback }: Setting,
  entry: EnvEntry | undefined,
  handed: Readonly<Record<string, string>>,
  mask: CompareFacts['mask'],
): { next: string; overruled: Cause | undefined } {
  const next = handed[key] || fallback
  if (entry === undefined || next === (entry.value || fallback)) return { next, overruled: undefined }
  if (!(key in handed)) return { next, overruled: { code: 'not_passed' } }
  return { next, overruled: { code: key === 'PORT' ? 'published_port' : 'pinned', value: mask(key, next) } }
}

function pendingCause(
  { key, startOnly, fallback }: Setting,
  next: string,
  effective: string,
  kind: Runtime['kind'],
  { environments }: CompareFacts['seen'],
): Cause | undefined {
  if (effective === next) return undefined
  if (!environments) return { code: startOnly && kind === 'process' ? 'start_only' : 'not_reloaded' }
  const given = environments.running[key] || fallback
  return { code: given === next ? 'server_differs' : 'container_older' }
}

const problemsOf = (file: EnvFile, key: string): Cause[] =>
  file.problems
    .filter(({ message }) => message.startsWith(`${key}: `))
    .map(({ line, message }) => ({ code: 'line_problem', line, problem: message.slice(key.length + 2) }))

/** Keys of the file that are no settings. Their values may be anybody's secrets. */
function strangerRows(facts: CompareFacts): CompareRow[] {
  const { seen, mask } = facts
  const handed = (from: Readonly<Record<string, string>> | undefined, key: string) =>
    from?.[key] === undefined ? null : mask(key, from[key])
  return strangers(facts).map(({ key, entry, state, causes }) => ({
    ...{ key, line: entry.line, file: mask(key, entry.value), fallback: null, state, causes },
    next: handed(seen.environments?.composed, key),
    effective: handed(seen.environments?.running, key),
  }))
}

type Stranger = Pick<Standing, 'key' | 'state' | 'causes'> & { readonly entry: EnvEntry }

/** Where the keys stand that are no settings: misspelt ones never take effect, others may be for the container. */
export function strangers({ file, settings, seen }: Pick<CompareFacts, 'file' | 'settings' | 'seen'>): Stranger[] {
  const names = settings.map(({ key }) => key)
  const { environments } = seen
  const last = new Map(file.entries.filter(({ key }) => !names.includes(key)).map((entry) => [entry.key, entry]))
  return [...last.values()].map((entry): Stranger => {
    const { key } = entry
    if (!environments || resembles(key, names)) {
      return { key, entry, state: 'never', causes: [{ code: 'unknown_key' }] }
    }
    const older = environments.composed[key] !== environments.running[key]
    const causes: Cause[] = older ? [{ code: 'foreign_key' }, { code: 'container_older' }] : [{ code: 'foreign_key' }]
    return { key, entry, state: older ? 'pending' : 'equal', causes }
  })
}

/** It begins as ours do, or is one of ours with two letters wrong at most; short names say too little for that. */
function resembles(key: string, names: readonly string[]): boolean {
  const word = (name: string) => name.split('_')[0]
  return names.some((name) => name.includes('_') && (word(name) === word(key) || distance(key, name) <= 2))
}

/** Letters to change, add or leave out (Levenshtein). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
