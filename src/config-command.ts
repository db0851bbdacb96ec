import { randomUUID } from 'node:crypto'
import { type Io, screenOf } from './command.ts'
import { type Config, ConfigError, envFileAt, KEYS, type Key, RULES } from './config.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { lenientConfig, problemOf } from './lenient-config.ts'
import { helpPage } from './option-help.ts'
import { compareFailure, compareReport, compareState, compareWords } from './report/config-compare.ts'
import type { Lang } from './report/document.ts'
import { printable } from './report/printable.ts'
import { render } from './report/render.ts'
import { shellWord } from './report/unmeasured.ts'
import { compareConfig } from './rollback/env-compare.ts'
import { masker } from './rollback/mask.ts'
import { Refusal } from './rollback/plan.ts'
import { STABILITY } from './rollback/runtime.ts'
import { wireRuntimes } from './rollback-runtimes.ts'
import { realSystem } from './system/real.ts'
import { VERB_HELP, type VerbOptions, verbOptions } from './verb-options.ts'

/** `-- --help` is added to it. */
const COMMAND = 'npm run config'

/** `npm run config -- compare`. It also works on an `.env` that no server would take: that is what it is for. */
export async function configCommand(io: Io): Promise<ExitCode> {
  io.stdout.on?.('error', (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  })
  const config = lenientConfig(io.env)
  const options = verbOptions(io.argv.slice(2), COMMAND, config.settings.OPS_LANG)
  if ('problem' in options) return say(io, EXIT.USAGE, options.problem)
  if (options.help) {
    io.stdout.write(help(options.lang))
    return EXIT.OK
  }
  const verb = options.words.join(' ')
  if (verb !== 'compare') return say(io, EXIT.USAGE, compareWords(options.lang)('bad_verb', { verb: verb || '-' }))
  try {
    return await compare(io, config, options)
  } catch (error) {
    if (error instanceof ConfigError) {
      return say(io, EXIT.BAD_CONFIG, `${error.message}. ls -ld ${shellWord(config.envFile)}`)
    }
    if (!(error instanceof Refusal)) throw error
    return say(io, EXIT.UNKNOWN, `${error.text[options.lang]}. ${error.next ?? 'npm run daily-check'}`)
  }
}

async function compare(io: Io, config: Config, { format, lang }: VerbOptions): Promise<ExitCode> {
  const system = realSystem
  const runtimes = wireRuntimes({ system, config, stability: STABILITY, only: undefined, env: io.env })
  const runtime = await runtimes.detect()
  const seen = await runtime.observe()
  const data = compareConfig({
    ...{ runtime, seen, file: envFileAt(runtime.envFile) },
    settings: KEYS.map((key) => ({ key, fallback: RULES[key].fallback, startOnly: RULES[key].fixed === true })),
    invalid: (key, value) => problemOf(key as Key, value),
    // Thrown away with this process: nobody can try values out against what is printed.
    mask: masker(randomUUID(), new Set<string>(KEYS)),
  })
  io.stdout.write(render(compareReport(data), format, lang, screenOf(io)))
  const failure = compareFailure(data, lang)
  if (failure) say(io, EXIT.WARNING, failure)
  return { ok: EXIT.OK, warning: EXIT.WARNING, unknown: EXIT.UNKNOWN }[compareState(data)]
}

function help(lang: Lang): string {
  const words = compareWords(lang)
  return helpPage([words('summary'), '', words('usage'), ...VERB_HELP, '', words('exit_codes')])
}

function say(io: Io, code: ExitCode, sentence: string): ExitCode {
  io.stderr.write(`${printable(sentence)}\n`)
  return code
}
