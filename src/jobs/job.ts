import type { Settings } from '../config.ts'
import type { Lang, Report, State } from '../report/document.ts'
import type { Reader } from '../sql.ts'
import type { System } from '../system/system.ts'
import type { Containers } from './containers.ts'

/** An option of one job's own, beside those that all have. */
export interface Flag {
  readonly type: 'boolean' | 'string'
  /** What the help shows for the value: `DATE`. */
  readonly value?: string
  readonly help: Readonly<Record<Lang, string>>
  /** False refuses the value; `allowed` says what is accepted. */
  readonly accepts?: (text: string) => boolean
  readonly allowed?: string
}
export type Flags = Readonly<Record<string, Flag>>

/** `false` or absent where the option was not given. */
export type Args<F extends Flags> = {
  readonly [Name in keyof F]: F[Name]['type'] extends 'boolean' ? boolean : string | undefined
}

/** What a job gets of the world: one frozen instant, the zone, the settings, and hands to read with. */
export interface JobContext {
  /** Milliseconds since 1970. The whole run happens at this instant. */
  readonly now: number
  readonly zone: string
  readonly settings: Settings
  readonly system: System
  readonly containers: Containers
  /** Aborted when the run's own deadline passes. */
  readonly signal: AbortSignal
  /**
   * Opens a database for reading: `security.db` with the statements of the reports, unless said otherwise.
   * @throws ReaderError
   */
  reader(options?: ReaderRequest): Reader
}

export interface ReaderRequest {
  readonly file?: string
  readonly queries?: Iterable<{ readonly file: string; readonly sql: string }>
  readonly busyMs?: number
}

/** An argument that only the run itself can judge. The command ends with exit code 64. */
export class BadArgument extends Error {
  readonly option: string
  readonly value: string
  readonly allowed: string
  constructor(option: string, value: string, allowed: string) {
    super(`--${option} ${value}: allowed: ${allowed}`)
    this.name = 'BadArgument'
    this.option = option
    this.value = value
    this.allowed = allowed
  }
}

/**
 * A report that is to be kept as `<period>-<name>` under data/reports. A job never writes: src/keep-report.ts does.
 */
export interface Keep {
  readonly name: string
  /** `2026-11-22`, `2026-W48` */
  readonly period: string
  /**
   * What the report accounts for, out of its data (also as it comes back from JSON): only a change of these is a new
   * revision. The rest tells of the moment of writing.
   */
  readonly figures: (data: object) => object
}

export interface Outcome {
  readonly report: Report
  readonly keep?: Keep
  /** Decides the exit code: 0 ok, 1 warning, 2 critical, 3 could not measure. */
  readonly verdict: State
  /** The last line on stderr, "cause. next command", where the verdict is not the whole story. */
  readonly failure?: (lang: Lang) => string
}

/**
 * One unit of work that returns data. It never prints, never writes and never ends the process. A ReaderError that it
 * does not catch becomes a report that says what could not be read.
 */
export interface Job<F extends Flags = Flags> {
  /** `daily-report`: the name of its npm script, its ops file and its schema. */
  readonly name: string
  readonly summary: Readonly<Record<Lang, string>>
  readonly flags: F
  /** The deadline of a run, unless `--timeout` says otherwise. */
  readonly timeoutSeconds: number
  run(context: JobContext, args: Args<F>): Promise<Outcome>
}

/** Ties the flags' types to the arguments of `run`. */
export const job = <const F extends Flags>(definition: Job<F>): Job<F> => definition
