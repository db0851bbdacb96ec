import { gateAt } from '../approval/gate.ts'
import { BrokenFileError } from '../approval/json-file.ts'
import { KEYS, serverUrl } from '../config.ts'
import { ledgerQueries } from '../queries.ts'
import { SITUATIONS } from '../report/contact.ts'
import { addDays, dateIn, instantAt } from '../report/period.ts'
import type { Evidence, EvidenceFacts, EvidenceKey } from '../report/preflight-data.ts'
import { remedyOf, shellWord } from '../report/unmeasured.ts'
import { SCHEDULE } from '../schedule/table.ts'
import { fromSqlTime, ReaderError } from '../sql.ts'
import { iso } from './check.ts'
import { readContacts } from './contacts.ts'
import type { JobContext } from './job.ts'

/** `at`: how old what it rests on is, ISO 8601; of this very moment when absent. */
export const proof = <K extends EvidenceKey>(
  key: K,
  state: Evidence['state'],
  facts: EvidenceFacts<K> & Evidence['facts'],
  { next = null, at = null }: { readonly next?: string | null; readonly at?: string | null } = {},
): Evidence => ({ key, state, facts, at, next_command: next })

/** The settings file as it was read: wrong types and ranges have ended the run before this. */
export interface SettingsFile {
  readonly path: string
  readonly isThere: boolean
  /** Duplicates and keys that nothing reads, each with its line. */
  readonly warnings: readonly string[]
}

export function environment({ path, isThere, warnings }: SettingsFile): Evidence {
  const next = `vi ${shellWord(path)}`
  if (warnings.length > 0) return proof('environment.remarks', 'warning', { remarks: warnings }, { next })
  if (!isThere) return proof('environment.default', 'warning', { file: path }, { next: 'cp .env.example .env' })
  return proof('environment.clean', 'ok', { keys: KEYS.length, file: path })
}

export const configuredGate = (context: JobContext): Evidence =>
  gateAt(context.settings, context.now).on
    ? proof('environment.gate_on', 'ok', {})
    : proof(
        'environment.gate_off',
        'critical',
        {},
        { next: 'grep -nE "APPROVAL_(WORKFLOW_ENABLED|DISABLED_UNTIL)" .env' },
      )

/** What the old system let through: a name without proof, and the key that stood in its source. */
const IMPOSTORS: readonly (readonly [what: string, headers: Readonly<Record<string, string>>])[] = [
  ['X-User-ID', { 'x-user-id': 'admin_user' }],
  ['approval-admin-001', { authorization: 'Bearer approval-admin-001', 'x-api-key': 'approval-admin-001' }],
]

/** Knocks as an impostor at a door that only reads. */
export async function impostors({ system, settings }: Pick<JobContext, 'system' | 'settings'>): Promise<Evidence> {
  const url = `${serverUrl(settings)}/api/approvals/pending`
  for (const [what, headers] of IMPOSTORS) {
    const answer = await system.http({ url, headers, timeoutMs: 3000 })
    if (!answer.answered)
      return proof('spoof.unmeasured', 'unknown', { message: answer.message }, { next: 'npm start' })
    const { status } = answer
    if (status >= 200 && status < 300) {
      return proof('spoof.accepted', 'critical', { what, status }, { next: 'grep -n APPROVAL_TRUST_USER_HEADER .env' })
    }
    if (status !== 401)
      return proof('spoof.unmeasured', 'unknown', { message: `HTTP ${status}` }, { next: 'npm run daily-check' })
  }
  return proof('spoof.refused', 'ok', {})
}

/** Scheduler and cron look at the schedule every few minutes, and note it. */
const TICK_MS = 15 * 60_000

/** Whether somebody looks after the schedule and knows this job, and when it runs next. */
export function scheduled(context: JobContext, name: string): Evidence {
  const { settings, reader: open } = context
  const { heartbeat, checkKnown } = ledgerQueries
  const next = 'npm run schedule -- show'
  try {
    const reader = open({ file: settings.OPS_DB_PATH, queries: [heartbeat, checkKnown], busyMs: 1000 })
    try {
      const { beat, known } = reader.read((tx) => ({
        beat: tx.one(heartbeat, {}),
        known: tx.one(checkKnown, { job: name }),
      }))
      if (!beat) return proof('schedule.never', 'critical', {}, { next })
      const at = iso(fromSqlTime(beat.at))
      if (context.now - fromSqlTime(beat.at) > TICK_MS) {
        return proof('schedule.stopped', 'critical', {}, { next, at })
      }
      if (!known) return proof('schedule.unknown_job', 'critical', {}, { next, at })
      return proof('schedule.alive', 'ok', { next_at: iso(nextRun(context, name)) }, { at })
    } finally {
      reader.close()
    }
  } catch (error) {
    if (!(error instanceof ReaderError)) throw error
    if (error.code === 'missing') return proof('schedule.never', 'critical', {}, { next })
    const { code: cause, file: path, detail } = error
    return proof('schedule.unmeasured', 'unknown', { cause, path, detail }, { next: remedyOf(error) })
  }
}

function nextRun({ now: at, settings: { OPS_TIMEZONE: zone } }: JobContext, name: string): number {
  const job = SCHEDULE.find((one) => one.name === name)!
  const today = dateIn(at, zone)
  const due = (days: number) => instantAt(addDays(today, days), job.at, zone)
  return due(0) > at ? due(0) : due(1)
}

export async function people({ system, settings }: Pick<JobContext, 'system' | 'settings'>): Promise<Evidence> {
  try {
    const { withoutPhone } = await readContacts(system, settings.CONTACTS_PATH)
    if (withoutPhone.length === 0) return proof('people.complete', 'ok', { situations: SITUATIONS.length })
    return proof(
      'people.no_phone',
      'warning',
      { roles: withoutPhone },
      { next: `vi ${shellWord(settings.CONTACTS_PATH)}` },
    )
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    return proof('people.broken', 'critical', { problem: error.problems[0]! }, { next: 'npm run contacts -- who' })
  }
}
