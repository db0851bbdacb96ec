import type { Lang } from '../report/document.ts'
import type { System } from '../system/system.ts'
import type { Rollback, Scenario, Text } from './plan.ts'
import type { Runtimes, Stability } from './runtime.ts'

/** An option of one scenario's own, beside those that all rollbacks have. */
export interface Flag {
  readonly type: 'boolean' | 'string'
  /** May be given several times: then `string[]`. */
  readonly multiple?: true
  /** What the help shows for the value: `DURATION`. */
  readonly value?: string
  readonly help: Readonly<Record<Lang, string>>
  /** False refuses the value (64); `allowed` says what is accepted. */
  readonly accepts?: (text: string) => boolean
  readonly allowed?: string
}
export type Flags = Readonly<Record<string, Flag>>

/** `false`, absent or empty where the option was not given. */
export type Args<F extends Flags> = {
  readonly [Name in keyof F]: F[Name]['type'] extends 'boolean'
    ? boolean
    : F[Name]['multiple'] extends true
      ? readonly string[]
      : string | undefined
}

/** One setting, as far as rollbacks must know it. */
export interface Setting {
  readonly key: string
  readonly fallback: string
  /** Only a start reads it; a reload keeps the old value. */
  readonly startOnly: boolean
}

/** What a rollback gets of the world. */
export interface RollbackContext {
  readonly system: System
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The team's zone, for what people read. */
  readonly zone: string
  /** The project's folder. */
  readonly root: string
  /** Where the records are: `data/rollbacks`. */
  readonly folder: string
  /** Why; '' in a dry run and where none was given. */
  readonly reason: string
  readonly ticket: string | undefined
  readonly runtimes: Runtimes
  /** How a program that we start finds the server, as we do: by its address and what our own environment sets. */
  readonly server: { readonly url: string; readonly env: Readonly<Record<string, string>> }
  readonly stability: Stability
  /** In a rehearsal: the throwaway folder. What is not configured by `.env` is copied there before it is acted on. */
  readonly copy?: string
  /** Every setting there is. */
  readonly settings: readonly Setting[]
  /** The text of every setting that this file alone gives, defaults included. @throws Error with every problem */
  readonly configured: (envFile: string) => Promise<Readonly<Record<string, string>>>
  /** An approver's token, to read what waits; `undefined` where there is none. */
  readonly token: () => Promise<string | undefined>
}

/** One of the three, as its ops file hands it to `rollbackCommand`. */
export interface ScenarioCommand<F extends Flags = Flags> {
  readonly scenario: Scenario
  readonly summary: Text
  readonly flags: F
  /** Two flags that exclude each other, and the like: the sentence for exit 64. */
  problem?(args: Args<F>, given: { readonly ticket: string | undefined }): Text | undefined
  create(context: RollbackContext, args: Args<F>): Rollback
  /**
   * What makes the copy of `.env` one on which there is something to do, for a rehearsal: before its server starts,
   * and after. The text has one character per byte. Absent: the scenario cannot be rehearsed.
   */
  readonly rehearsal?: { readonly before?: (env: string) => string; readonly after?: (env: string) => string }
}

/** Ties the flags' types to the arguments of `create`. */
export const scenario = <const F extends Flags>(command: ScenarioCommand<F>): ScenarioCommand<F> => command

/** Thrown when a flag's value can be judged only together with the world: exit 64. */
export class BadUsage extends Error {
  readonly text: Text
  constructor(text: Text) {
    super(text.en)
    this.name = 'BadUsage'
    this.text = text
  }
}
