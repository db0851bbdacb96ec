import type { Approver } from '../report/statistics.ts'
import type { WeeklyApprover, WeeklyFinding, WeeklySummaryData } from '../report/weekly-summary-data.ts'
import { isRubberStamp } from './statistics.ts'

export const weeklyApprover = (approver: Approver): WeeklyApprover => ({
  ...approver,
  is_rubber_stamp: isRubberStamp(approver),
})

const DECIDED = 'npx approval list --status approved'

/** What a person should look at, the most urgent first, each with a command to begin with. */
export function findingsOf({
  approvers,
  tools,
  data_quality,
  risk,
}: Pick<WeeklySummaryData, 'approvers' | 'tools' | 'data_quality'> & {
  /** The command that shows the tools by risk. */
  readonly risk: string
}): WeeklyFinding[] {
  const findings: WeeklyFinding[] = []
  const when = (n: number, finding: Omit<WeeklyFinding, 'facts'> & { readonly facts?: WeeklyFinding['facts'] }) => {
    if (n > 0) findings.push({ ...finding, facts: { n, ...finding.facts } })
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0)
  const past = sum(tools.critical.map(({ while_on }) => while_on))
  const named = { tools: tools.critical.map(({ tool_name }) => tool_name).join(', ') }
  when(past, { code: 'calls_past_gate', state: 'critical', facts: named, command: risk })
  when(sum(approvers.map(({ own }) => own)), { code: 'own_decisions', state: 'critical', command: DECIDED })
  for (const { user_id, fast, timed } of approvers.filter(({ is_rubber_stamp }) => is_rubber_stamp)) {
    const facts = { user: user_id ?? 'NULL', k: fast, n: timed }
    findings.push({ code: 'rubber_stamp', state: 'warning', facts, command: DECIDED })
  }
  const generic = approvers.filter(({ is_generic }) => is_generic)
  when(sum(generic.map(({ decided }) => decided)), {
    ...{ code: 'generic_approvers', state: 'warning', command: 'npx approval users add NAME --role approver' },
    facts: { ids: generic.map(({ user_id }) => user_id ?? 'NULL').join(', ') },
  })
  const whileOff = sum([...tools.ranked, ...tools.few].map(({ while_off }) => while_off))
  when(whileOff, { code: 'calls_while_off', state: 'warning', command: risk })
  const { unknown_status, in_future, unreadable } = data_quality
  const odd = unknown_status + in_future + unreadable
  when(odd, { code: 'odd_rows', state: 'warning', command: 'npx approval audit verify' })
  return findings
}
