import { BrokenFileError } from '../approval/json-file.ts'
import type { Situation } from '../report/contact.ts'
import { LIMITS } from '../report/daily-check-data.ts'
import { type State, worst } from '../report/document.ts'
import {
  FINDINGS,
  type Finding,
  type FindingCode,
  type Size,
  type TimeoutDiagnosisData,
} from '../report/timeout-diagnosis-data.ts'
import { REASONS } from '../report/unanswered.ts'
import { contactFor, readContacts } from './contacts.ts'
import type { JobContext } from './job.ts'

const FULL_CRITICAL_DAYS = 7
const FULL_WARNING_DAYS = 30

/** What each finding means for people, as the runbook divides it. What is not here needs a command, not a call. */
const SITUATION_OF: Partial<Record<FindingCode, Situation>> = {
  decided_twice: 'data_damage',
  server_silent: 'service_down',
  zombies: 'service_down',
  queue_full: 'slow',
  busy: 'slow',
  not_wal: 'data_damage',
  wal_large: 'slow',
  disk_full_soon: 'slow',
}

/** What to type about each reason why nobody answered. */
const COMMANDS = {
  server_down: 'npm run daily-check',
  nobody: 'npx approval watch',
  notified: 'npx approval',
  opened: 'npx approval list --status expired',
  caller_gone: 'npx approval list --status expired',
  too_late: 'grep -n APPROVAL_TIMEOUT .env',
  unknown: 'npx approval list --status expired',
} as const

type Known = Pick<TimeoutDiagnosisData, 'server_answers' | 'timeouts' | 'concurrency' | 'size'>

/** What somebody should look after, the critical first. */
export function findingsOf(known: Known, url: string): Finding[] {
  const found = [...serverFindings(known, url), ...timeoutFindings(known), ...concurrencyFindings(known)]
  if (known.size) found.push(...sizeFindings(known.size))
  const rank = ({ code, state }: Finding) => FINDINGS.indexOf(code) + (state === 'critical' ? 0 : FINDINGS.length)
  return found.sort((a, b) => rank(a) - rank(b))
}

export const verdictOf = (findings: readonly Finding[]): State => worst(['ok', ...findings.map(({ state }) => state)])

function serverFindings({ server_answers }: Known, url: string): Finding[] {
  if (server_answers) return []
  return [{ code: 'server_silent', state: 'critical', facts: { url }, next_command: 'npm start' }]
}

function timeoutFindings({ timeouts, server_answers }: Known): Finding[] {
  if (timeouts === null) return []
  const { zombies, unanswered } = timeouts
  const found: Finding[] = []
  if (zombies.count > 0) {
    const next_command = server_answers ? 'npm run daily-check' : 'npm start'
    const facts = { n: zombies.count, ids: zombies.ids, since_at: zombies.since }
    found.push({ code: 'zombies', state: 'warning', facts, next_command })
  }
  for (const reason of REASONS) {
    const n = unanswered.reasons[reason]
    if (n > 0) found.push({ code: reason, state: 'warning', facts: { n }, next_command: COMMANDS[reason] })
  }
  return found
}

function concurrencyFindings({ concurrency }: Known): Finding[] {
  if (concurrency === null) return []
  const { open, max, decided_twice_total: n, decided_twice: ids, busy_errors, journal_mode } = concurrency
  const found: Finding[] = []
  if (n > 0) {
    const next_command = 'npx approval audit verify'
    found.push({ code: 'decided_twice', state: 'critical', facts: { n, ids }, next_command })
  }
  if (open >= max)
    found.push({ code: 'queue_full', state: 'critical', facts: { open, max }, next_command: 'npx approval' })
  if (busy_errors !== null && busy_errors > 0) {
    const next_command = 'npm run timeout-diagnosis -- --concurrency'
    found.push({ code: 'busy', state: 'warning', facts: { n: busy_errors }, next_command })
  }
  if (journal_mode !== 'wal') {
    found.push({ code: 'not_wal', state: 'warning', facts: { mode: journal_mode }, next_command: 'npm start' })
  }
  return found
}

function sizeFindings({ db_bytes, wal_bytes, days_to_full: days }: Size): Finding[] {
  const found: Finding[] = []
  const { wal_critical_bytes, wal_warning_bytes } = LIMITS
  if (wal_bytes > wal_warning_bytes) {
    const state = wal_bytes > wal_critical_bytes ? 'critical' : 'warning'
    const next_command = 'npm run timeout-diagnosis -- --concurrency'
    found.push({ code: 'wal_large', state, facts: { wal_bytes, db_bytes }, next_command })
  }
  if (days !== null && days < FULL_WARNING_DAYS) {
    const state = days < FULL_CRITICAL_DAYS ? 'critical' : 'warning'
    found.push({ code: 'disk_full_soon', state, facts: { days }, next_command: 'df -h' })
  }
  return found
}

/** The findings, each with whom to call about it. A contacts file that is broken hides no finding. */
export async function withContacts(
  { system, settings }: Pick<JobContext, 'system' | 'settings'>,
  findings: readonly Finding[],
): Promise<Pick<TimeoutDiagnosisData, 'findings' | 'contacts_problem'>> {
  if (findings.every(({ code }) => SITUATION_OF[code] === undefined)) return { findings, contacts_problem: null }
  try {
    const contacts = await readContacts(system, settings.CONTACTS_PATH)
    const named = findings.map((finding) => {
      const situation = SITUATION_OF[finding.code]
      return situation === undefined ? finding : { ...finding, contact: contactFor(contacts, situation) }
    })
    return { findings: named, contacts_problem: null }
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    return { findings, contacts_problem: error.problems[0] ?? error.message }
  }
}
