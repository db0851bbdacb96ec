import { parseArgs } from 'node:util'
import { FORMATS, type Format, LANGUAGES, type Lang } from './report/document.ts'
import { commandWords } from './report/unmeasured.ts'

/** The command line of a script that is asked with words: `npm run contacts -- who slow`. */
export interface VerbOptions {
  readonly help: boolean
  readonly format: Format
  readonly lang: Lang
  readonly words: readonly string[]
}

/**
 * @param command `npm run contacts`, for the way out
 * @param configured the language, unless `--lang` says otherwise
 */
export function verbOptions(
  argv: readonly string[],
  command: string,
  configured: Lang,
): VerbOptions | { readonly problem: string } {
  let parsed: ReturnType<typeof taken>
  try {
    parsed = taken(argv)
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ')
    return { problem: commandWords(configured)('bad_option', { problem, command }) }
  }
  const { values, positionals: words } = parsed
  const lang = LANGUAGES.find((one) => one === (values.lang ?? configured))
  const format = FORMATS.find((one) => one === (values.format ?? 'table'))
  const bad = (option: string, value: string, allowed: readonly string[]) => ({
    problem: commandWords(lang ?? configured)('bad_value', { option, value, command, allowed: allowed.join(', ') }),
  })
  if (!lang) return bad('lang', values.lang ?? '', LANGUAGES)
  if (!format) return bad('format', values.format ?? '', FORMATS)
  return { help: values.help === true, format, lang, words }
}

const taken = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: { help: { type: 'boolean' }, format: { type: 'string' }, lang: { type: 'string' } },
    strict: true,
    allowPositionals: true,
  })

/** The options that all of these take, for their help. */
export const VERB_HELP = [`  --format ${FORMATS.join('|')}`, `  --lang ${LANGUAGES.join('|')}`, '  --help']
