import { rollbacksPath, serverUrl } from '../config.ts'
import type { CheckName, Finding } from '../report/daily-check-data.ts'
import { type Lang, worst } from '../report/document.ts'
import { preflightDocument, preflightFailure, preflightWords } from '../report/preflight.ts'
import {
  type Evidence,
  type EvidenceKey,
  ITEMS,
  type ItemName,
  itemState,
  type PreflightData,
  STEPS,
} from '../report/preflight-data.ts'
import { attested } from './attestations.ts'
import { attempt, finding, iso, unmeasured } from './check.ts'
import { checkDrill, drillFinding } from './check-drill.ts'
import { gateFinding, policyFinding, settingRows, settingsFinding } from './check-gate.ts'
import { readRecords } from './check-records.ts'
import { checkRollbacks } from './check-rollbacks.ts'
import { checkServer } from './check-server.ts'
import { type JobContext, job } from './job.ts'
import { recentCopy } from './preflight-backup.ts'
import {
  configuredGate,
  environment,
  impostors,
  people,
  proof,
  type SettingsFile,
  scheduled,
} from './preflight-checks.ts'
import { commandLine, type Programs, planOf, rehearsals, SCENARIOS, sqliteShell } from './preflight-programs.ts'

/** What this check needs beside what every job gets. */
export interface PreflightWorld {
  readonly settingsFile: SettingsFile
  readonly programs: Programs
  /** Where people's attestations and the key that signs them are. */
  readonly attestations: { readonly file: string; readonly keyFile: string }
}

const EACH = 10_000
const PROGRAM = 40_000
const AGAIN = { next: 'npm run preflight' }

/** What it does, and the other way to call it. */
const summary = (lang: Lang): string => `${preflightWords(lang)('summary')}\n\n${preflightWords(lang)('attest_usage')}`

/** The guide's steps 1 to 3 and its checklist of ten. Changes nothing; the drill aside. */
export const preflight = (world: PreflightWorld) =>
  job({
    name: 'preflight',
    summary: { ko: summary('ko'), en: summary('en') },
    flags: {
      'no-drill': {
        type: 'boolean',
        help: { ko: preflightWords('ko')('help_no_drill'), en: preflightWords('en')('help_no_drill') },
      },
    },
    timeoutSeconds: 120,
    async run(context, args) {
      const data = await look(context, world, args['no-drill'])
      return {
        report: { schema: 'ops.preflight.v1', data, document: (lang) => preflightDocument(data, lang) },
        verdict: data.verdict,
        ...(data.verdict !== 'ok' && { failure: (lang) => preflightFailure(data, lang) }),
      }
    },
  })

async function look(context: JobContext, world: PreflightWorld, noDrill: boolean): Promise<PreflightData> {
  const evidence = await gather(context, world, noDrill)
  const itemsOf = (names: readonly ItemName[]) =>
    names.map((item) => ({ item, state: itemState(evidence[item]), evidence: evidence[item] }))
  const steps = itemsOf(STEPS)
  const items = itemsOf(ITEMS)
  const verdict = worst([...steps, ...items].map(({ state }) => state))
  return { now: iso(context.now)!, zone: context.zone, verdict, steps, items }
}

type Gathered = Readonly<Record<ItemName, readonly Evidence[]>>

async function gather(context: JobContext, world: PreflightWorld, noDrill: boolean): Promise<Gathered> {
  const { settings, system } = context
  const { programs, attestations } = world
  const started = performance.now()
  // First what is timed; then what loads the machine.
  const server = await checkServer(system, serverUrl(settings), () => context.now + performance.now() - started)
  const drilled = noDrill ? null : await attempt(EACH, () => checkDrill(context, system.newId()))
  const { health } = server
  const records = await readRecords(context, EACH)
  const rollbacks = await attempt(EACH, () => checkRollbacks(system, rollbacksPath(settings), context.now))
  const disabled = rollbacks.done ? rollbacks.value.disabled : null
  const began = records.desk?.firstEvent ?? null
  const { gateOff: off, unapproved } = records
  const ran = unapproved?.calls_total ?? null
  const gate = gateFinding({ settings, health, off, ran, began, disabled, now: context.now, zone: context.zone })
  const drill = drilled === null ? finding('drill.skipped', 'skipped', {}) : drillOf(drilled, gate)
  const spoof = await guarded(EACH, () => impostors(context))
  const [tool, ...plans] = await Promise.all([
    guarded(PROGRAM, () => commandLine(context, programs)),
    ...SCENARIOS.map((scenario) => guarded(PROGRAM, () => planOf(context, programs, scenario))),
  ])
  const rehearsed = await attempt(EACH, () => rehearsals(context))
  const vouched = (item: 'training' | 'contacts') => guarded(EACH, () => attested(system, attestations, item, context))
  const clean = environment(world.settingsFile)
  return {
    step_environment: [clean, of(settingsFinding(settingRows({ settings, health }), health))],
    step_service: [of(server.finding), of(policyFinding(health))],
    step_function: [of(records.database), of(drill), spoof],
    environment: [configuredGate(context)],
    backup: [await guarded(EACH, () => recentCopy(context))],
    rollbacks: [...plans, ...(rehearsed.done ? rehearsed.value : [failed(rehearsed.error)])],
    training: [await vouched('training')],
    cli: [tool],
    queries: [
      records.yesterday === null
        ? proof('sql.failed', 'critical', {}, { next: records.database.next_command })
        : proof('sql.works', 'ok', { total: records.yesterday.day.total }),
      await guarded(EACH, () => sqliteShell(context)),
    ],
    daily_check: [await guarded(EACH, () => scheduled(context, 'daily-check'))],
    daily_report: [await guarded(EACH, () => scheduled(context, 'daily-report'))],
    contacts: [await guarded(EACH, () => people(context)), await vouched('contacts')],
    gate: [of(gate), of(drill)],
  }
}

function drillOf(tried: Awaited<ReturnType<typeof attempt<Awaited<ReturnType<typeof checkDrill>>>>>, gate: Finding) {
  if (!tried.done) return unmeasured('drill', tried)
  return 'check' in tried.value ? tried.value : drillFinding(tried.value, gate)
}

/** What the daily check found out is evidence here. */
const of = ({ check, code, state, facts, next_command }: Finding): Evidence => ({
  key: (isGeneral(code) ? code : `${check satisfies CheckName}.${code}`) as EvidenceKey,
  ...{ state, facts, at: null, next_command },
})
const isGeneral = (code: string): boolean => code === 'failed' || code === 'deadline'

/** One that fails or takes too long hides no other. */
async function guarded(limitMillis: number, work: () => Promise<Evidence> | Evidence): Promise<Evidence> {
  const tried = await attempt(limitMillis, work)
  if (tried.done) return tried.value
  if (tried.error === 'deadline') return proof('deadline', 'unknown', { limit_millis: limitMillis }, AGAIN)
  return failed(tried.error)
}

const failed = (error: Error | 'deadline'): Evidence =>
  proof('failed', 'unknown', { message: error === 'deadline' ? error : error.message }, AGAIN)
