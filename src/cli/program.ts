import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Config, ConfigError, configOf, credentialsPath, ROOT, serverUrl } from '../config.ts'
import { EXIT } from '../exit-codes.ts'
import { printable, printableLines } from '../report/printable.ts'
import { readArguments, selectCommand } from './args.ts'
import { createClient } from './client.ts'
import { type Command, type Context, type Input, text } from './command.ts'
import { COMMANDS } from './commands.ts'
import { exitOf, Interrupted, nextOf, sentenceOf } from './explain.ts'
import { Failure } from './failure.ts'
import { commandHelp, overallHelp } from './help.ts'
import { identify } from './identity.ts'
import { isLanguage, LANGUAGES, type Messages } from './messages.ts'
import type { Terminal } from './terminal.ts'

/** What the program has of the process that it runs in. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly terminal: Terminal
  /** Aborted with an Interrupted when the process is told to end. */
  readonly signal: AbortSignal
  /** How a person starts this program again. */
  readonly self: string
}

/** Runs one command line. Resolves with the exit code; whatever went wrong has been said on stderr. */
export async function runProgram(args: string[], around: Surroundings): Promise<number> {
  const { env, terminal, self } = around
  const config = configOf(env)
  let t: Messages = LANGUAGES[languageOf(args, config, env)]
  const settings = config instanceof ConfigError ? { OPS_TIMEZONE: 'UTC' } : config.settings
  let command: Command | undefined
  try {
    const selected = selectCommand(args[0] === 'help' ? [...args.slice(1), '--help'] : args, COMMANDS, t, self)
    command = selected.command
    const input = readArguments(selected, t, self)
    const lang = text(input, 'lang')
    if (lang !== undefined && !isLanguage(lang)) throw new Failure(EXIT.USAGE, t.usage.oneOf('--lang', 'ko, en'))
    if (lang !== undefined) t = LANGUAGES[lang]
    if (input.values.version) terminal.out(version())
    else if (input.values.help) terminal.out(helpFor(command, t, self))
    else {
      if (config instanceof ConfigError)
        throw new Failure(EXIT.BAD_CONFIG, badConfig(config, t, terminal), 'npm run config -- compare')
      return await command.run(contextFor(around, command, input, config, t), input)
    }
    return EXIT.OK
  } catch (error) {
    return fail(error, t, settings, around, args, command?.name)
  }
}

function contextFor(around: Surroundings, command: Command, input: Input, { settings }: Config, t: Messages): Context {
  const { env, terminal, signal, self } = around
  const identity = identify(
    {
      as: text(input, 'as'),
      token: env.APPROVAL_TOKEN,
      fallback: command.defaultUser,
      path: credentialsPath(settings),
    },
    t,
  )
  const client = createClient({ url: serverUrl(settings), token: identity.token, signal })
  return { t, settings, client, identity, terminal, signal, self }
}

/** The last line on stderr: the cause, and the command that helps. */
function fail(
  error: unknown,
  t: Messages,
  settings: { OPS_TIMEZONE: string },
  { terminal, self }: Surroundings,
  args: readonly string[],
  command: string | undefined,
): number {
  terminal.restore()
  const known = error instanceof Failure || error instanceof Interrupted || (error as Error)?.name === 'ServerError'
  const exit = exitOf(error)
  if (!known && exit === 70) terminal.err(printableLines(String((error as Error)?.stack ?? error)))
  const next = nextOf(error, self, args, command)
  terminal.err(`${sentenceOf(error, t, settings)}${next ? ` ${next}` : ''}`)
  return exit
}

function badConfig({ problems }: ConfigError, t: Messages, terminal: Terminal): string {
  for (const problem of problems.slice(0, -1)) terminal.err(printable(problem))
  return `${t.badConfig}: ${problems.at(-1)}.`
}

/** Needed before the arguments are known to be right: what is wrong with them is said in this language. */
function languageOf(args: readonly string[], config: Config | ConfigError, env: NodeJS.ProcessEnv): 'ko' | 'en' {
  const at = args.findIndex((word) => word === '--lang' || word.startsWith('--lang='))
  const given = at < 0 ? undefined : args[at] === '--lang' ? args[at + 1] : args[at]?.slice('--lang='.length)
  if (isLanguage(given)) return given
  if (!(config instanceof ConfigError)) return config.settings.OPS_LANG
  return isLanguage(env.OPS_LANG) ? env.OPS_LANG : 'ko'
}

const helpFor = (command: Command, t: Messages, self: string): string =>
  command.name === '' ? overallHelp(COMMANDS, t, nameOf(self)) : commandHelp(command, t, nameOf(self))

/** Help is for reading: a path there would be noise. */
const nameOf = (program: string): string => (program.startsWith('npx ') ? program : basename(program, '.js'))

const version = (): string => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version
