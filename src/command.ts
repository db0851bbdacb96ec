import { helpText, npmRun, type Options, parseOptions } from './command-options.ts'
import { type Config, ConfigError, configOf, type Settings } from './config.ts'
import { createContext, DeadlineError } from './context.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { type Args, BadArgument, type Flags, type Job, type Outcome } from './jobs/job.ts'
import { keepAndTell } from './keep-report.ts'
import { languageOf } from './lenient-config.ts'
import type { Lang, Screen, State } from './report/document.ts'
import { printable } from './report/printable.ts'
import { render } from './report/render.ts'
import { causeOf, commandWords, remedyOf, unmeasured } from './report/unmeasured.ts'
import { ReaderError } from './sql.ts'
import { realSystem } from './system/real.ts'

/** What a main hands over: `process` itself, or a test's own. */
export interface Io {
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Output & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Output
  /** The frozen instant of the run; the clock's when absent. */
  readonly now?: number
  /** Ends a run that hangs on after its deadline. */
  readonly exit?: (code: ExitCode) => void
}

interface Output {
  write(text: string): unknown
  on?(event: 'error', listener: (error: Error) => void): unknown
}

const CODES: Readonly<Record<State, ExitCode>> = {
  ok: EXIT.OK,
  warning: EXIT.WARNING,
  critical: EXIT.CRITICAL,
  unknown: EXIT.UNKNOWN,
  not_configured: EXIT.UNKNOWN,
}
/** After its deadline a run may tidy up for so long; then it is ended. */
const GRACE_MS = 1000

/**
 * What every ops main calls: parses, loads the configuration, runs the job, prints its report on stdout and nothing
 * else there. The last line on stderr of a failure is "cause. next command".
 * @returns the exit code
 */
export async function command<F extends Flags>(job: Job<F>, io: Io): Promise<ExitCode> {
  // A reader that goes away early (`| head`) is no failure of ours.
  io.stdout.on?.('error', (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  })
  const config = configOf(io.env)
  const options = parseOptions(job, io.argv.slice(2), languageOf(io.env))
  if ('problem' in options) return fail(io, EXIT.USAGE, options.problem)
  if (options.help) {
    io.stdout.write(helpText(job, options.lang))
    return EXIT.OK
  }
  if (config instanceof ConfigError) {
    for (const problem of config.problems) io.stderr.write(`${printable(problem)}\n`)
    const n = config.problems.length
    const again = { n, file: '.env', command: npmRun(job.name) }
    return fail(io, EXIT.BAD_CONFIG, commandWords(options.lang)('bad_config', again))
  }
  try {
    return await print(io, options, await finished(job, io, config, options), config.settings)
  } catch (error) {
    return explain(error, job, io, options)
  }
}

/** The job's outcome, or DeadlineError, whichever is first. */
async function finished<F extends Flags>(job: Job<F>, io: Io, config: Config, options: Options): Promise<Outcome> {
  const timeoutMs = options.timeoutSeconds * 1000
  const deadline = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      deadline.abort()
      reject(new DeadlineError())
    }, timeoutMs)
  })
  const { settings } = config
  const context = createContext({
    settings,
    env: io.env,
    zone: options.zone ?? settings.OPS_TIMEZONE,
    now: io.now ?? Date.now(),
    timeoutMs,
    signal: deadline.signal,
  })
  try {
    return await Promise.race([job.run(context, options.args as Args<F>), passed])
  } catch (error) {
    if (!(error instanceof ReaderError)) throw error
    return unreadable(job.name, error)
  } finally {
    clearTimeout(timer)
  }
}

function unreadable(name: string, error: ReaderError): Outcome {
  const failure = (lang: Lang) => `${causeOf(error, lang)}. ${remedyOf(error)}`
  return { report: unmeasured(name, error), verdict: 'unknown', failure }
}

async function print(io: Io, options: Options, outcome: Outcome, settings: Settings): Promise<ExitCode> {
  const { report, keep, verdict, failure } = outcome
  const { lang } = options
  const { stdout, stderr } = io
  stdout.write(render(report, options.format, lang, screenOf(io)))
  const done = keep && (await keepAndTell({ report, keep }, settings, { system: realSystem, lang }))
  if (done?.kept) stderr.write(`${printable(done.said)}\n`)
  if (failure) stderr.write(`${printable(failure(lang))}\n`)
  // A report that is not kept must not pass for one with an ordinary warning.
  return done?.kept === false ? fail(io, EXIT.UNKNOWN, done.said) : CODES[verdict]
}

function explain(error: unknown, job: Job<Flags>, io: Io, options: Options): ExitCode {
  const say = commandWords(options.lang)
  const again = npmRun(job.name)
  if (error instanceof DeadlineError) {
    setTimeout(() => io.exit?.(EXIT.DEADLINE), GRACE_MS).unref()
    const seconds = options.timeoutSeconds
    return fail(io, EXIT.DEADLINE, say('deadline', { seconds, more: Math.min(seconds * 2, 3600), command: again }))
  }
  if (error instanceof BadArgument) {
    const { option, value, allowed } = error
    return fail(io, EXIT.USAGE, say('bad_value', { option, value, allowed, command: again }))
  }
  const { stack, message } = error instanceof Error ? error : new Error(String(error))
  for (const line of (stack ?? '').split('\n')) io.stderr.write(`${printable(line)}\n`)
  return fail(io, EXIT.UNKNOWN, say('fault', { message, command: again }))
}

function fail(io: Io, code: ExitCode, sentence: string): ExitCode {
  io.stderr.write(`${printable(sentence)}\n`)
  return code
}

/** Pipes get plain text of 80 columns, so that the same data gives the same bytes wherever it runs. */
export function screenOf({ stdout, env }: Pick<Io, 'stdout' | 'env'>): Screen {
  const isTerminal = stdout.isTTY === true
  const colour = isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  const columns = isTerminal ? (stdout.columns ?? 80) : 80
  return { colour, columns: Math.min(Math.max(columns, 40), 120) }
}
