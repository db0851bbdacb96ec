import type { Span } from './daily-report-data.ts'

/** How risky a tool looks: how often approvers said no, and whether it ran without anybody having been asked. */
export interface ToolRisk {
  readonly tool_name: string
  /** What it was last called under; null where that is not recorded. */
  readonly level: string | null
  readonly requests: number
  /** approved + rejected */
  readonly decided: number
  readonly rejected: number
  /** Of rejected/decided, the Wilson 95 % interval, 0 to 1; null without a decision. */
  readonly low: number | null
  readonly high: number | null
  /** `low` x the weight of the level; null below ten decisions: too few to be ranked. */
  readonly score: number | null
  /** Calls that ran without a request while the gate was off, by the record. */
  readonly while_off: number
  /** The same while the gate was on: there must be none. */
  readonly while_on: number
}

export interface ToolRisks {
  /** From ten decisions on, the riskiest first. */
  readonly ranked: readonly ToolRisk[]
  /** Fewer than ten decisions, the most decided first: no percentage and no rank. */
  readonly few: readonly ToolRisk[]
  /** Those of both that ran without a request while the gate was on. */
  readonly critical: readonly ToolRisk[]
}

/** The data of `--risk`: what JSON prints. */
export interface ToolRiskData extends Span, ToolRisks {
  readonly now: string
  readonly zone: string
  readonly days: number
  readonly verdict: 'ok' | 'critical'
}
