import { displayWidth, printable, printableJson } from '../report/printable.ts'

/** `lead` stands before the text, `more` before what had to be wrapped. */
interface Line {
  readonly lead: string
  readonly text: string
  readonly more: string
}

/**
 * The whole arguments, for the person who decides: JSON, except that a text of several lines is shown as the lines it
 * is. Nothing is left out and nothing can pretend: dangerous characters are visible, and every line that comes from
 * inside a text begins with a bar, also where the terminal would have wrapped it.
 * @param columns of the terminal; undefined: never wrap
 */
export function renderArguments(requestData: string, columns: number | undefined): string[] {
  return linesOf(requestData).flatMap((line) => wrap(line, columns))
}

function linesOf(requestData: string): Line[] {
  try {
    return render(JSON.parse(requestData), '', '', '')
  } catch {
    return [plain('', printable(requestData))]
  }
}

function render(value: unknown, indent: string, name: string, comma: string): Line[] {
  if (typeof value === 'string' && value.includes('\n')) return block(value, indent, name)
  if (typeof value !== 'object' || value === null) {
    return [plain(indent, `${name}${printableJson(JSON.stringify(value))}${comma}`)]
  }
  const isList = Array.isArray(value)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  const entries = Object.entries(value)
  if (entries.length === 0) return [plain(indent, `${name}${open}${close}${comma}`)]
  const inside = entries.flatMap(([key, item], i) => {
    const label = isList ? '' : `${printableJson(JSON.stringify(key))}: `
    return render(item, `${indent}  `, label, i < entries.length - 1 ? ',' : '')
  })
  return [plain(indent, `${name}${open}`), ...inside, plain(indent, `${close}${comma}`)]
}

const plain = (indent: string, text: string): Line => ({ lead: indent, text, more: `${indent}┆ ` })

/** Split at line feeds only: a carriage return is a character that the reader must see. */
function block(text: string, indent: string, name: string): Line[] {
  const lines = text.split('\n').map((line) => ({
    lead: `${indent}  │ `,
    text: printable(line),
    more: `${indent}  ┆ `,
  }))
  return [plain(indent, name.trimEnd() || '-'), ...lines]
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Breaks at the width, never at a word: what is shown is what is there. */
function wrap({ lead, text, more }: Line, columns: number | undefined): string[] {
  const room = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(10, columns - more.length - 1)
  if (text.length <= room / 2 || displayWidth(text) <= room) return [lead + text]
  const lines = ['']
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    const wide = displayWidth(segment)
    if (width + wide > room) {
      lines.push('')
      width = 0
    }
    lines[lines.length - 1] += segment
    width += wide
  }
  return lines.map((line, i) => (i === 0 ? lead : more) + line)
}
