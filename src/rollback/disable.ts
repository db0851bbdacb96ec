import { join } from 'node:path'
import {
  type Configure,
  configureStep,
  type FileEdit,
  type FileState,
  fileState,
  keepEdit,
  observedFile,
  sha256,
  writeDiagnosis,
} from './configure.ts'
import { leaseEnd, parseDuration } from './duration.ts'
import { EnvEditError, envBytes, envText, envValue, planEdit, setEnv } from './env-edit.ts'
import { weaker } from './env-safety.ts'
import { envSentence } from './env-words.ts'
import { disableText, gateChange, gateChangesBack, gateOf, LEASE, SWITCH } from './gate-changes.ts'
import { type Change, type Plan, Refusal, type Rollback, type Text } from './plan.ts'
import { Records, type RollbackRecord, snapshotFolder } from './records.ts'
import type { Expectation, RuntimeReference } from './runtime.ts'
import { type RollbackContext, scenario } from './scenario.ts'
import { waitingNotes } from './waiting.ts'
import { instantText, textOf } from './words.ts'

const DEFAULT = '2h'

/** Turns the gate off for a while: a lease that ends by itself, or until further notice with a ticket. */
export const disable = scenario({
  scenario: 'disable',
  summary: disableText('summary'),
  flags: {
    for: {
      type: 'string',
      value: 'DURATION',
      help: disableText('help_for', { duration: DEFAULT }),
      accepts: (text) => parseDuration(text) !== undefined,
      allowed: '1m - 24h: 30m, 2h, 1h30m',
    },
    'until-further-notice': { type: 'boolean', help: disableText('help_further_notice') },
    'accept-drift': { type: 'boolean', help: disableText('help_accept_drift') },
  },
  problem(args, { ticket }) {
    if (!args['until-further-notice']) return undefined
    if (args.for !== undefined) return disableText('usage_for_or_notice')
    return ticket === undefined ? disableText('usage_ticket') : undefined
  },
  create(context, args) {
    const duration = parseDuration(args.for ?? DEFAULT)!
    const lease = args['until-further-notice'] ? null : duration
    return disableRollback(context, lease, args['accept-drift'])
  },
  // The real gate may be off.
  rehearsal: { before: (env) => setEnv(lastsTill(env, ''), SWITCH, 'true') },
})

const lastsTill = (env: string, until: string): string =>
  envValue(env, LEASE) === undefined ? env : setEnv(env, LEASE, until)

interface Details {
  readonly runtime: RuntimeReference
  readonly edit: FileEdit
  readonly value: string
  readonly key: string
  readonly applied: Expectation
  readonly undone: Expectation
  /** Of an extended lease: the state before the first one, to which the command `undo` goes back. */
  readonly original?: { readonly before: FileState | null; readonly undone: Expectation; readonly id: string }
}

