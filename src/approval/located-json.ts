import { LineCounter, parseDocument } from 'yaml'

/** Something wrong in a JSON file that people edit, and where. */
export interface JsonProblem {
  /** From 1. */
  readonly line: number
  readonly message: string
}

export interface LocatedJson {
  /** undefined when the text is no JSON: then `problems` says where it ends to be. */
  readonly value: unknown
  readonly problems: readonly JsonProblem[]
  /** The line of a value, or of the nearest one around it that exists. */
  lineOf(path: readonly PropertyKey[]): number
}

type Path = readonly (string | number)[]

/** Reads JSON strictly, and remembers on which line each value stands. A key that stands twice is a problem. */
export function readLocatedJson(text: string): LocatedJson {
  const lines = new LineCounter()
  const bare = text.replace(/^\ufeff/, '')
  // JSON is YAML too, whose reader keeps the places.
  const document = parseDocument(bare, { lineCounter: lines, schema: 'json' })
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line)
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth) as Path, true) as { range?: [number] } | undefined
      if (node?.range) return lineAt(node.range[0])
    }
    return 1
  }
  try {
    const value: unknown = JSON.parse(bare)
    const twice = document.errors.filter(({ code }) => code === 'DUPLICATE_KEY')
    const problems = twice.map(({ pos }) => ({ line: lineAt(pos[0]), message: 'this key stands here twice' }))
    return { value, problems, lineOf }
  } catch (error) {
    const line = bare.slice(0, breakOf(bare)).split('\n').length
    const message = `not JSON: ${(error as Error).message.replace(/ in JSON at position \d+.*$|, (\.{3})?".*$/s, '')}`
    return { value: undefined, problems: [{ line, message }], lineOf }
  }
}

/** The length of the longest beginning that could still have become JSON. The engine does not always say it. */
function breakOf(text: string): number {
  let good = 0
  let bad = text.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isBroken(text.slice(0, middle))) bad = middle
    else good = middle
  }
  return good
}

function isBroken(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return false
  } catch (error) {
    const { message } = error as Error
    const position = /at position (\d+)/.exec(message)?.[1]
    return position === undefined ? !/end of JSON/.test(message) : Number(position) < beginning.length
  }
}
