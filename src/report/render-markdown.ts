import { type Block, type Chart, cellText, type Document, type Item, type Lang, type Table } from './document.ts'
import { displayWidth, pad, printable } from './printable.ts'
import { numbersOf, sparkline } from './sparkline.ts'
import { stateWord, withState } from './state.ts'

/**
 * GitHub's Markdown, which also reads well where tables are not drawn (Slack): cells are padded to equal widths.
 */
export function renderMarkdown(document: Document): string {
  const { verdict, lang } = document
  const parts = document.blocks.map((block) => blockText(block, lang))
  const first = verdict ? [`**${prose(withState(verdict.state, verdict.text, lang))}**`] : []
  return `${[...first, `## ${prose(document.title)}`, ...parts].join('\n\n')}\n`
}

function blockText(block: Block, lang: Lang): string {
  switch (block.kind) {
    case 'heading':
      return `### ${prose(block.text)}`
    case 'paragraph':
      return prose(block.state ? withState(block.state, block.text, lang) : block.text)
    case 'list':
      return block.items.map((item, i) => itemText(item, block.ordered ? `${i + 1}. ` : '- ', lang)).join('\n')
    case 'table':
      return tableText(block)
    case 'chart':
      return chartText(block)
    case 'command':
      return code(block.text)
  }
}

function itemText(item: Item, bullet: string, lang: Lang): string {
  const text = bullet + (item.state ? `**${stateWord(item.state, lang)}** ` : '') + prose(item.text)
  return item.command === undefined ? text : `${text}\n${' '.repeat(bullet.length)}${code(item.command)}`
}

function chartText(chart: Chart): string {
  if (chart.shape === 'heat') return `${tableText(numbersOf(chart))}\n\n${prose(chart.words)}`
  const lines = chart.series.map(({ points }) => code(sparkline(points)))
  return [`**${prose(chart.caption)}**`, '', ...lines, '', prose(chart.words)].join('\n')
}

function tableText(table: Table): string {
  // An indent is not drawn in a cell.
  const cells = [table.head, ...table.rows.map((row) => row.map(cellText))]
  const rows = cells.map((row) => row.map((text) => prose(text.trim())))
  const widths = table.head.map((_, i) => Math.max(3, ...rows.map((row) => displayWidth(row[i] ?? ''))))
  const align = (i: number) => table.align?.[i] ?? 'left'
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const [head, ...body] = rows.map((row) => line(widths.map((width, i) => pad(row[i] ?? '', width, align(i)))))
  const rule = line(widths.map((width, i) => (align(i) === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))))
  return [`**${prose(table.caption)}**`, '', head, rule, ...body].join('\n')
}

/**
 * Text that Markdown shows as it is: no markup, no HTML, nobody mentioned. An underscore inside a word is left alone:
 * it means nothing there, and tool names are full of it.
 */
function prose(text: string): string {
  return printable(text)
    .replace(/[\\`*[\]|~]/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@(?=[\p{L}\p{N}])/gu, '@\u200b')
    .replace(/^(\d*)(#{1,6} |[-+] |[.)] )/, '$1\\$2')
}

/** Inline code: nothing is escaped inside, so the fence is longer than any run of backticks in it. */
function code(text: string): string {
  const shown = printable(text)
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? fence + shown + fence : `${fence} ${shown} ${fence}`
}
