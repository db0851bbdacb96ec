import type { Chart, Point } from './document.ts'
import { escaped } from './html.ts'
import { displayWidth } from './printable.ts'

/**
 * Pictures of numbers. Across they are measured in percent and up in pixels, so that they are as wide as the page and
 * their letters stay as large as the page's: a picture scaled down to a telephone could not be read.
 */

/** The narrowest page that a picture must fit: a telephone's, without its margins. */
const NARROWEST = 320
/** Of one column of a terminal, at the font size of html-style.ts. */
const LETTER = 7
const GAP = 6
const TOP = 18
const BARS = 110
const FOOT = 20
const ROW = 22
/** How dark the greatest value of a heat map is: dark text on it must still be read, and bright text in the dark. */
export const DARKEST = 0.5
const FAINTEST = 0.08

/** One series of a chart. */
interface Bars extends Pick<Chart, 'words' | 'labels'> {
  readonly title: string
  readonly points: readonly Point[]
}

/** One series as upright bars. Every value is written above its bar where there is room; else the greatest one is. */
export function barsSvg(id: string, { title, words, labels, points }: Bars): string {
  const top = greatest(points)
  const slot = 100 / points.length
  const middle = (i: number): string => percent((i + 0.5) * slot)
  const measured = points.filter(({ value }) => value !== null).map(({ text }) => text)
  const fits = (texts: readonly string[]): boolean => points.length * widest(texts) <= NARROWEST
  const showsAll = fits(measured)
  const peak = points.findIndex(({ value }) => value === top)
  const bars = points.map(({ value, text }, i) => {
    const height = value === null ? 0 : heightOf(value, top)
    const shown = value === null && !fits([text]) ? '·' : text
    const label = showsAll || i === peak || value === null ? textAt(middle(i), TOP + BARS - height - 5, shown) : ''
    return bar(percent((i + 0.12) * slot), TOP + BARS - height, percent(slot * 0.76), height) + label
  })
  // Every second label, or third, or ...: as many as fit.
  const step = Math.ceil((labels.length * widest(labels)) / NARROWEST)
  const names = labels.map((text, i) => (i % step === 0 ? textAt(middle(i), TOP + BARS + 15, text) : ''))
  const ground = `<line x1="0" x2="100%" y1="${TOP + BARS}" y2="${TOP + BARS}"/>`
  return svg(id, { title, words, height: TOP + BARS + FOOT }, [...bars, ground, ...names])
}

/** A row per series, a column per label; the number is in its field, and the more it is, the darker. */
export function heatSvg(id: string, { caption, words, labels, series }: Chart): string {
  const top = greatest(series.flatMap(({ points }) => points))
  const nameWidth = widest(series.map(({ name }) => name))
  const fieldWidth = widest([...labels, ...series.flatMap(({ points }) => points.map(({ text }) => text))])
  const narrowest = nameWidth + labels.length * fieldWidth
  const first = Math.max(12, (100 * nameWidth) / Math.max(NARROWEST, narrowest))
  const width = (100 - first) / labels.length
  const left = (i: number): number => first + i * width
  const head = labels.map((text, i) => textAt(percent(left(i) + width / 2), 14, text))
  const rows = series.flatMap(({ name, points }, row) => {
    const y = ROW * (row + 1)
    return [
      `<text class="start" x="0" y="${y + 15}">${escaped(name)}</text>`,
      ...points.map(({ value, text }, i) => {
        const shade = value === null ? null : shadeOf(value, top)
        return (
          field(percent(left(i)), y, percent(width), shade) +
          textAt(percent(left(i) + width / 2), y + 15, text, value === 0)
        )
      }),
    ]
  })
  return svg(id, { title: caption, words, height: ROW * (series.length + 1), narrowest }, [...head, ...rows])
}

interface Picture {
  readonly title: string
  readonly words: string
  readonly height: number
  readonly narrowest?: number
}

/** Named and described for whoever does not see it; the numbers themselves stand in a table beside it. */
function svg(id: string, { title, words, height, narrowest = 0 }: Picture, parts: readonly string[]): string {
  const least = narrowest > NARROWEST ? ` style="min-width: ${Math.ceil(narrowest)}px"` : ''
  return `<svg role="img" aria-labelledby="${id}-title" aria-describedby="${id}-desc" height="${height}"${least}>
<title id="${id}-title">${escaped(title)}</title>
<desc id="${id}-desc">${escaped(words)}</desc>
${parts.filter((part) => part !== '').join('\n')}
</svg>`
}

const greatest = (points: readonly Point[]): number => Math.max(0, ...points.map(({ value }) => value ?? 0))

/** More than nothing never looks like nothing. */
const heightOf = (value: number, top: number): number =>
  value <= 0 || top === 0 ? 0 : Math.max(2, Math.round((value / top) * BARS))

const shadeOf = (value: number, top: number): number =>
  value <= 0 || top === 0 ? 0 : FAINTEST + (value / top) * (DARKEST - FAINTEST)

const bar = (x: string, y: number, width: string, height: number): string =>
  height === 0 ? '' : `<rect x="${x}" y="${y}" width="${width}" height="${height}"/>`

function field(x: string, y: number, width: string, shade: number | null): string {
  const place = `x="${x}" y="${y}" width="${width}" height="${ROW}"`
  if (shade === null) return `<rect class="nothing" ${place}/>`
  return shade === 0 ? '' : `<rect ${place} fill-opacity="${shade.toFixed(2)}"/>`
}

/** A zero steps back, so that the numbers that matter stand out. */
const textAt = (x: string, y: number, text: string, isZero = false): string =>
  `<text${isZero ? ' class="zero"' : ''} x="${x}" y="${y}">${escaped(text)}</text>`

/** In pixels, with a gap. */
const widest = (texts: readonly string[]): number => LETTER * Math.max(0, ...texts.map(displayWidth)) + GAP

const percent = (value: number): string => `${Number(value.toFixed(2))}%`
