import { parseArgs } from 'node:util'
import { backupText, backupWords, type Text } from './backup/failure.ts'
import { optionHelp } from './option-help.ts'
import { FORMATS, type Format, LANGUAGES, type Lang } from './report/document.ts'
import { isZone } from './report/period.ts'
import { commandWords } from './report/unmeasured.ts'

export const COMMAND = 'npm run backup'
const VERBS = ['take', 'list', 'verify', 'restore', 'resume'] as const

export interface BackupOptions {
  readonly verb: (typeof VERBS)[number] | 'help'
  /** The backup that is meant. */
  readonly which: string | undefined
  readonly dryRun: boolean
  readonly yes: boolean
  readonly reason: string
  readonly format: Format
  readonly lang: Lang
  readonly zone: string | undefined
  readonly timeoutSeconds: number
}

const TIMEOUT_SECONDS = 1500
const MAX_TIMEOUT = 36_000

const common = (key: 'help_format' | 'help_lang' | 'help_tz' | 'help_help', values: object = {}): Text => {
  const of = (lang: Lang) => (commandWords(lang) as (key: string, values: object) => string)(key, values)
  return { ko: of('ko'), en: of('en') }
}

const OPTIONS = {
  reason: { type: 'string', value: 'TEXT', help: backupText('help_reason', {}) },
  'dry-run': { type: 'boolean', help: backupText('help_dry_run', {}) },
  yes: { type: 'boolean', help: backupText('help_yes', {}) },
  help: { type: 'boolean', help: common('help_help') },
  format: { type: 'string', value: 'FORMAT', help: common('help_format', { formats: FORMATS.join('|') }) },
  lang: { type: 'string', value: 'LANG', help: common('help_lang', { languages: LANGUAGES.join('|') }) },
  tz: { type: 'string', value: 'ZONE', help: common('help_tz') },
  timeout: { type: 'string', value: 'SECONDS', help: backupText('help_timeout', { seconds: TIMEOUT_SECONDS }) },
} as const

export interface Problem {
  readonly problem: Text
  readonly lang: Lang
}

/** Reads the command line; the sentence for somebody who typed something wrong otherwise. */
export function readBackupOptions(argv: readonly string[], configured: Lang): BackupOptions | Problem {
  const parsed = parse(argv)
  if (parsed.problem !== undefined) return { problem: parsed.problem, lang: configured }
  const { values, positionals } = parsed
  const lang = LANGUAGES.find((one) => one === values.lang) ?? configured
  const [word = 'take', which, ...rest] = positionals
  const verb = VERBS.find((one) => one === word)
  const format = values.format ?? 'table'
  const timeout = values.timeout ?? String(TIMEOUT_SECONDS)
  const bad = (option: string, value: string, allowed: string): Problem => ({
    problem: backupText('bad_value', { option, value, allowed }),
    lang,
  })
  if (values.lang !== undefined && values.lang !== lang) return bad('lang', values.lang, LANGUAGES.join(', '))
  if (!FORMATS.some((one) => one === format)) return bad('format', format, FORMATS.join(', '))
  if (values.tz !== undefined && !isZone(values.tz)) return bad('tz', values.tz, 'Asia/Seoul, UTC, ...')
  if (!/^[1-9]\d{0,4}$/.test(timeout) || Number(timeout) > MAX_TIMEOUT) {
    return bad('timeout', timeout, `1 - ${MAX_TIMEOUT}`)
  }
  const options: BackupOptions = {
    verb: values.help ? 'help' : (verb ?? 'take'),
    which,
    dryRun: values['dry-run'] === true,
    yes: values.yes === true,
    reason: values.reason?.trim() ?? '',
    format: format as Format,
    lang,
    zone: values.tz,
    timeoutSeconds: Number(timeout),
  }
  const stray = verb === undefined ? word : (rest[0] ?? (['verify', 'restore'].includes(verb) ? undefined : which))
  const problem = values.help
    ? undefined
    : stray !== undefined
      ? backupText('bad_verb', { verb: stray })
      : missing(options)
  return problem ? { problem, lang } : options
}

function parse(argv: readonly string[]) {
  try {
    const options = Object.fromEntries(Object.entries(OPTIONS).map(([name, { type }]) => [name, { type }]))
    const { values, positionals } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
    return { values: values as Values, positionals }
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ')
    return { problem: backupText('bad_option', { problem }) }
  }
}

type Values = {
  readonly [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string
}

/** A restore needs to be told of what, and why. */
function missing({ verb, which, dryRun, reason }: BackupOptions): Text | undefined {
  if (verb !== 'restore') return undefined
  if (which === undefined) return backupText('which', {})
  return dryRun || (reason.length >= 10 && reason.length <= 2000) ? undefined : backupText('short_reason', {})
}

export function backupHelp(lang: Lang): string {
  const say = backupWords(lang)
  const usage = say('usage', { command: `${COMMAND} --` })
  const page = { summary: say('summary'), usage, options: say('options'), exitCodes: say('exit_codes') }
  return optionHelp(page, OPTIONS, lang)
}
