import { levelOf, nameOf, needsApproval, type Policy } from './policy.ts'
import type { Named, Rule } from './ranking.ts'
import type { Level } from './request.ts'

const ruleOf = (rule: Rule<Level>) => ({ rule: nameOf(rule), level: rule.value, line: rule.line })

/** Which rule decides on the level of a tool, and which others fit and come after it. */
export function explainLevel(policy: Policy, call: Named) {
  const [first, ...others] = policy.levels.all(call)
  const level = levelOf(policy, call)
  return {
    ...{ server: call.server, tool: call.tool, level, needs_approval: needsApproval(level) },
    decided_by: first ? ruleOf(first) : null,
    also_fit: others.map(ruleOf),
  }
}

export interface RecordedCalls extends Named {
  readonly calls: number
}

/**
 * How many approvals the recorded calls would have cost under another policy. What was LOW or MEDIUM left no record:
 * for tools that change from that the cost is not known, and is not guessed.
 * @param days that the record covers
 */
export function forecast(now: Policy, next: Policy, recorded: readonly RecordedCalls[], days: number) {
  const perDay = (level: Level, calls: number) => (needsApproval(level) ? calls / days : 0)
  const levels = (call: Named) => ({ from: levelOf(now, call), to: levelOf(next, call) })
  const tools = recorded.map(({ server, tool, calls }) => {
    const { from, to } = levels({ server, tool })
    return { server, tool, calls, from, to, before: perDay(from, calls), after: perDay(to, calls) }
  })
  const known = new Map(
    [...now.names, ...next.names, ...recorded].map((call) => [JSON.stringify([call.server, call.tool]), call]),
  )
  const unknown = [...known.values()]
    .map(({ server, tool }) => ({ server, tool, ...levels({ server, tool }) }))
    .filter(({ from, to }) => !needsApproval(from) && needsApproval(to))
  const sum = (of: 'before' | 'after') => tools.reduce((total, tool) => total + tool[of], 0)
  tools.sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || b.calls - a.calls)
  return { before: sum('before'), after: sum('after'), tools, unknown }
}
