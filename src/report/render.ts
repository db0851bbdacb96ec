import type { Format, Lang, Report, Screen } from './document.ts'
import { printableJson } from './printable.ts'
import { renderHtml } from './render-html.ts'
import { renderMarkdown } from './render-markdown.ts'
import { renderTable } from './render-table.ts'

/** The whole output, its last line ended. Pure: the same report gives the same bytes. */
export function render(report: Report, format: Format, lang: Lang, screen: Screen): string {
  if (format === 'json') return renderJson(report)
  const document = report.document(lang)
  if (format === 'markdown') return renderMarkdown(document)
  return format === 'html' ? renderHtml(document) : renderTable(document, screen)
}

function renderJson({ schema, data }: Report): string {
  return `${printableJson(JSON.stringify({ schema, ...data }, null, 2))}\n`
}
