import type { Action, DailyReportData } from '../report/daily-report-data.ts'
import type { RestoreResult } from '../report/restore-result.ts'
import { shellWord } from '../report/unmeasured.ts'

type Known = Pick<
  DailyReportData,
  'since_last_report' | 'gate' | 'administrative_acts' | 'data_quality' | 'calendar' | 'date'
> & {
  /** Requests that wait for a decision now, whenever they were asked. */
  readonly openNow: number
}

/** What needs action, the most urgent first, each with a command to begin with. */
export function actionsOf(known: Known): Action[] {
  const { since_last_report, gate, administrative_acts, data_quality, openNow } = known
  const { totals, approvers } = since_last_report
  const actions: Action[] = []
  const when = (n: number, action: Omit<Action, 'facts'> & { readonly facts?: Action['facts'] }): void => {
    if (n > 0) actions.push({ ...action, facts: { n, ...action.facts } })
  }
  if (gate.off_now) actions.push(gateAction(gate.off_now))
  const elsewhere = administrative_acts.filter(({ type }) => type === 'changed_elsewhere').length
  when(elsewhere, { code: 'changed_elsewhere', state: 'critical', command: 'npx approval audit verify' })
  const failed = failedRollbacks(administrative_acts)
  actions.push(...failed.filter(({ state }) => state === 'critical'))
  for (const { restored } of administrative_acts) if (restored) actions.push(restoreAction(restored))
  const own = approvers.reduce((sum, approver) => sum + approver.own, 0)
  when(own, { code: 'own_decisions', state: 'critical', command: 'npx approval list --status approved' })
  actions.push(...failed.filter(({ state }) => state === 'warning'))
  const everyCall = `npm run -s daily-report -- --date ${known.date} --format json`
  when(gate.calls_total, { code: 'unapproved_calls', state: 'warning', command: everyCall })
  when(openNow, { code: 'open_requests', state: 'warning', command: 'npx approval' })
  when(totals.unanswered, { code: 'unanswered', state: 'warning', command: 'npx approval list --status expired' })
  const generic = approvers.filter(({ is_generic }) => is_generic)
  when(
    generic.reduce((sum, { decided }) => sum + decided, 0),
    {
      ...{ code: 'generic_approvers', state: 'warning', command: 'npx approval users add NAME --role approver' },
      facts: { ids: generic.map(({ user_id }) => user_id ?? 'NULL').join(', ') },
    },
  )
  for (const { user_id, fast, timed } of approvers.filter(({ is_rubber_stamp }) => is_rubber_stamp)) {
    const facts = { user: user_id ?? 'NULL', k: fast, n: timed }
    actions.push({ code: 'fast_approver', state: 'warning', facts, command: 'npx approval list --status approved' })
  }
  const odd = data_quality.odd_rows + data_quality.in_future + data_quality.unreadable
  when(odd, { code: 'odd_rows', state: 'warning', command: 'npx approval audit verify' })
  const isCritical = ({ state }: Action) => Number(state === 'critical')
  return [...actions, ...calendarActions(known)].sort((a, b) => isCritical(b) - isCritical(a))
}

/** Without a calendar nobody knows what was out of hours: that is said, and asked for. */
function calendarActions({ calendar, date }: Known): Action[] {
  const { path, missing, problems, day } = calendar
  const state = 'warning'
  if (missing) return [{ code: 'calendar_missing', state, facts: { path }, command: `ls -l ${shellWord(path)}` }]
  const command = `vi ${shellWord(path)}`
  const [first] = problems
  if (first !== undefined) {
    return [{ code: 'calendar_invalid', state, facts: { n: problems.length, first }, command }]
  }
  if (day?.kind !== 'unknown') return []
  return [{ code: 'calendar_year', state, facts: { year: date.slice(0, 4), path }, command }]
}

/**
 * Of each kind of rollback what failed since one of it was done, if only to be tried again. One that was resumed stands
 * there twice: its last word counts.
 */
function failedRollbacks(acts: Known['administrative_acts']): Action[] {
  const last = new Map(acts.flatMap(({ about, rollback }) => (rollback ? [[about, rollback] as const] : [])))
  const scenarios = new Set([...last.values()].map(({ scenario }) => scenario))
  return [...scenarios].flatMap((scenario): Action[] => {
    const own = [...last].filter(([, rollback]) => rollback.scenario === scenario)
    const failed = own.slice(own.findLastIndex(([, { outcome }]) => outcome === 'done') + 1)
    const [id, rollback] = failed.findLast(([, { outcome }]) => outcome === 'uncertain') ?? failed.at(-1) ?? []
    if (!rollback) return []
    const { kind, by, outcome } = rollback
    const facts = { n: 1, scenario: kind === 'undo' ? `${scenario} undo` : scenario, by }
    const command = `npm run rollback-${scenario} -- status ${id}`
    return outcome === 'uncertain'
      ? [{ code: 'uncertain_rollback', state: 'critical', facts, command }]
      : [{ code: 'failed_rollback', state: 'warning', facts, command }]
  })
}

/** Whoever asked or decided in the time that is lost knows more than the record does. */
function restoreAction({ taken_at, started_at, by, reason, aside }: RestoreResult): Action {
  const command = aside === null ? 'npm run backup -- list' : `ls -l ${shellWord(aside)}`
  return { code: 'restored', state: 'warning', facts: { taken_at, lost_until_at: started_at, by, reason }, command }
}

function gateAction({ since, until }: NonNullable<DailyReportData['gate']['off_now']>): Action {
  const command = "grep -nE 'APPROVAL_(WORKFLOW_ENABLED|DISABLED_UNTIL)' .env"
  if (until === null) return { code: 'gate_off_now', state: 'critical', facts: { since_at: since }, command }
  return { code: 'gate_leased_now', state: 'critical', facts: { since_at: since, until_at: until }, command }
}
