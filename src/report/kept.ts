import { en } from './catalogue/kept.en.ts'
import { ko } from './catalogue/kept.ko.ts'
import type { Lang, Report, Table } from './document.ts'
import { words } from './words.ts'

export const keptWords = words(ko, en)

/** One figure that a later revision gives otherwise. `null` where it was not, or is no more. */
export interface Change {
  /** Its place in the JSON: `since_last_report.approvers[kim].decided`. */
  readonly figure: string
  readonly before: Leaf
  readonly after: Leaf
}
type Leaf = string | number | boolean | null

/** The figures that differ, in the order of the report. */
export function changesBetween(before: object, after: object): Change[] {
  const [old, fresh] = [leavesOf(before), leavesOf(after)]
  return [...new Set([...fresh.keys(), ...old.keys()])]
    .map((figure) => ({ figure, before: old.get(figure) ?? null, after: fresh.get(figure) ?? null }))
    .filter((change) => change.before !== change.after)
}

function leavesOf(value: unknown, path = '', found = new Map<string, Leaf>()): Map<string, Leaf> {
  if (typeof value !== 'object' || value === null) found.set(path, (value ?? null) as Leaf)
  else if (Array.isArray(value)) {
    const names = value.map(nameOf)
    for (const [i, element] of value.entries()) {
      const twice = names.indexOf(names[i]!) !== i
      leavesOf(element, `${path}[${names[i]}${twice ? `#${i}` : ''}]`, found)
    }
  } else {
    for (const [key, inner] of Object.entries(value)) leavesOf(inner, path === '' ? key : `${path}.${key}`, found)
  }
  return found
}

/** A row by what it is about, so that one more row above it changes nothing: its first text, else its first value. */
function nameOf(element: unknown): string {
  const values = typeof element === 'object' && element !== null ? Object.values(element) : [element]
  return String(values.find((value) => typeof value === 'string') ?? values[0])
}

/** More are counted for people; JSON has all. */
const MOST_ROWS = 30

/** The report as a later revision: what changed stands first. */
export function revised(report: Report, revision: number, changed: readonly Change[]): Report {
  return {
    schema: report.schema,
    data: { revision, changed, ...report.data },
    document: (lang) => {
      const { blocks, ...document } = report.document(lang)
      return { ...document, blocks: [...changeBlocks(revision, changed, lang), ...blocks] }
    },
  }
}

function changeBlocks(revision: number, changed: readonly Change[], lang: Lang) {
  const say = keptWords(lang)
  const more = changed.length - MOST_ROWS
  const table: Table = {
    kind: 'table',
    caption: say('changed', { revision, before: revision - 1 }),
    head: [say('figure'), say('before'), say('after')],
    align: ['left', 'right', 'right'],
    rows: changed.slice(0, MOST_ROWS).map(({ figure, before, after }) => [figure, shown(before), shown(after)]),
  }
  return more > 0 ? [table, { kind: 'paragraph' as const, text: say('changed_more', { n: more }) }] : [table]
}

const shown = (value: Leaf): string => (value === null ? '–' : String(value))
