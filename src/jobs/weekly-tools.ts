import { reportQueries } from '../queries.ts'
import { ENOUGH } from '../report/numbers.ts'
import type { Period } from '../report/period.ts'
import type { ToolRisk, ToolRisks } from '../report/tool-risk-data.ts'
import { wilson } from '../report/wilson.ts'
import { fromSqlTime, type ReadTransaction } from '../sql.ts'
import { bounds } from './statistics.ts'

/** What became of one tool's requests in a period. Those of several periods can be given to `risksOf` together. */
export interface ToolTally {
  readonly tool_name: string
  readonly level: string | null
  readonly requests: number
  readonly approved: number
  readonly rejected: number
  readonly while_off: number
  readonly while_on: number
}

/** @param off when the gate was off in the period */
export function readTools(tx: ReadTransaction, period: Period, off: readonly Period[]): ToolTally[] {
  const tools = tx
    .all(reportQueries.toolsDecided, bounds(period))
    .map((row): ToolTally => ({ ...row, while_off: 0, while_on: 0 }))
  return [...tools, ...readCallsWithoutRequest(tx, period, off)]
}

function readCallsWithoutRequest(tx: ReadTransaction, period: Period, off: readonly Period[]): ToolTally[] {
  const calls = new Map<string, { level: string | null; while_off: number; while_on: number }>()
  for (const { at, tool, level } of tx.each(reportQueries.callsWithoutRequest, bounds(period))) {
    const name = tool ?? ''
    const found = calls.get(name) ?? { level, while_off: 0, while_on: 0 }
    const instant = fromSqlTime(at)
    if (off.some(({ from, until }) => from <= instant && instant < until)) found.while_off += 1
    else found.while_on += 1
    calls.set(name, found)
  }
  return [...calls].map(([tool_name, call]) => ({ tool_name, requests: 0, approved: 0, rejected: 0, ...call }))
}

/** How much a no weighs: a level that is not recorded weighs as much as that of a tool the policy does not name. */
const WEIGHTS: Readonly<Record<string, number>> = { LOW: 1, MEDIUM: 2, HIGH: 3, CRITICAL: 4 }

/** @param tallies the oldest first: the last level on record counts */
export function risksOf(tallies: readonly ToolTally[]): ToolRisks {
  const byName = new Map<string, ToolTally>()
  for (const tally of tallies) {
    const before = byName.get(tally.tool_name)
    byName.set(tally.tool_name, before ? sum(before, tally) : tally)
  }
  const tools = [...byName.values()].map(risk)
  tools.sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || b.decided - a.decided || compare(a.tool_name, b.tool_name))
  return {
    ranked: tools.filter(({ score }) => score !== null),
    few: tools.filter(({ score }) => score === null),
    critical: tools.filter(({ while_on }) => while_on > 0),
  }
}

const sum = (a: ToolTally, b: ToolTally): ToolTally => ({
  tool_name: a.tool_name,
  level: b.level ?? a.level,
  requests: a.requests + b.requests,
  approved: a.approved + b.approved,
  rejected: a.rejected + b.rejected,
  while_off: a.while_off + b.while_off,
  while_on: a.while_on + b.while_on,
})

function risk({ tool_name, level, requests, approved, rejected, while_off, while_on }: ToolTally): ToolRisk {
  const decided = approved + rejected
  const interval = wilson(rejected, decided)
  const weight = WEIGHTS[level ?? ''] ?? WEIGHTS.HIGH!
  return {
    ...{ tool_name, level, requests, decided, rejected },
    ...{ low: interval?.low ?? null, high: interval?.high ?? null },
    score: interval === null || decided < ENOUGH ? null : interval.low * weight,
    ...{ while_off, while_on },
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