function disableRollback(context: RollbackContext, duration: number | null, acceptDrift: boolean): Rollback<Details> {
  const { system, runtimes, zone, now } = context
  const records = new Records(system, context.folder)

  async function plan(): Promise<Plan<Details> | { already: Text }> {
    const runtime = await runtimes.detect()
    const seen = await runtime.observe()
    const { envFile } = runtime
    const key = duration === null ? SWITCH : LEASE
    if (seen.fixed[key]) throw new Refusal(seen.fixed[key])
    // Of the gate itself there must be one opinion only.
    const undecided = seen.running && seen.drift.some(({ what }) => what === SWITCH || what === LEASE)
    if (undecided || (seen.drift.length > 0 && !acceptDrift))
      throw new Refusal(driftText(envFile, seen.drift), 'npm run rollback-env -- --dry-run')

    const drifted = Object.fromEntries(seen.drift.map(({ what, to }) => [what, to]))
    const read = async () =>
      seen.health ? { ...seen.health.config.effective, ...drifted } : await context.configured(envFile)
    const base = seen.configured ?? (await read())
    const gate = gateOf(base, now())
    if (!gate.effective && gate.until === null) return { already: disableText('already_further_notice') }

    const last = await records.newestInForce('disable')
    if (gate.until !== null && last?.begun.reason === context.reason) {
      return { already: disableText('already_until', { until: instantText(gate.until, zone) }) }
    }
    const until = duration === null ? null : new Date(leaseEnd(now(), duration)).toISOString()
    const value = until ?? 'false'

    const before = await fileState(system, envFile)
    const bytes = before ? await system.readBytes(envFile) : Buffer.alloc(0)
    const { after, shadowed } = edited(bytes, key, value)
    await assertWritable(context, envFile)
    const edit: FileEdit = {
      path: envFile,
      before,
      after: { sha256: sha256(after), mode: before?.mode ?? 0o600 },
    }
    const original = gate.effective ? undefined : originalOf(last, before, base)
    const details: Details = {
      ...{ runtime: runtime.reference, edit, key, value },
      applied: { settings: { [key]: value }, gate: { effective: false, until }, unchanged: without(base, [key]) },
      undone: { settings: pick(base, [SWITCH, LEASE]), gate, unchanged: without(base, [SWITCH, LEASE]) },
      ...(original ? { original } : {}),
    }
    const off = { effective: false, until }
    const view = { zone, running: seen.running }
    const drift = seen.running ? seen.drift : []
    return {
      scenario: 'disable',
      runtime: runtime.kind,
      target: runtime.target,
      changes: [...drift, { what: `${envFile} ${key}`, from: base[key] ?? '', to: value }, gateChange(gate, off, view)],
      changesBack: gateChangesBack(
        envFile,
        { ...base, [key]: value },
        (original?.undone ?? details.undone).settings,
        now(),
        view,
      ),
      commands: [['edit', envFile, `${key}=${value}`], ...runtime.commands()],
      hazards: [
        until === null
          ? disableText('hazard_further_notice')
          : disableText('hazard_lease', { until: instantText(until, zone) }),
        ...weakened(drift, now()),
      ],
      notes: [
        runtime.describe(),
        ...(seen.running ? [] : [disableText('nothing_runs')]),
        ...(drift.length > 0 ? [disableText('drift_stays', { keys: drift.map(({ what }) => what).join(', ') })] : []),
        ...(shadowed.length > 0 ? [disableText('shadowed', { key, lines: shadowed.join(', ') })] : []),
        ...(await waitingNotes(context, seen)),
        ...(gate.effective ? [] : [disableText('extends', { reason: last?.begun.reason ?? '-' })]),
      ],
      outage: runtime.outage,
      observations: [...seen.identity, observedFile(envFile, before)],
      ...(until === null ? {} : { validUntil: until }),
      ...(original ? { carriesOn: original.id } : {}),
      details,
    }
  }

  return {
    scenario: 'disable',
    plan,
    async snapshot({ details: { edit, key, value, runtime, original } }, folder) {
      const bytes = edit.before ? await system.readBytes(edit.path) : Buffer.alloc(0)
      await keepEdit(system, edit, edited(bytes, key, value).after, folder)
      if (original?.before) await keepOriginal(context, original.id, folder)
      await runtimes.open(runtime).snapshot(folder)
    },
    steps: ({ details }, folder) => [configureStep(workOf(context, details, folder))],
    stepsBack({ details }, folder) {
      const work = workOf(context, details, folder)
      const { original } = details
      if (!original) return [configureStep(work)]
      const edit = { ...details.edit, before: original.before }
      const kept = { before: 'env.original', after: 'env.after' }
      return [configureStep({ ...work, edit, kept, undone: original.undone })]
    },
  }
}

function workOf({ system, runtimes }: RollbackContext, details: Details, folder: string): Configure {
  const { edit, applied, undone } = details
  return { system, runtime: runtimes.open(details.runtime), edit, applied, undone, folder }
}

/** A lease in force that was ours and is extended now: the way back leads to before it, not into the middle. */
function originalOf(
  last: RollbackRecord | undefined,
  before: FileState | null,
  base: Readonly<Record<string, string>>,
): Details['original'] {
  if (!last) return undefined
  const { edit, original, undone } = (last.begun.plan as Plan<Details>).details
  if (edit.after.sha256 !== before?.sha256) return undefined
  const unchanged = without(base, [SWITCH, LEASE])
  return {
    id: last.id,
    before: original ? original.before : edit.before,
    undone: { ...(original?.undone ?? undone), unchanged },
  }
}

async function keepOriginal({ system, folder }: RollbackContext, id: string, snapshot: string): Promise<void> {
  const from = snapshotFolder({ folder: join(folder, id) })
  const first = join(from, 'env.original')
  const bytes = await system.readBytes((await system.stat(first)) ? first : join(from, 'env.before'))
  await system.replaceFile(join(snapshot, 'env.original'), bytes)
}

/** `shadowed`: earlier lines of the same key, which stay and have no effect. */
function edited(bytes: Uint8Array, key: string, value: string): { after: Buffer; shadowed: readonly number[] } {
  try {
    const { text, edit } = planEdit(envText(bytes), key, value)
    return { after: envBytes(text), shadowed: edit?.shadowed ?? [] }
  } catch (error) {
    if (error instanceof EnvEditError) throw new Refusal(disableText('cannot_edit', { problem: error.message }))
    throw error
  }
}

async function assertWritable({ system }: RollbackContext, file: string): Promise<void> {
  try {
    await system.assertReplaceable(file)
  } catch (error) {
    throw new Refusal(disableText('cannot_write', { file, problem: textOf(error) }), writeDiagnosis(error, file))
  }
}

const driftText = (file: string, drift: readonly Change[]): Text =>
  disableText('drift', { file, keys: drift.map(({ what, from, to }) => `${what}: ${from} -> ${to}`).join(', ') })

/** What else becomes less safe by the lines that the server reads on this occasion. */
const weakened = (drift: readonly Change[], now: number): Text[] =>
  drift.flatMap(({ what: key, from, to }) => {
    const why = weaker(key, from, to, now)
    return why ? [envSentence('hazard', { key, from, to, why })] : []
  })

const pick = (all: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key)))

const without = (all: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => !keys.includes(key)))
