import { parseArgs } from 'node:util'
import { FORMATS, type Format, LANGUAGES, type Lang } from '../report/document.ts'
import type { Trigger } from './ledger.ts'

export type Command =
  | { readonly name: 'keep' | 'help' | 'show' | 'run-due' }
  | { readonly name: 'next'; readonly count: number }
  | { readonly name: 'history'; readonly count: number; readonly job: string | null }
  | { readonly name: 'run'; readonly job: string }

export interface Arguments {
  readonly command: Command
  readonly format: Format
  readonly lang: Lang
  readonly by: Trigger
}

const OPTIONS = {
  help: { type: 'boolean' },
  format: { type: 'string' },
  lang: { type: 'string' },
  by: { type: 'string' },
  due: { type: 'boolean' },
  job: { type: 'string' },
  count: { type: 'string', short: 'n' },
} as const

const DEFAULT_COUNT = 10
const MAX_COUNT = 1000

/**
 * Reads the command line; unknown options, words and jobs are refused.
 * @throws Error whose message says what is wrong
 */
export function readArguments(argv: readonly string[], jobs: readonly string[], configured: Lang): Arguments {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true })
  const { job, due, count, by } = values
  const name = positionals[0] ?? 'keep'
  if (!values.help) {
    refuseStray(name, { job: job ?? false, due: due ?? false, count: count ?? false, by: by ?? false })
    const words = name === 'run' && !due ? 2 : 1
    if (positionals.length > words) throw new Error(`"${positionals[words]}" is one word too many`)
  }
  return {
    command: values.help ? { name: 'help' } : commandOf(name, positionals[1], values, jobs),
    format: oneOf('format', values.format ?? 'table', FORMATS),
    lang: oneOf('lang', values.lang ?? configured, LANGUAGES),
    by: oneOf('by', by ?? 'hand', ['cron', 'hand'] as const),
  }
}

function commandOf(
  name: string,
  word: string | undefined,
  values: { due?: boolean; job?: string; count?: string },
  jobs: readonly string[],
): Command {
  const count = countOf(values.count)
  switch (name) {
    case 'keep':
    case 'show':
      return { name }
    case 'next':
      return { name, count }
    case 'history':
      return { name, count, job: values.job === undefined ? null : oneOf('job', values.job, jobs) }
    case 'run':
      if (values.due) return { name: 'run-due' }
      return { name, job: oneOf('JOB', word ?? '', jobs) }
    default:
      throw new Error(`"${name}" is no command`)
  }
}

/** An option that its command does not know is a mistake, not something to ignore. */
function refuseStray(name: string, given: Readonly<Record<string, string | boolean>>): void {
  const allowed: Readonly<Record<string, readonly string[]>> = {
    next: ['count'],
    history: ['count', 'job'],
    run: ['due', 'by'],
  }
  for (const [option, value] of Object.entries(given)) {
    if (value !== false && !allowed[name]?.includes(option)) throw new Error(`--${option} does not belong to "${name}"`)
  }
}

function countOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_COUNT
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= MAX_COUNT) return Number(text)
  throw new Error(`-n ${text}: allowed are 1 to ${MAX_COUNT}`)
}

function oneOf<const T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text)
  if (found === undefined) throw new Error(`${option} ${text || '?'}: allowed are ${allowed.join(', ')}`)
  return found
}
