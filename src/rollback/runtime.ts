import type { Change, Observation, Text } from './plan.ts'

/**
 * Where the server runs, and how it takes over what its `.env` says. A runtime is found again from its reference
 * after a crash, also when what it refers to is gone by then (a container that was removed and not yet recreated).
 */
export interface Runtime {
  readonly kind: 'compose' | 'process' | 'none'
  /** `process 4711`, `container approval-server`, `no server`. */
  readonly target: string
  /** The file that configures the server: its absolute path. */
  readonly envFile: string
  /** Survives JSON; `Runtimes.open` makes the same runtime of it. */
  readonly reference: RuntimeReference
  /** One sentence: what was found, and by what. */
  describe(): Text
  /** Reads only; bounded by its own deadlines (seconds, not minutes). @throws Refusal when it cannot be acted on */
  observe(): Promise<Observed>
  /** Before an undo begins, where a server that cannot take it over is known beforehand. @throws Refusal */
  assertReady?(): Promise<void>
  /** What `applyConfig` will run, word by word, for the plan. */
  commands(): readonly (readonly string[])[]
  /** Seconds without an answering server, at least and at most. */
  readonly outage: readonly [number, number]
  /** Keeps what `applyConfig` destroys or `restore` needs, as 0600 files in `folder` (0700). */
  snapshot(folder: string): Promise<void>
  /**
   * Makes the running server take over the file as it is now. Idempotent, and puts right what an earlier call left
   * half done. @throws Error with a sentence when the server did not take it over
   */
  applyConfig(): Promise<void>
  /**
   * After the file is as it was: brings back the server that was there (it may be gone), with `snapshot`'s help. A
   * server that ignores it is no failure here: `verifyEffective` judges.
   */
  restore(folder: string): Promise<void>
  /**
   * Proves by the server's own answers that it does what is expected, in a stable way. Where no server runs, and none
   * ran when the plan was made, proves it by reading the configuration as the server will.
   * @throws Error with a sentence that says what is, and what was expected
   */
  verifyEffective(expected: Expectation, signal?: AbortSignal): Promise<void>
  /**
   * Brings a result to the server, which takes it into its record; absent where the server reads the very folder that
   * the engine writes. @throws Error with a sentence
   */
  handOver?(id: string, result: string): Promise<void>
}

/** `kind` tells who reads the rest. */
export type RuntimeReference = { readonly kind: Runtime['kind'] } & Readonly<Record<string, unknown>>

export interface Observed {
  /** What the plan rests on: pid and start time, or container id, image and configuration hash. */
  readonly identity: readonly Observation[]
  /** A server process or container is there and should answer. */
  readonly running: boolean
  /** Where its API answers from here. */
  readonly url?: string
  /** What it says at /health; absent when it does not answer. */
  readonly health: Health | undefined
  /**
   * The text of every setting in a server that starts now, where more than the file decides (compose sets some
   * itself). Absent: the file and the defaults decide.
   */
  readonly configured?: Readonly<Record<string, string>>
  /**
   * Keys that would change besides what is edited, because the server does not do what its file says. Masked.
   * `applyConfig` would bring them into force.
   */
  readonly drift: readonly Change[]
  /** Of a container: what compose would give it now, and what it was given. Not masked: not to be shown as it is. */
  readonly environments?: {
    readonly composed: Readonly<Record<string, string>>
    readonly running: Readonly<Record<string, string>>
  }
  /** Keys of which the file has no say, and why: `set in the server's environment`. */
  readonly fixed: Readonly<Record<string, Text>>
}

/** The part of /health that rollbacks use. */
export interface Health {
  readonly status: string
  readonly pid: number
  readonly started_at: string
  readonly gate: { readonly configured: boolean; readonly effective: boolean; readonly disabled_until: string | null }
  readonly config: {
    readonly loaded_at: string
    readonly error: string | null
    /** The text of every key, as the running server has it. */
    readonly effective: Readonly<Record<string, string>>
    readonly from?: Readonly<Record<string, 'environment' | 'file' | 'default'>>
  }
  /** Requests that wait; `null` when the store does not tell. */
  readonly open: number | null
}

export interface Expectation {
  /** Texts of settings as /health must show them; instants are compared as instants. */
  readonly settings: Readonly<Record<string, string>>
  /** `until`: ISO 8601, `null` = without end (or the gate is on). */
  readonly gate?: { readonly effective: boolean; readonly until: string | null }
  /** Keys (and their texts) that must be as they were. */
  readonly unchanged: Readonly<Record<string, string>>
}

/** How long a server must do well before it is believed. */
export interface Stability {
  /** So many good answers in a row ... */
  readonly answers: number
  /** ... over at least so long, from one and the same process ... */
  readonly overMs: number
  /** ... asked this often ... */
  readonly everyMs: number
  /** ... within this time. */
  readonly withinMs: number
}

export const STABILITY: Stability = { answers: 3, overMs: 7_000, everyMs: 500, withinMs: 90_000 }

/** Finds runtimes; wired in src/rollback-command.ts. */
export interface Runtimes {
  /** The one that serves this configuration. @throws Refusal when there are several, or it cannot be known */
  detect(): Promise<Runtime>
  open(reference: RuntimeReference): Runtime
}

/** One kind of runtime, as the wiring lists them. `detect` answers `undefined` when nothing of its kind is there. */
export interface RuntimeKind {
  readonly kind: Runtime['kind']
  detect(): Promise<Runtime | undefined>
  open(reference: RuntimeReference): Runtime
}
