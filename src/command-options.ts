import { parseArgs } from 'node:util'
import type { Flag, Flags, Job } from './jobs/job.ts'
import { optionHelp } from './option-help.ts'
import { FORMATS, type Format, LANGUAGES, type Lang } from './report/document.ts'
import { isZone } from './report/period.ts'
import { commandWords } from './report/unmeasured.ts'

/** What every job takes, beside its own flags. */
export interface Options {
  readonly help: boolean
  readonly format: Format
  readonly lang: Lang
  readonly zone: string | undefined
  readonly timeoutSeconds: number
  /** The job's own flags. */
  readonly args: Readonly<Record<string, string | boolean | undefined>>
}

/** The sentence for somebody who typed something wrong. */
export interface UsageProblem {
  readonly problem: string
}

const MAX_TIMEOUT = 3600

export const npmRun = (name: string): string => `npm run ${name}`

const commonFlags = (job: Job<Flags>): Record<string, Flag> => {
  const ko = commandWords('ko')
  const en = commandWords('en')
  const formats = { formats: FORMATS.join('|') }
  const languages = { languages: LANGUAGES.join('|') }
  const seconds = { seconds: job.timeoutSeconds }
  return {
    help: { type: 'boolean', help: { ko: ko('help_help'), en: en('help_help') } },
    format: {
      type: 'string',
      value: 'FORMAT',
      help: { ko: ko('help_format', formats), en: en('help_format', formats) },
      accepts: (text) => FORMATS.some((format) => format === text),
      allowed: FORMATS.join(', '),
    },
    lang: {
      type: 'string',
      value: 'LANG',
      help: { ko: ko('help_lang', languages), en: en('help_lang', languages) },
      accepts: (text) => LANGUAGES.some((language) => language === text),
      allowed: LANGUAGES.join(', '),
    },
    tz: {
      type: 'string',
      value: 'ZONE',
      help: { ko: ko('help_tz'), en: en('help_tz') },
      accepts: isZone,
      allowed: 'Asia/Seoul, UTC, ...',
    },
    timeout: {
      type: 'string',
      value: 'SECONDS',
      help: { ko: ko('help_timeout', seconds), en: en('help_timeout', seconds) },
      accepts: (text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MAX_TIMEOUT,
      allowed: `1 - ${MAX_TIMEOUT}`,
    },
  }
}

/** Reads the command line. Unknown options, stray words and values that are not allowed are refused. */
export function parseOptions(job: Job<Flags>, argv: readonly string[], configured: Lang): Options | UsageProblem {
  const flags = { ...commonFlags(job), ...job.flags }
  const command = npmRun(job.name)
  let values: Record<string, string | boolean | undefined>
  try {
    const options = Object.fromEntries(Object.entries(flags).map(([name, { type }]) => [name, { type }]))
    values = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ')
    return { problem: commandWords(configured)('bad_option', { problem, command }) }
  }
  const lang = LANGUAGES.find((language) => language === values.lang) ?? configured
  for (const [option, { accepts, allowed = '' }] of Object.entries(flags)) {
    const value = values[option]
    if (typeof value === 'string' && accepts && !accepts(value)) {
      return { problem: commandWords(lang)('bad_value', { option, value, allowed, command }) }
    }
  }
  return {
    help: values.help === true,
    format: FORMATS.find((format) => format === values.format) ?? 'table',
    lang,
    zone: values.tz as string | undefined,
    timeoutSeconds: values.timeout === undefined ? job.timeoutSeconds : Number(values.timeout),
    args: Object.fromEntries(
      Object.entries(job.flags).map(([name, { type }]) => [
        name,
        values[name] ?? (type === 'boolean' ? false : undefined),
      ]),
    ),
  }
}

export function helpText(job: Job<Flags>, lang: Lang): string {
  const say = commandWords(lang)
  const usage = say('usage', { command: `${npmRun(job.name)} --` })
  const page = { summary: job.summary[lang], usage, options: say('options'), exitCodes: say('exit_codes') }
  return optionHelp(page, { ...job.flags, ...commonFlags(job) }, lang)
}
