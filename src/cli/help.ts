import { EXIT } from '../exit-codes.ts'
import { hanging, wrap } from '../report/wrap.ts'
import { GLOBAL_OPTIONS } from './args.ts'
import type { Command } from './command.ts'
import type { Messages } from './messages.ts'

/** Help is read in terminals of any width, and in pipes. */
const COLUMNS = 80

/** What stands for an option's value. */
const PLACEHOLDER: Readonly<Record<string, string>> = {
  ...{ as: 'USER', lang: 'LANG', args: 'JSON', 'args-file': 'FILE', reason: 'WHY', server: 'NAME', timeout: 'S' },
  ...{ format: 'FORMAT', status: 'STATUS', limit: 'N', role: 'ROLE', name: 'NAME', head: 'SEQ:HASH', weeks: 'N' },
}

/** Codes that every command may end with. */
const COMMON_EXITS: readonly (readonly [number, keyof Messages['exits']])[] = [
  [EXIT.USAGE, 'usage'],
  [EXIT.UNREACHABLE, 'unreachable'],
  [EXIT.NOT_PERMITTED, 'notPermitted'],
  [EXIT.BAD_CONFIG, 'badConfig'],
]

export function overallHelp(commands: readonly Command[], t: Messages, self: string): string {
  const { help } = t
  return [
    `${help.usage}: ${self} [COMMAND] [...]`,
    '',
    ...wrap(help.intro, COLUMNS),
    '',
    `${help.commands}:`,
    ...rows(commands.map(({ name }) => [name || '-', help.command[name] ?? ''])),
    '',
    `${help.options}:`,
    ...optionRows(GLOBAL_OPTIONS, t),
    '',
    `${help.examples}:`,
    ...commands.flatMap(({ examples }) => examples.slice(0, 1)).map((example) => `  ${self} ${example}`),
    '',
    help.more(self),
  ].join('\n')
}

export function commandHelp(command: Command, t: Messages, self: string): string {
  const { help } = t
  const exits = Object.entries(command.exits).map(([code, key]) => [Number(code), key] as const)
  return [
    `${help.usage}: ${[self, command.name, command.usage].filter(Boolean).join(' ')} [...]`,
    '',
    ...wrap(`${help.command[command.name]}. ${help.identity(command.defaultUser)}`, COLUMNS),
    '',
    `${help.options}:`,
    ...optionRows({ ...command.options, ...GLOBAL_OPTIONS }, t),
    '',
    `${help.examples}:`,
    ...command.examples.map((example) => `  ${self} ${example}`),
    '',
    `${help.exitCodes}:`,
    ...rows([...exits, ...COMMON_EXITS].sort(([a], [b]) => a - b).map(([code, key]) => [String(code), t.exits[key]])),
  ].join('\n')
}

function optionRows(options: Command['options'], { help }: Messages): string[] {
  return rows(
    Object.entries(options).map(([name, { short }]) => {
      const value = PLACEHOLDER[name] ? ` ${PLACEHOLDER[name]}` : ''
      return [`${short ? `-${short}, ` : ''}--${name}${value}`, help.option[name] ?? '']
    }),
  )
}

const rows = (pairs: readonly (readonly [string, string])[]): string[] =>
  hanging(
    pairs.map(([name, text]) => [`  ${name}  `, text]),
    COLUMNS,
  )
