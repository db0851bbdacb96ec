import { parseArgs } from 'node:util'
import { optionHelp } from './option-help.ts'
import { FORMATS, type Format, LANGUAGES, type Lang } from './report/document.ts'
import { isZone } from './report/period.ts'
import { npmScript } from './rollback/engine.ts'
import type { Text } from './rollback/plan.ts'
import type { Args, Flag, Flags, ScenarioCommand } from './rollback/scenario.ts'
import { rollbackText, rollbackWords } from './rollback/words.ts'

/** What to do, and how; read from the command line. */
export interface RollbackOptions {
  readonly verb: 'apply' | 'undo' | 'resume' | 'status' | 'rehearse' | 'help'
  readonly id: string | undefined
  readonly dryRun: boolean
  readonly yes: boolean
  readonly reason: string
  readonly ticket: string | undefined
  readonly runtime: string | undefined
  readonly format: Format
  readonly lang: Lang
  /** In which people read the times; the team's where it is not said. */
  readonly zone: string | undefined
  readonly timeoutSeconds: number
  /** The scenario's own flags. */
  readonly args: Args<Flags>
}

const TIMEOUT_SECONDS = 300
const MAX_TIMEOUT = 3600
const SHORTEST_REASON = 10
const LONGEST_REASON = 2000

const COMMON = {
  'dry-run': { type: 'boolean', help: rollbackText('help_dry_run') },
  reason: {
    type: 'string',
    value: 'TEXT',
    help: rollbackText('help_reason'),
    accepts: (text) => text.trim().length >= SHORTEST_REASON && text.length <= LONGEST_REASON,
    allowed: `${SHORTEST_REASON} - ${LONGEST_REASON}`,
  },
  ticket: {
    type: 'string',
    value: 'ID',
    help: rollbackText('help_ticket'),
    accepts: (text) => /^\S{1,100}$/.test(text),
  },
  yes: { type: 'boolean', help: rollbackText('help_yes') },
  rehearse: { type: 'boolean', help: rollbackText('help_rehearse') },
  runtime: {
    type: 'string',
    value: 'KIND',
    help: rollbackText('help_runtime'),
    accepts: (text) => ['process', 'compose'].includes(text),
    allowed: 'process, compose',
  },
  format: {
    type: 'string',
    value: 'FORMAT',
    help: rollbackText('help_format', { formats: FORMATS.join('|') }),
    accepts: (text) => FORMATS.some((format) => format === text),
    allowed: FORMATS.join(', '),
  },
  lang: {
    type: 'string',
    value: 'LANG',
    help: rollbackText('help_lang', { languages: LANGUAGES.join('|') }),
    accepts: (text) => LANGUAGES.some((language) => language === text),
    allowed: LANGUAGES.join(', '),
  },
  tz: {
    type: 'string',
    value: 'ZONE',
    help: rollbackText('help_tz'),
    accepts: isZone,
    allowed: 'Asia/Seoul, UTC, ...',
  },
  timeout: {
    type: 'string',
    value: 'SECONDS',
    help: rollbackText('help_timeout', { seconds: TIMEOUT_SECONDS }),
    accepts: (text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MAX_TIMEOUT,
    allowed: `1 - ${MAX_TIMEOUT}`,
  },
  help: { type: 'boolean', help: rollbackText('help_help') },
} as const satisfies Flags

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

/** Reads the command line; the sentence for somebody who typed something wrong otherwise. */
export function readRollbackOptions(
  command: ScenarioCommand,
  argv: readonly string[],
  configured: Lang,
): RollbackOptions | { readonly problem: Text; readonly lang: Lang } {
  const flags: Flags = { ...command.flags, ...COMMON }
  let values: Values
  let words: readonly string[]
  try {
    const options = Object.fromEntries(
      Object.entries(flags).map(([name, { type, multiple }]) => [name, { type, multiple: multiple === true }]),
    )
    const parsed = parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
    values = parsed.values
    words = parsed.positionals
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ')
    return { problem: rollbackText('bad_option', { problem }), lang: configured }
  }
  const lang = LANGUAGES.find((language) => language === values.lang) ?? configured
  const problem = badValue(flags, values) ?? badWords(words)
  if (problem) return { problem, lang }
  const text = (name: string): string | undefined => values[name] as string | undefined
  const [verb = 'apply', id] = words
  const options: RollbackOptions = {
    verb: values.help ? 'help' : values.rehearse ? 'rehearse' : (verb as RollbackOptions['verb']),
    id,
    dryRun: values['dry-run'] === true,
    yes: values.yes === true,
    reason: text('reason')?.trim() ?? '',
    ticket: text('ticket'),
    runtime: text('runtime'),
    format: FORMATS.find((format) => format === values.format) ?? 'table',
    lang,
    zone: text('tz'),
    timeoutSeconds: Number(text('timeout') ?? TIMEOUT_SECONDS),
    args: ownArguments(command.flags, values),
  }
  const wrong = missing(options) ?? command.problem?.(options.args, options)
  return wrong ? { problem: wrong, lang } : options
}

function badValue(flags: Flags, values: Values): Text | undefined {
  for (const [option, flag] of Object.entries(flags)) {
    for (const value of [values[option]].flat()) {
      if (typeof value !== 'string' || !(flag as Flag).accepts || (flag as Flag).accepts?.(value)) continue
      if (option === 'reason') return rollbackText('short_reason')
      return rollbackText('bad_value', { option, value, allowed: flag.allowed ?? '' })
    }
  }
  return undefined
}

function badWords([verb, , ...rest]: readonly string[]): Text | undefined {
  const word = verb !== undefined && !['undo', 'resume', 'status'].includes(verb) ? verb : rest[0]
  return word === undefined ? undefined : rollbackText('unknown_command', { word })
}

/** A change needs its reason; what only looks, practises or finishes does not. */
function missing({ verb, dryRun, reason }: RollbackOptions): Text | undefined {
  const changes = (verb === 'apply' || verb === 'undo') && !dryRun
  return changes && reason === '' ? rollbackText('short_reason') : undefined
}

const ownArguments = (flags: Flags, values: Values): Args<Flags> =>
  Object.fromEntries(
    Object.entries(flags).map(([name, { type, multiple }]) => [
      name,
      values[name] ?? (type === 'boolean' ? false : multiple ? [] : undefined),
    ]),
  ) as Args<Flags>

export function rollbackHelp(command: ScenarioCommand, lang: Lang): string {
  const say = rollbackWords(lang)
  const usage = say('usage', { command: `${npmScript(command.scenario)} --` })
  const page = { summary: command.summary[lang], usage, options: say('options'), exitCodes: say('exit_codes') }
  return optionHelp(page, { ...command.flags, ...COMMON }, lang)
}
