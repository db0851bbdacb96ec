import type { Lang } from './report/document.ts'
import { hanging, wrap } from './report/wrap.ts'

/** Help is read in terminals of any width, and in pipes. */
const COLUMNS = 80

interface Option {
  /** What the help shows for the value: `DATE`. */
  readonly value?: string
  readonly help: Readonly<Record<Lang, string>>
}

interface Page {
  readonly summary: string
  readonly usage: string
  readonly options: string
  readonly exitCodes: string
}

/** The `--help` of an ops script: summary, usage, its options in one column, exit codes. */
export function optionHelp(page: Page, options: Readonly<Record<string, Option>>, lang: Lang): string {
  const rows = Object.entries(options).map(
    ([name, { value, help }]) => [`  --${name}${value === undefined ? '' : ` ${value}`}  `, help[lang]] as const,
  )
  return helpPage([page.summary, '', page.usage, '', page.options, ...hanging(rows, COLUMNS), '', page.exitCodes])
}

/** What is longer than a line goes on in the next one. */
export const helpPage = (texts: readonly string[]): string =>
  texts
    .flatMap((text) => text.split('\n'))
    .map((line) => `${wrap(line, COLUMNS).join('\n')}\n`)
    .join('')
