import { parseArgs } from 'node:util'
import { EXIT } from '../exit-codes.ts'
import type { Command, Input, Options } from './command.ts'
import { Failure } from './failure.ts'
import type { Messages } from './messages.ts'

export const GLOBAL_OPTIONS: Options = {
  as: { type: 'string' },
  lang: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
}

export interface Selected {
  readonly command: Command
  /** The arguments without the command's name, global options still among them. */
  readonly rest: readonly string[]
}

/** Finds the command: the first words that are not a global option. @throws Failure with the nearest name */
export function selectCommand(
  argv: readonly string[],
  commands: readonly Command[],
  t: Messages,
  self: string,
): Selected {
  let at = 0
  while (argv[at]?.startsWith('-')) at += argv[at] === '--as' || argv[at] === '--lang' ? 2 : 1
  const [first, second] = [argv[at], argv[at + 1]]
  const pair = commands.find((command) => command.name === `${first} ${second}`)
  if (pair) return { command: pair, rest: [...argv.slice(0, at), ...argv.slice(at + 2)] }
  const single = commands.find((command) => command.name === (first ?? ''))
  if (single)
    return { command: single, rest: first === undefined ? argv : [...argv.slice(0, at), ...argv.slice(at + 1)] }
  const group = commands.filter((command) => command.name.startsWith(`${first} `)).map((command) => command.name)
  const everything = commands.find((command) => command.name === '')
  if (group.length > 0 && everything && argv.some((word) => word === '--help' || word === '-h')) {
    return { command: everything, rest: ['--help'] }
  }
  if (group.length > 0)
    throw new Failure(EXIT.USAGE, t.usage.incomplete(String(first), group), `${self} ${first} --help`)
  const names = [...new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] ?? '']))]
  const hint = nearest(String(first), names)
  throw new Failure(EXIT.USAGE, t.usage.unknownCommand(String(first), hint), `${self} --help`)
}

/** Strict: an option that the command does not have is refused. @throws Failure */
export function readArguments({ command, rest }: Selected, t: Messages, self: string): Input {
  const options = { ...GLOBAL_OPTIONS, ...command.options }
  const next = `${self}${command.name && ` ${command.name}`} --help`
  const refuse = (cause: string) => new Failure(EXIT.USAGE, cause, next)
  const { tokens } = parseArgs({ args: [...rest], options, strict: false, tokens: true, allowPositionals: true })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (!option) throw refuse(t.usage.unknownOption(token.rawName, nearest(token.rawName, names(options))))
    if (option.type === 'boolean' && token.value !== undefined) throw refuse(t.usage.takesNoValue(token.rawName))
    if (option.type === 'string' && token.value === undefined) throw refuse(t.usage.needsValue(token.rawName))
    // `--reason --json` is a forgotten value far more often than a value.
    if (option.type === 'string' && !token.inlineValue && token.value?.startsWith('-') && token.value !== '-') {
      throw refuse(t.usage.dashValue(token.rawName, token.value))
    }
  }
  const parsed = parseArgs({ args: [...rest], options, strict: true, allowPositionals: true })
  const values = parsed.values as Input['values']
  const { positionals } = parsed
  const [min, max] = command.words
  if (!values.help && !values.version) {
    if (positionals.length < min) throw refuse(t.usage.missingWord(command.usage))
    if (positionals.length > max) throw refuse(t.usage.extraWord(String(positionals[max]), command.usage))
  }
  return { values, positionals }
}

const names = (options: Options): string[] => Object.keys(options).map((name) => `--${name}`)

/** The candidate that takes the fewest typing mistakes to reach, if they are few enough to be mistakes. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .filter((candidate) => candidate !== '')
    .map((candidate) => ({ candidate, mistakes: distance(word.toLowerCase(), candidate) }))
    .sort(
      (a, b) => a.mistakes - b.mistakes || Number(b.candidate.startsWith(word)) - Number(a.candidate.startsWith(word)),
    )
  const best = ranked[0]
  return best && best.mistakes <= Math.max(2, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= Math.min(a.length, 64); i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
