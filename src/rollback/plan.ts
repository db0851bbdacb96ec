import type { Lang } from '../report/document.ts'

/** Which of the three. */
export type Scenario = 'disable' | 'cli' | 'env'

/** A sentence in both languages; the catalogue makes it. */
export type Text = Readonly<Record<Lang, string>>

/** One fact that the plan rests on. Apply refuses when any has changed since: the plan is stale. */
export interface Observation {
  /** e.g. `.env sha256`, `container id`, `HEAD`. */
  readonly what: string
  readonly value: string
}

/** One change, as it is shown before and checked after. Secrets appear as `set (hmac:8hex)` only. */
export interface Change {
  readonly what: string
  readonly from: string
  readonly to: string
  /** How people read it, where that is more than the bare values. */
  readonly shown?: { readonly what: Text; readonly from: Text; readonly to: Text }
}

/**
 * What will be done, as plain data: printed by the dry run, kept in the journal, executed by the real run, and enough
 * to build the same steps again after a crash. `details` belongs to the scenario and must survive JSON.
 */
export interface Plan<Details = unknown> {
  readonly scenario: Scenario
  readonly runtime: 'compose' | 'process' | 'none'
  /** What is acted on: a container, a process id, a file. */
  readonly target: string
  readonly changes: readonly Change[]
  /** What an undo changes, where that is not the same the other way round. */
  readonly changesBack?: readonly Change[]
  /** The exact commands that will run, in order; a file edit names itself. */
  readonly commands: readonly (readonly string[])[]
  /** What becomes less safe, in words. Empty when nothing does. */
  readonly hazards: readonly Text[]
  /** What becomes less safe when it is undone. */
  readonly hazardsBack?: readonly Text[]
  readonly notes: readonly Text[]
  /** Seconds without an answering server, at least and at most. */
  readonly outage: readonly [number, number]
  readonly observations: readonly Observation[]
  /** ISO 8601: from then on a run that was cut off is taken back, not finished (the lease it was to begin is over). */
  readonly validUntil?: string
  /** The rollback that this one carries on: an undo of this takes that back, too. */
  readonly carriesOn?: string
  readonly details: Details
}

/**
 * One step. `apply` and `undo` are idempotent: after a crash they run again from wherever they were. Both throw an
 * Error with a sentence when they fail. `verify` observes the world anew and throws when the effect is not there.
 */
export interface Step {
  readonly id: string
  readonly title: Text
  /** `mark` keeps a line in the journal for a moment inside the step worth knowing after a crash. */
  apply(mark: Mark): Promise<void>
  /** Reads only; may be left early by `signal`. */
  verify(signal?: AbortSignal): Promise<void>
  undo(mark: Mark): Promise<void>
  /** Observes that `undo` had its effect; throws when not. */
  verifyUndone(signal?: AbortSignal): Promise<void>
  /** Before `undo` is offered as a command: the world is still as this step left it. @throws Refusal */
  assertUndoable?(): Promise<void>
}

export type Mark = (moment: string) => Promise<void>

/** Something failed, in words for people. */
export class Failure extends Error {
  readonly text: Text
  constructor(text: Text) {
    super(text.en)
    this.name = 'Failure'
    this.text = text
  }
}

/** Refused before anything was changed: exit 2. `next` is the command to type then, where there is one. */
export class Refusal extends Failure {
  readonly next: string | undefined
  constructor(text: Text, next?: string) {
    super(text)
    this.name = 'Refusal'
    this.next = next
  }
}

/** A rollback: plans from what it observes, and builds the plan's steps, also from a plan read back from a journal. */
export interface Rollback<Details = unknown> {
  readonly scenario: Scenario
  /**
   * Reads only. Called again under the lock: then its observations must be the same, else the plan is stale.
   * @throws Refusal
   */
  plan(): Promise<Plan<Details> | Already>
  /** Keeps in `folder` (0700; files 0600) all that the steps' `undo` needs. Changes nothing else. */
  snapshot(plan: Plan<Details>, folder: string): Promise<void>
  /** `folder` is that of `snapshot`. */
  steps(plan: Plan<Details>, folder: string): readonly Step[]
  /**
   * The steps that the command `undo` takes back, where they are not those of `steps` (an extended lease goes back to
   * before the first one).
   */
  stepsBack?(plan: Plan<Details>, folder: string): readonly Step[]
}

/** Nothing to do: exit 0, with this sentence. */
export interface Already {
  readonly already: Text
}
