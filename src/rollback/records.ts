import { join } from 'node:path'
import type { ProcessIdentity, System } from '../system/system.ts'
import type { Change, Plan, Scenario, Text } from './plan.ts'

/** `plan.json`: it lies there from the moment on at which the world may change. */
export interface Begun {
  readonly id: string
  readonly scenario: Scenario
  readonly kind: 'apply' | 'undo'
  /** Of an undo: the id of what it takes back. */
  readonly of?: string
  readonly started_at: string
  readonly by: string
  readonly host: string
  readonly process: ProcessIdentity
  readonly reason: string
  readonly ticket?: string
  readonly plan: Plan
}

/** One line of `journal.jsonl`. */
export interface Entry {
  readonly at: string
  readonly what: What
  readonly step?: string
  /** A moment inside a step, or why something failed. */
  readonly detail?: string
}
export type What =
  | 'begun'
  | 'applying'
  | 'moment'
  | 'applied'
  | 'verified'
  | 'failed'
  | 'taking-back'
  | 'undoing'
  | 'undone'
  | 'resumed'
  | 'finished'

/** `result.json`: the last word on a rollback. The server takes it over into the record of all events. */
export interface Result {
  readonly id: string
  readonly scenario: Scenario
  readonly kind: 'apply' | 'undo'
  readonly undoes?: string
  readonly outcome: 'done' | 'restored' | 'uncertain'
  readonly exit_code: 0 | 1 | 3
  readonly started_at: string
  readonly finished_at: string
  readonly by: string
  readonly host: string
  readonly reason: string
  readonly ticket?: string
  readonly until?: string
  readonly target: string
  readonly runtime: Plan['runtime']
  readonly changes: readonly Change[]
  readonly summary: Text
}

export interface RollbackRecord {
  readonly id: string
  readonly folder: string
  readonly begun: Begun
  readonly result: Result | undefined
}

const ID = /^\d{8}T\d{6}Z-[a-z0-9-]{1,60}$/

/** Reads what lies under `data/rollbacks`. Writes nothing. */
export class Records {
  readonly folder: string
  readonly #system: System

  constructor(system: System, folder: string) {
    this.#system = system
    this.folder = folder
  }

  /** Oldest first. Folders without a plan never changed anything and are not listed. */
  async all(): Promise<readonly RollbackRecord[]> {
    const ids = (await this.#system.list(this.folder)).filter((name) => ID.test(name))
    const found = await Promise.all(ids.map((id) => this.find(id)))
    // Two ids of one second are in no order.
    return found
      .filter((record) => record !== undefined)
      .sort((a, b) => Date.parse(a.begun.started_at) - Date.parse(b.begun.started_at))
  }

  async find(id: string): Promise<RollbackRecord | undefined> {
    const folder = join(this.folder, id)
    const begun = ID.test(id) ? await this.#json<Begun>(join(folder, 'plan.json')) : undefined
    if (!begun) return undefined
    return { id, folder, begun, result: await this.#json<Result>(join(folder, 'result.json')) }
  }

  async unfinished(): Promise<RollbackRecord | undefined> {
    return (await this.all()).findLast((record) => record.result === undefined)
  }

  /** What a plain `undo` takes back: the newest that was done and is in force. */
  async newestInForce(scenario: Scenario): Promise<RollbackRecord | undefined> {
    const all = await this.all()
    const undone = undoneBy(all)
    return all.findLast(
      ({ id, begun, result }) =>
        begun.scenario === scenario && begun.kind === 'apply' && result?.exit_code === 0 && !undone.has(id),
    )
  }

  /** The undo that took it back, if one did. */
  async undoOf(id: string): Promise<RollbackRecord | undefined> {
    return undoneBy(await this.all()).get(id)
  }

  /** Lines that a crash cut off are left out. */
  async journal(id: string): Promise<readonly Entry[]> {
    const path = join(this.folder, id, 'journal.jsonl')
    if (!(await this.#system.stat(path))) return []
    const lines = (await this.#system.readText(path)).split('\n')
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Entry]
      } catch {
        return []
      }
    })
  }

  async #json<T>(path: string): Promise<T | undefined> {
    if (!(await this.#system.stat(path))) return undefined
    return JSON.parse(await this.#system.readText(path)) as T
  }
}

/** What is taken back, and by which undo: that of an extended lease takes back all that it carries on. */
export function undoneBy(all: readonly RollbackRecord[]): ReadonlyMap<string, RollbackRecord> {
  const undone = new Map<string, RollbackRecord>()
  for (const undo of all) {
    if (undo.result?.exit_code !== 0) continue
    let id = undo.begun.of
    while (id !== undefined) {
      undone.set(id, undo)
      const of = id
      id = all.find((record) => record.id === of)?.begun.plan.carriesOn
    }
  }
  return undone
}

export const snapshotFolder = (record: { readonly folder: string }): string => join(record.folder, 'snapshot')
