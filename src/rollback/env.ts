import { join } from 'node:path'
import { type EnvFile, parseEnv } from '../env-file.ts'
import { type FileState, fileState, observedFile, sha256, writeDiagnosis } from './configure.ts'
import { type Standing, standings, strangers } from './env-compare.ts'
import { EnvEditError, envBytes, envText, envValue, removeEnv, setEnv } from './env-edit.ts'
import { WEAKER, weaker } from './env-safety.ts'
import { givenOf, KEPT, takeOverStep } from './env-step.ts'
import { causeText, envSentence, listed } from './env-words.ts'
import { masker } from './mask.ts'
import { type Already, type Change, type Plan, Refusal, type Rollback, type Text } from './plan.ts'
import type { Expectation, Observed, RuntimeReference } from './runtime.ts'
import { type RollbackContext, scenario } from './scenario.ts'
import { textOf } from './words.ts'

/** Makes what is in effect what is configured, for all settings, by one reload or recreate. */
export const env = scenario({
  scenario: 'env',
  summary: envSentence('summary'),
  flags: {
    accept: {
      type: 'string',
      multiple: true,
      value: 'KEY',
      help: envSentence('help_accept'),
      accepts: (key) => key in WEAKER,
      allowed: Object.keys(WEAKER).join(', '),
    },
  },
  rehearsal: {
    // A setting that opens nothing, edited behind the back of the copy's server.
    after: (text) => setEnv(text, 'APPROVAL_HOLD', envValue(text, 'APPROVAL_HOLD') === '49' ? '48' : '49'),
  },
  create: (context, args) => envRollback(context, new Set(args.accept)),
})

interface Details {
  readonly runtime: RuntimeReference
  readonly file: string
  readonly before: FileState | null
  readonly earlier: FileState
  readonly wasRunning: boolean
  readonly given: string | null
  readonly applied: Expectation
  readonly undone: Expectation
}

type Values = Readonly<Record<string, string>>

function envRollback(context: RollbackContext, accepted: ReadonlySet<string>): Rollback<Details> {
  const { system, runtimes, settings, now } = context
  // Of the latest plan: it may hold other programs' secrets, so it is kept in the snapshot only.
  let earlierBytes: Uint8Array = new Uint8Array()

  async function plan(): Promise<Plan<Details> | Already> {
    const runtime = await runtimes.detect()
    const { envFile } = runtime
    if (runtime.kind === 'none') throw new Refusal(envSentence('no_server', { file: envFile }), 'npm start')
    const before = await fileState(system, envFile)
    const bytes = before ? await system.readBytes(envFile) : Buffer.alloc(0)
    const file = parseEnv(bytes.toString('utf8'))
    await assertReadable(context, envFile, file)

    const seen = await runtime.observe()
    const was = wasOf(context, seen)
    if (!was) throw new Refusal(envSentence('no_answer'), 'npm run daily-check')
    const mask = masker(system.newId(), new Set(settings.map(({ key }) => key)))
    const health = { ...seen.health, config: { ...seen.health?.config, effective: was } } as Observed['health']
    const invalid = () => undefined
    const rows = standings({ ...{ runtime, file, settings, mask, invalid }, seen: { ...seen, health } })
    const pending = rows.filter(({ state }) => state === 'pending')
    const changes = changesOf(seen, pending, mask)
    const stuck = rows.filter(({ state }) => state === 'restart' || state === 'never')
    const unknown = strangers({ file, settings, seen }).filter(({ state }) => state === 'never')
    if (changes.length === 0) return nothingToDo(envFile, stuck, unknown)
    const hazards = hazardsOf(pending, ({ effective = '', next }) => [effective, next], now())
    const back = hazardsOf(pending, ({ effective = '', next }) => [next, effective], now())
    assertAccepted(hazards, accepted)

    const changing = new Set([...pending.map(({ key }) => key), ...changes.map(({ what }) => what)])
    const earlier = asBefore(bytes, changing, was, seen)
    await assertWritable(context, envFile)
    earlierBytes = earlier
    const next = Object.fromEntries(pending.map((row) => [row.key, row.next]))
    const rest = Object.fromEntries(Object.entries(was).filter(([key]) => !(key in next)))
    const details: Details = {
      ...{ runtime: runtime.reference, file: envFile, before, wasRunning: seen.running, given: givenOf(seen) },
      earlier: { sha256: sha256(earlier), mode: before?.mode ?? 0o600 },
      applied: { settings: next, unchanged: rest },
      undone: { settings: Object.fromEntries(pending.map(({ key }) => [key, was[key]!])), unchanged: rest },
    }
    return {
      ...{ scenario: 'env', runtime: runtime.kind, target: runtime.target, changes },
      commands: runtime.commands(),
      hazards: hazards.map(({ text }) => text),
      hazardsBack: back.map(({ text }) => text),
      notes: [
        runtime.describe(),
        ...together(pending).map((of) => envSentence('cause', of)),
        ...together([...stuck, ...unknown]).map((of) => envSentence('fixed', of)),
        envSentence('undo', { file: envFile }),
      ],
      outage: runtime.outage,
      observations: [...seen.identity, observedFile(envFile, before)],
      details,
    }
  }

  return {
    scenario: 'env',
    plan,
    async snapshot({ details: { runtime, file, before, earlier } }, folder) {
      if (sha256(earlierBytes) !== earlier.sha256) throw new Refusal(envSentence('file_changed', { file }))
      if (before) await system.replaceFile(join(folder, KEPT.before), await system.readBytes(file))
      await system.replaceFile(join(folder, KEPT.earlier), earlierBytes)
      await runtimes.open(runtime).snapshot(folder)
    },
    steps: ({ details }, folder) => [
      takeOverStep({ ...details, system, folder, runtime: runtimes.open(details.runtime) }),
    ],
  }
}

