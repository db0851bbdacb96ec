import { styleText } from 'node:util'
import Table from 'cli-table3'
import {
  type Block,
  type Cell,
  type Chart,
  cellText,
  type Document,
  type Lang,
  type Table as Rows,
  type Screen,
  type State,
} from './document.ts'
import { displayWidth, printable } from './printable.ts'
import { numbersOf, sparkline } from './sparkline.ts'
import { stateWord, withState } from './state.ts'
import { fitted, wrap } from './wrap.ts'

type Style = Parameters<typeof styleText>[0]

const COLOURS: Readonly<Record<State, Style>> = {
  ok: 'green',
  warning: 'yellow',
  critical: ['red', 'bold'],
  unknown: ['magenta', 'bold'],
  not_configured: 'gray',
}
const GAP = 2
const SIDES = ['top', 'bottom', 'left', 'right', 'mid', 'top-mid', 'top-left', 'top-right', 'bottom-mid'] as const
const CORNERS = ['bottom-left', 'bottom-right', 'left-mid', 'mid-mid', 'right-mid', 'middle'] as const
const NO_BORDER = Object.fromEntries([...SIDES, ...CORNERS].map((name) => [name, '']))

/** Plain text for a terminal, a pipe or a mail. Nothing is said by colour alone. */
export function renderTable(document: Document, screen: Screen): string {
  const paint = painter(screen.colour)
  const { verdict, lang } = document
  const lines: string[] = []
  if (verdict) {
    const text = wrap(printable(withState(verdict.state, verdict.text, lang)), screen.columns)
    lines.push(...text.map((line) => paint(COLOURS[verdict.state], line)))
  }
  lines.push(...wrap(printable(document.title), screen.columns).map((line) => paint('bold', line)))
  for (const [i, block] of document.blocks.entries()) {
    // A line under a table would look like its last row. Tables, charts and headings keep their own distance.
    const isApart = block.kind === 'table' || block.kind === 'chart' || block.kind === 'heading'
    if (!isApart && document.blocks[i - 1]?.kind === 'table') lines.push('')
    lines.push(...blockLines(block, lang, screen, paint))
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

type Paint = (style: Style, text: string) => string

const painter = (colour: boolean): Paint =>
  colour ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text

function blockLines(block: Block, lang: Lang, screen: Screen, paint: Paint): string[] {
  switch (block.kind) {
    case 'heading':
      return ['', paint('bold', printable(block.text))]
    case 'paragraph': {
      const { state } = block
      const text = printable(state ? withState(state, block.text, lang) : block.text)
      return wrap(text, screen.columns).map((line) => (state ? paint(COLOURS[state], line) : line))
    }
    case 'list':
      return block.items.flatMap((item, i) => {
        const bullet = block.ordered ? `${i + 1}. ` : '- '
        const text = item.state ? `[${stateWord(item.state, lang)}] ${item.text}` : item.text
        const indent = ' '.repeat(bullet.length)
        const lines = wrap(printable(text), screen.columns - bullet.length)
        const shown = lines.map((line, n) => {
          const painted = item.state ? paint(COLOURS[item.state], line) : line
          return (n === 0 ? bullet : indent) + painted
        })
        return item.command === undefined ? shown : [...shown, `${indent}$ ${printable(item.command)}`]
      })
    case 'table':
      return tableLines(block, screen, paint)
    case 'chart':
      return chartLines(block, screen, paint)
    case 'command':
      return [`  $ ${printable(block.text)}`]
  }
}

function chartLines(chart: Chart, screen: Screen, paint: Paint): string[] {
  const words = wrap(printable(chart.words), screen.columns)
  if (chart.shape === 'heat') return [...tableLines(numbersOf(chart), screen, paint), '', ...words]
  const lines = chart.series.map(({ points }) => sparkline(points))
  return ['', paint('bold', printable(chart.caption)), ...lines, ...words]
}

function tableLines(table: Rows, screen: Screen, paint: Paint): string[] {
  const columns = table.head.map((_, i) => i)
  const numeric = columns.map((i) => table.align?.[i] === 'right')
  const texts = [table.head, ...table.rows.map((row) => row.map(cellText))].map((row) => row.map(printable))
  const natural = columns.map((i) => Math.max(...texts.map((row) => displayWidth(row[i] ?? ''))))
  const widths = fitted(natural, numeric, screen.columns, GAP)
  const wrapped = texts.map((row) => columns.map((i) => wrap(row[i] ?? '', widths[i]!)))
  const styled = (cell: Cell | undefined, lines: string[]) =>
    (typeof cell === 'object' ? lines.map((line) => paint(COLOURS[cell.state], line)) : lines).join('\n')

  const grid = new Table({
    chars: NO_BORDER,
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map((i) => table.align?.[i] ?? 'left'),
    // Without these the library colours heads and borders by itself, also into a pipe.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
  })
  const [head = [], ...rows] = wrapped
  grid.push(head.map((lines) => lines.join('\n')))
  grid.push(widths.map((width) => '─'.repeat(width)))
  for (const [n, row] of rows.entries()) grid.push(row.map((lines, i) => styled(table.rows[n]?.[i], lines)))
  return ['', paint('bold', printable(table.caption)), ...grid.toString().split('\n')]
}
