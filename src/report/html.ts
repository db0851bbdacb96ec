import { type Cell, cellText, type Table } from './document.ts'
import { printable } from './printable.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Untrusted text for an element or a quoted attribute of HTML or SVG. */
export const escaped = (text: string): string => printable(text).replace(/[&<>"']/g, (char) => ENTITIES[char]!)

/** A box of its own for what may be wider than the page: then the box scrolls, by keyboard too, and the page does not. */
export const wide = (name: string, html: string): string =>
  `<div class="wide" role="group" tabindex="0" aria-label="${escaped(name)}">${html}</div>`

export function tableHtml(table: Table): string {
  const side = (i: number) => (table.align?.[i] === 'right' ? ['right'] : [])
  const head = table.head.map((text, i) =>
    // A heading that says nothing would be read out all the same.
    text === '' ? '<td></td>' : `<th scope="col"${classes(side(i))}>${escaped(text)}</th>`,
  )
  const cell = (value: Cell, i: number) => {
    const text = escaped(cellText(value))
    const attributes = classes([...side(i), ...(typeof value === 'object' ? [value.state] : [])])
    return i === 0 ? `<th scope="row"${attributes}>${text}</th>` : `<td${attributes}>${text}</td>`
  }
  const rows = table.rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`)
  return wide(
    table.caption,
    `<table>
<caption>${escaped(table.caption)}</caption>
<thead><tr>${head.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`,
  )
}

const classes = (names: readonly string[]): string => (names.length === 0 ? '' : ` class="${names.join(' ')}"`)
