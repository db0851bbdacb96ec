import type { Lang } from './report/document.ts'
import { displayWidth, pad } from './report/printable.ts'
import { wrap } from './report/wrap.ts'

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

const COLUMNS = 80

/** The `--help` of an ops script: summary, usage, its options in one column, exit codes. */
export function optionHelp(page: Page, options: Readonly<Record<string, Option>>, lang: Lang): string {
  const rows = Object.entries(options).map(
    ([name, { value, help }]) => [`  --${name}${value === undefined ? '' : ` ${value}`}`, help[lang]] as const,
  )
  const width = Math.max(...rows.map(([left]) => displayWidth(left))) + 2
  const column = rows.flatMap(([left, right]) =>
    wrap(right, COLUMNS - width).map((line, i) => pad(i === 0 ? left : '', width) + line),
  )
  const lines = (text: string) => text.split('\n').flatMap((line) => wrap(line, COLUMNS))
  const { summary, usage, options: heading, exitCodes } = page
  return `${[...lines(summary), '', ...lines(usage), '', heading, ...column, '', ...lines(exitCodes)].join('\n')}\n`
}
