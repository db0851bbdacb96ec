import type { ko as daily } from './catalogue/daily-check.ko.ts'
import type { ko } from './catalogue/preflight.ko.ts'
import type { CheckState, Fact, Facts } from './daily-check-data.ts'
import { type State, worst } from './document.ts'
import type { Names } from './words.ts'

/** The guide's three steps and its checklist of ten, in its order. */
export const STEPS = ['step_environment', 'step_service', 'step_function'] as const
export const ITEMS = [
  'environment',
  'backup',
  'rollbacks',
  'training',
  'cli',
  'queries',
  'daily_check',
  'daily_report',
  'contacts',
  'gate',
] as const
export type ItemName = (typeof STEPS)[number] | (typeof ITEMS)[number]

/** What only people can know. */
export const ATTESTED = ['training', 'contacts'] as const
export type AttestedItem = (typeof ATTESTED)[number]

/** The catalogues share the sentences of what the daily check looks at, too. */
export type EvidenceKey = Extract<keyof typeof ko | keyof typeof daily, `${string}.${string}`> | 'failed' | 'deadline'

type Sentence<K extends EvidenceKey> = K extends keyof typeof ko
  ? (typeof ko)[K]
  : K extends keyof typeof daily
    ? (typeof daily)[K]
    : never
export type EvidenceFacts<K extends EvidenceKey> = { readonly [N in Names<Sentence<K>>]: Fact }

/** One thing that was looked at. */
export interface Evidence {
  /** The catalogue's sentence. */
  readonly key: EvidenceKey
  readonly state: CheckState
  readonly facts: Facts
  /** ISO 8601: how old what it rests on is; null where it was looked at just now. */
  readonly at: string | null
  readonly next_command: string | null
}

export interface PreflightItem {
  readonly item: ItemName
  readonly state: State
  readonly evidence: readonly Evidence[]
}

/** The data of the report: what JSON prints. */
export interface PreflightData {
  readonly now: string
  readonly zone: string
  readonly verdict: State
  readonly steps: readonly PreflightItem[]
  readonly items: readonly PreflightItem[]
}

/** The worst of its evidence. What somebody asked not to look at, or what is not set up, is not proven. */
export function itemState(evidence: readonly Evidence[]): State {
  return worst(evidence.map(({ state }) => (state === 'skipped' || state === 'not_configured' ? 'unknown' : state)))
}
