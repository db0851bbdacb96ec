import { displayWidth, graphemes, pad } from './printable.ts'

/** Lines of at most `columns`, broken at spaces; a word that is longer by itself is broken between its letters. */
export function wrap(text: string, columns: number): string[] {
  // Also keeps an indented text as it is.
  if (displayWidth(text) <= columns) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`
    if (displayWidth(joined) <= columns) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = broken(word, columns)
    line = pieces.pop() ?? ''
    lines.push(...pieces)
  }
  return [...lines, line]
}

/** Rows of two columns within `columns`: what is too long in the second goes on below itself. */
export function hanging(rows: readonly (readonly [left: string, right: string])[], columns: number): string[] {
  const width = Math.max(...rows.map(([left]) => displayWidth(left)))
  return rows.flatMap(([left, right]) =>
    wrap(right, columns - width).map((line, i) => pad(i === 0 ? left : '', width) + line),
  )
}

function broken(word: string, columns: number): string[] {
  if (displayWidth(word) <= columns) return [word]
  const pieces: string[] = []
  let piece = ''
  let width = 0
  for (const { segment } of graphemes.segment(word)) {
    const more = displayWidth(segment)
    if (width + more > columns && piece !== '') {
      pieces.push(piece)
      piece = ''
      width = 0
    }
    piece += segment
    width += more
  }
  return [...pieces, piece]
}

/**
 * Widths that let a table stand in `columns`: the widest column gives way first, those named `fixed` (numbers) never,
 * and none below `least`. A table that still does not fit is wider than the screen.
 */
export function fitted(natural: readonly number[], fixed: readonly boolean[], columns: number, gap: number): number[] {
  const least = 8
  const widths = [...natural]
  let excess = widths.reduce((sum, width) => sum + width, gap * (widths.length - 1)) - columns
  while (excess > 0) {
    let widest = -1
    for (const [i, width] of widths.entries()) {
      if (!fixed[i] && width > least && width > (widths[widest] ?? 0)) widest = i
    }
    if (widest < 0) break
    widths[widest]! -= 1
    excess -= 1
  }
  return widths
}
