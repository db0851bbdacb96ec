import type { Block, Chart, Document, Item, Lang, Table } from './document.ts'
import { escaped, tableHtml, wide } from './html.ts'
import { STYLE } from './html-style.ts'
import { barsSvg, heatSvg } from './render-svg.ts'
import { numbersOf } from './sparkline.ts'
import { common, stateWord, withState } from './state.ts'

export function renderHtml(document: Document): string {
  const { verdict, lang } = document
  const body = [
    `<h1>${escaped(document.title)}</h1>`,
    ...(verdict
      ? [`<p class="verdict ${verdict.state}">${escaped(withState(verdict.state, verdict.text, lang))}</p>`]
      : []),
    ...document.blocks.map((block, i) => blockHtml(block, lang, `block-${i + 1}`)),
  ]
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(document.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body.join('\n')}
</main>
</body>
</html>
`
}

function blockHtml(block: Block, lang: Lang, id: string): string {
  switch (block.kind) {
    case 'heading':
      return `<h2>${escaped(block.text)}</h2>`
    case 'paragraph':
      return block.state
        ? `<p class="${block.state}">${escaped(withState(block.state, block.text, lang))}</p>`
        : `<p>${escaped(block.text)}</p>`
    case 'list': {
      const tag = block.ordered ? 'ol' : 'ul'
      return `<${tag}>\n${block.items.map((item) => itemHtml(item, lang)).join('\n')}\n</${tag}>`
    }
    case 'table':
      return tableHtml(block)
    case 'chart':
      return chartHtml(block, lang, id)
    case 'command':
      return `<p>${code(block.text)}</p>`
  }
}

function itemHtml(item: Item, lang: Lang): string {
  const state = item.state ? `<strong class="${item.state}">${escaped(stateWord(item.state, lang))}</strong> ` : ''
  const command = item.command === undefined ? '' : `<br>${code(item.command)}`
  return `<li>${state}${escaped(item.text)}${command}</li>`
}

/** The picture, the same in words, and every number of it: for screen readers, for paper, for whoever wants to know. */
function chartHtml(chart: Chart, lang: Lang, id: string): string {
  const isHeat = chart.shape === 'heat'
  const pictures = isHeat ? wide(chart.caption, heatSvg(id, chart)) : barPictures(chart, id)
  return `<figure>
<figcaption>${escaped(chart.caption)}</figcaption>
${pictures}
<p>${escaped(chart.words)}</p>
<details><summary>${escaped(common(lang)('chart_numbers'))}</summary>
${tableHtml(isHeat ? numbersOf(chart) : standing(chart))}
</details>
</figure>`
}

function barPictures({ caption, words, labels, series }: Chart, id: string): string {
  if (series.length === 1) return barsSvg(id, { title: caption, words, labels, points: series[0]!.points })
  return series
    .map(({ name, points }, i) => {
      const picture = barsSvg(`${id}-${i + 1}`, { title: `${caption}: ${name}`, words, labels, points })
      return `<p>${escaped(name)}</p>\n${picture}`
    })
    .join('\n')
}

/** A row per label: 24 columns would fit no telephone. */
const standing = ({ caption, labels, series }: Chart): Table => ({
  kind: 'table',
  caption,
  head: ['', ...series.map(({ name }) => name)],
  align: ['left', ...series.map(() => 'right' as const)],
  rows: labels.map((label, i) => [label, ...series.map(({ points }) => points[i]?.text ?? '')]),
})

const code = (text: string): string => `<code>${escaped(text)}</code>`