/** The whole file must be fit to be read: a server refuses it as a whole, too. */
async function assertReadable({ configured }: RollbackContext, path: string, file: EnvFile): Promise<void> {
  const refused = (problems: Text) =>
    new Refusal(envSentence('unreadable', { file: path, problems }), 'npm run config -- compare')
  const lines = file.problems.map(({ line, message }) => `${line}: ${message}`).join('; ')
  if (lines !== '') throw refused({ ko: lines, en: lines })
  await configured(path).catch((error: Error) => {
    const { ko, en } = textOf(error)
    throw refused({ ko: ko.replaceAll('\n', '; '), en: en.replaceAll('\n', '; ') })
  })
}

async function assertWritable({ system }: RollbackContext, file: string): Promise<void> {
  await system.assertReplaceable(file).catch((error: Error) => {
    throw new Refusal(envSentence('cannot_go_back', { problem: textOf(error) }), writeDiagnosis(error, file))
  })
}

/** One sentence for all keys that have the same cause. */
function together(rows: readonly Row[]): { key: string; cause: Text }[] {
  const groups = new Map<string, { keys: string[]; cause: Text }>()
  for (const { key, causes } of rows) {
    const cause = causeText(causes)
    const group = groups.get(cause.en)
    if (group) group.keys.push(key)
    else groups.set(cause.en, { keys: [key], cause })
  }
  return [...groups.values()].map(({ keys, cause }) => ({ key: keys.join(', '), cause }))
}

/** Every setting as it is in effect: by the server's word, else by what its container was given. */
function wasOf({ settings }: RollbackContext, { health, environments }: Observed): Values | undefined {
  if (health) return health.config.effective
  if (!environments) return undefined
  return Object.fromEntries(settings.map(({ key, fallback }) => [key, environments.running[key] || fallback]))
}

/** Of a container every variable counts, not only settings. */
function changesOf(
  seen: Observed,
  pending: readonly Standing[],
  mask: (key: string, value: string) => string,
): Change[] {
  const { environments, drift } = seen
  if (environments) {
    const { composed, running } = environments
    return drift.filter(({ what }) => what in composed || what in running)
  }
  return pending.map(({ key, effective = '', next }) => ({
    what: key,
    from: mask(key, effective),
    to: mask(key, next),
  }))
}

/** A misspelt key is said and is no reason to fail; a setting that does not follow the file is. */
function nothingToDo(file: string, stuck: readonly Standing[], unknown: readonly Row[]): Already {
  const named = listed(
    together([...stuck, ...unknown]).map((of) => envSentence('fixed', of)),
    '. ',
  )
  if (stuck.length === 0) {
    const already = envSentence('already', { file })
    return { already: unknown.length === 0 ? already : listed([already, named], '. ') }
  }
  if (stuck.every(({ state }) => state === 'restart')) {
    throw new Refusal(envSentence('only_restart', { keys: stuck.map(({ key }) => key).join(', ') }), 'npm start')
  }
  throw new Refusal(envSentence('only_never', { causes: named }), 'npm run config -- compare')
}

type Row = Pick<Standing, 'key' | 'causes'>

interface Hazard {
  readonly key: string
  readonly text: Text
}

function hazardsOf(rows: readonly Standing[], way: (row: Standing) => [string, string], now: number): Hazard[] {
  return rows.flatMap((row) => {
    const { key } = row
    const [from, to] = way(row)
    const why = weaker(key, from, to, now)
    return why ? [{ key, text: envSentence('hazard', { key, from: from || '-', to: to || '-', why }) }] : []
  })
}

function assertAccepted(hazards: readonly Hazard[], accepted: ReadonlySet<string>): void {
  const refused = hazards.filter(({ key }) => !accepted.has(key))
  if (refused.length === 0) return
  const flags = refused.map(({ key }) => `--accept ${key}`).join(' ')
  const text = envSentence('must_accept', { hazards: listed(refused.map(({ text }) => text)), flags })
  throw new Refusal(text, `npm run rollback-env -- --dry-run ${flags}`)
}

/** The file as it would have to be for the server to do what it does now. */
function asBefore(bytes: Uint8Array, keys: ReadonlySet<string>, was: Values, { environments }: Observed): Buffer {
  try {
    let text = envText(bytes)
    for (const key of keys) {
      const value = environments ? environments.running[key] : was[key]
      text = value === undefined ? removeEnv(text, key) : setEnv(text, key, value)
    }
    return envBytes(text)
  } catch (error) {
    if (error instanceof EnvEditError) throw new Refusal(envSentence('cannot_go_back', { problem: error.message }))
    throw error
  }
}
