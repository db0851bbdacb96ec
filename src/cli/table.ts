import Table from 'cli-table3'
import { displayWidth } from '../report/printable.ts'

/** Between two columns. */
export const GAP = 2

const BORDERLESS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' '.repeat(GAP) },
}

/** How wide a table of these columns is */
export function tableWidth(head: readonly string[], cells: readonly (readonly string[])[]): number {
  const columns = head.map((name, i) => [name, ...cells.map((row) => row[i]!)])
  return columns.reduce((sum, texts) => sum + Math.max(...texts.map(displayWidth)) + GAP, -GAP)
}

/** Columns side by side without lines, Hangul and emoji aligned. Cells must be harmless and of the right width already. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const table = new Table({
    chars: BORDERLESS,
    // cli-table3 colours its head even into a pipe and whatever NO_COLOR says.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
    head: [...head],
  })
  table.push(...rows.map((row) => [...row]))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
