import { en } from './catalogue/config-compare.en.ts'
import { ko } from './catalogue/config-compare.ko.ts'
import type { Cause, CompareData, CompareRow } from './config-compare-data.ts'
import type { Block, Cell, Document, Item, Lang, Report, State } from './document.ts'
import { truncate } from './printable.ts'
import { fill, words } from './words.ts'

export const compareWords = words(ko, en)

/** So many keys are named in the first line. */
const NAMED = 3
/** So wide a value may be in the table; below it, where it matters, it stands in full. */
const WIDTH = 15

export const compareReport = (data: CompareData): Report<CompareData> => ({
  schema: 'ops.config-compare.v1',
  data,
  document: (lang) => compareDocument(data, lang),
})

export const compareState = ({ unknown, differences }: CompareData): 'ok' | 'warning' | 'unknown' =>
  unknown > 0 ? 'unknown' : differences > 0 ? 'warning' : 'ok'

/** "cause. next command", the last line on stderr. */
export function compareFailure(data: CompareData, lang: Lang): string | undefined {
  const say = compareWords(lang)
  if (data.unknown > 0) return say('failure_unmeasured')
  if (data.differences === 0) return undefined
  return say('failure_differ', { n: data.differences, command: data.next_command ?? `vi ${data.env_file}` })
}

export function compareDocument(data: CompareData, lang: Lang): Document {
  const say = compareWords(lang)
  return {
    lang,
    title: say('title', { target: data.target, file: data.env_file }),
    verdict: { state: compareState(data), text: verdict(data, lang) },
    blocks: [table(data, lang), ...causes(data, lang), ...remarks(data, lang), ...nextStep(data)],
  }
}

function verdict(data: CompareData, lang: Lang): string {
  const say = compareWords(lang)
  if (data.unknown > 0) return say('unmeasured')
  const n = data.differences
  if (n === 0) return say('all_equal', { n: data.rows.length })
  const all = [...data.rows.filter(differs).map(({ key }) => key), ...data.problems.map(({ line }) => `:${line}`)]
  const keys = all.slice(0, NAMED).join(', ')
  return n > NAMED ? say('differ_more', { n, keys, more: n - NAMED }) : say('differ', { n, keys })
}

const differs = ({ state }: CompareRow): boolean => state !== 'equal' && state !== 'unknown'
const stateOf = (row: CompareRow): State => (differs(row) ? 'warning' : row.state === 'unknown' ? 'unknown' : 'ok')

function table({ runtime, rows }: CompareData, lang: Lang): Block {
  const say = compareWords(lang)
  const compose = runtime === 'compose'
  const cell = (text: string | null): string =>
    text === null ? say('nothing') : truncate(written(short(text), lang), WIDTH)
  const inFile = (row: CompareRow): string => {
    if (row.file !== null || row.fallback === null || row.next === null) return cell(row.file)
    return row.fallback === '' ? say('nothing') : truncate(say('default', { value: row.fallback }), WIDTH)
  }
  return {
    kind: 'table',
    caption: say('table'),
    head: [
      say('head_key'),
      say('head_file'),
      say(compose ? 'head_compose' : 'head_next'),
      say(compose ? 'head_container' : 'head_server'),
    ],
    rows: [...rows.filter(differs), ...rows.filter((row) => !differs(row))].map((row): Cell[] => {
      const last = cell(row.effective)
      return [row.key, inFile(row), cell(row.next), row.state === 'equal' ? last : { text: last, state: stateOf(row) }]
    }),
  }
}

function causes({ rows, problems, env_file: file, read_error: error }: CompareData, lang: Lang): Block[] {
  const say = compareWords(lang)
  const items: Item[] = rows.filter(differs).map((row) => {
    const values = say('values', {
      file: row.file === null ? say('nothing') : written(row.file, lang),
      effective: row.effective === null ? say('nothing') : written(row.effective, lang),
    })
    const cause = row.causes.map((found) => sentence(found, lang)).join('. ')
    return { text: say('cause', { key: row.key, values, cause }), state: stateOf(row) }
  })
  for (const { line, problem } of problems)
    items.push({ text: say('problem', { file, line, problem }), state: 'warning' })
  if (error !== null) items.push({ text: say('read_error', { error }), state: 'warning' })
  return items.length === 0
    ? []
    : [
        { kind: 'heading', text: say('causes') },
        { kind: 'list', items },
      ]
}

/** What is equal and still has something to it. */
function remarks({ rows }: CompareData, lang: Lang): Block[] {
  const say = compareWords(lang)
  const items = rows
    .filter(({ state, causes }) => state === 'equal' && causes.length > 0)
    .map(({ key, causes }) => ({
      text: say('remark', { key, cause: causes.map((cause) => sentence(cause, lang)).join('. ') }),
    }))
  if (items.length === 0) return []
  return [
    { kind: 'heading', text: say('remarks') },
    { kind: 'list', items },
  ]
}

const nextStep = ({ next_command: text }: CompareData): Block[] => (text === null ? [] : [{ kind: 'command', text }])

export function sentence(cause: Cause, lang: Lang): string {
  const { code, ...facts } = cause
  const catalogue: Readonly<Record<string, string>> = lang === 'ko' ? ko : en
  return fill(catalogue[code]!, facts as Readonly<Record<string, string | number>>)
}

/** The mark that tells two masked values apart must not be cut off. */
const short = (text: string): string => text.replace(/^set \((hmac:[0-9a-f]{8})\)$/, '$1')
const written = (text: string, lang: Lang): string => (text === '' ? compareWords(lang)('empty') : text)
