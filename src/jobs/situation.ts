import { BrokenFileError } from '../approval/json-file.ts'
import type { Situation } from '../report/contact.ts'
import type { CheckName, DailyCheckData, Finding } from '../report/daily-check-data.ts'
import { contactFor, readContacts } from './contacts.ts'
import type { JobContext } from './job.ts'

/** What each finding means for people, as the runbook divides it. What is not here needs a command, not a call. */
const SITUATION_OF: Partial<Record<CheckName, Readonly<Record<string, Situation>>>> = {
  server: {
    refused: 'service_down',
    silent: 'service_down',
    dripping: 'service_down',
    status: 'service_down',
    foreign: 'service_down',
    broken: 'service_down',
    unreachable: 'service_down',
    degraded: 'service_down',
    flaky: 'slow',
    slow: 'slow',
  },
  // The desk answers, and does not do its work.
  drill: { failed: 'service_down', no_answer: 'service_down' },
  database: { no_file: 'data_damage', foreign: 'data_damage', wal: 'slow' },
  audit: { broken: 'data_damage', unrecorded: 'data_damage', empty: 'data_damage' },
  rejections: { mass: 'mass_rejections' },
}

/** A database that cannot be read is damaged, held, or somebody else's: by the cause that the reader gave. */
const CAUSES: Readonly<Record<string, Situation>> = {
  missing: 'data_damage',
  empty: 'data_damage',
  corrupt: 'data_damage',
  not_a_database: 'data_damage',
  io: 'data_damage',
  locked: 'slow',
}

/** Whom a finding calls for; undefined when nobody needs to be called. */
export function situationOf({ check, state, code, facts }: Finding): Situation | undefined {
  if (state !== 'warning' && state !== 'critical' && state !== 'unknown') return undefined
  if (check === 'database' && code === 'unreadable') return CAUSES[String(facts.cause)]
  return SITUATION_OF[check]?.[code]
}

/** The findings, each with whom to call about it. A contacts file that is broken hides no finding. */
export async function withContacts(
  { system, settings }: Pick<JobContext, 'system' | 'settings'>,
  findings: readonly Finding[],
): Promise<Pick<DailyCheckData, 'checks' | 'contacts_problem'>> {
  if (findings.every((finding) => situationOf(finding) === undefined)) {
    return { checks: findings, contacts_problem: null }
  }
  try {
    const contacts = await readContacts(system, settings.CONTACTS_PATH)
    const checks = findings.map((finding) => {
      const situation = situationOf(finding)
      return situation === undefined ? finding : { ...finding, contact: contactFor(contacts, situation) }
    })
    return { checks, contacts_problem: null }
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    return { checks: findings, contacts_problem: error.problems[0] ?? error.message }
  }
}
