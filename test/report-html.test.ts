import { describe, expect, test } from 'vitest'
import type { Block, Chart, Point } from '../src/report/document.ts'
import { COLOURS } from '../src/report/html-style.ts'
import { renderHtml } from '../src/report/render-html.ts'
import { DARKEST } from '../src/report/render-svg.ts'

const HOSTILE = '\u001b[2J\u202e<b onclick="x">&\'</text></svg><script>x</script> 한글 ✅'
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'))

const point = (value: number | null): Point => ({
  value,
  text: value === null ? 'none' : value.toLocaleString('en-US'),
})
const bars = (values: readonly (number | null)[], labels = values.map((_, i) => `w${i}`)): Chart => ({
  ...{ kind: 'chart', shape: 'bars', caption: 'Weeks', words: 'From few to many.', labels },
  series: [{ name: 'Requests', points: values.map(point) }],
})
const heat: Chart = {
  ...{ kind: 'chart', shape: 'heat', caption: 'Hours', words: 'Busiest: Tue 14.', labels: ['Mon', 'Tue'] },
  series: HOURS.map((name, hour) => ({ name, points: [point(hour), point(hour === 3 ? null : hour * 10)] })),
}
const hostile: Chart[] = (['bars', 'heat'] as const).map((shape) => ({
  ...{ kind: 'chart', shape, caption: HOSTILE, words: HOSTILE, labels: [HOSTILE, 'b'] },
  series: [HOSTILE, 'two'].map((name) => ({ name, points: [{ value: 3, text: HOSTILE }, point(null)] })),
}))

const page = (...blocks: Block[]): string => renderHtml({ lang: 'en', title: 'Charts', blocks })
const all = page(bars([1, 0, null, 4]), heat, ...hostile, { kind: 'paragraph', text: 'between' }, bars([5]))

const matches = (html: string, pattern: RegExp): string[][] => [...html.matchAll(pattern)].map((match) => [...match])
const svgs = (html: string): string[] => matches(html, /<svg[\s\S]*?<\/svg>/g).map(([svg]) => svg!)
const attribute = (tag: string, name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
const rects = (svg: string) => matches(svg, /<rect[^>]*>/g).map(([tag]) => tag!)
const textsOf = (svg: string) => matches(svg, /<text[^>]*>([^<]*)<\/text>/g).map(([, text]) => text!)

describe('the page', () => {
  test('closes what it opens, in order', () => {
    const open: string[] = []
    for (const [, end, name, self] of matches(all, /<(\/?)([a-z][\w-]*)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
      if (end === '/') expect(open.pop()).toBe(name)
      else if (self !== '/' && !['meta', 'br', 'line', 'rect'].includes(name!)) open.push(name!)
    }
    expect(open).toEqual([])
  })

  test('has each id once, and every reference has its id', () => {
    const ids = matches(all, / id="([^"]*)"/g).map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const named = matches(all, / aria-(?:labelledby|describedby)="([^"]*)"/g).map(([, id]) => id)
    expect(named.sort()).toEqual(ids.sort())
  })

  test('shows hostile text in a picture as text, and refers to nothing outside', () => {
    expect(all).not.toMatch(/<script|<b |<link|<img|<use|<image|<foreignObject|href=|src=|url\(|@import|https?:/)
    expect(all.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(all).toContain('&lt;/text&gt;&lt;/svg&gt;&lt;script&gt;x&lt;/script&gt; 한글 ✅')
    expect(all).not.toMatch(/ on\w+="/)
  })
})

describe('a chart', () => {
  test('is an image with a name, a description, and the same words on the page', () => {
    expect(svgs(all)).toHaveLength(6)
    for (const svg of svgs(all)) {
      expect(svg).toMatch(/^<svg role="img" aria-labelledby="[^"]+" aria-describedby="[^"]+"/)
      expect(svg).toMatch(/<title id="[^"]+">[^<]+<\/title>\n<desc id="[^"]+">[^<]+<\/desc>/)
    }
    expect(matches(all, /<figcaption>Weeks<\/figcaption>[\s\S]*?<p>From few to many\.<\/p>/g)).toHaveLength(2)
  })

  test('has every number in a table beside it', () => {
    const [table] = matches(page(bars([1234, 0, null])), /<table>[\s\S]*<\/table>/g)[0]!
    expect(table).toContain('<tr><td></td><th scope="col" class="right">Requests</th></tr>')
    const rows = matches(table!, /<tr><th scope="row">(\w+)<\/th><td class="right">([^<]+)<\/td><\/tr>/g)
    expect(rows.map(([, label, value]) => [label, value])).toEqual([
      ['w0', '1,234'],
      ['w1', '0'],
      ['w2', 'none'],
    ])
  })

  test('of several series has a picture and a name for each', () => {
    const two = { ...bars([1, 2]), series: ['Asked', 'Late'].map((name) => ({ name, points: [point(1), point(2)] })) }
    const html = page(two)
    expect(svgs(html).map((svg) => /<title[^>]*>([^<]*)/.exec(svg)?.[1])).toEqual(['Weeks: Asked', 'Weeks: Late'])
  })
})

describe('bars', () => {
  test('are as high as their values, the least of them still seen, and stand on one line', () => {
    const [svg] = svgs(page(bars([1, 500, 1000, 0, null])))
    const heights = rects(svg!).map((tag) => Number(attribute(tag, 'height')))
    expect(heights).toEqual([2, 55, 110])
    const feet = rects(svg!).map((tag) => Number(attribute(tag, 'y')) + Number(attribute(tag, 'height')))
    expect(new Set(feet).size).toBe(1)
    expect(feet[0]).toBe(Number(attribute(/<line[^>]*>/.exec(svg!)![0], 'y1')))
  })

  test('have their values written on them where there is room, else the greatest alone', () => {
    const [few] = svgs(page(bars([1, 500, 0, null])))
    expect(textsOf(few!)).toEqual(['1', '500', '0', 'none', 'w0', 'w1', 'w2', 'w3'])
    const [many] = svgs(page(bars(HOURS.map(Number), HOURS)))
    expect(textsOf(many!)).toEqual(['23', ...HOURS.filter((_, hour) => hour % 2 === 0)])
  })

  test('of nothing but zeros, or of nothing at all, are a line', () => {
    for (const values of [[0, 0], [null, null], []]) {
      const [svg] = svgs(page(bars(values)))
      expect(rects(svg!)).toEqual([])
      expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    }
  })

  test('fill the width and no more', () => {
    for (const tag of rects(svgs(page(bars(HOURS.map((_, i) => i + 1))))[0]!)) {
      const x = Number.parseFloat(attribute(tag, 'x'))
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + Number.parseFloat(attribute(tag, 'width'))).toBeLessThanOrEqual(100)
    }
  })
})

describe('a heat map', () => {
  const [svg] = svgs(page(heat))

  test('has each number in its field, darker for more, and none is left to colour alone', () => {
    expect(textsOf(svg!)).toEqual([
      'Mon',
      'Tue',
      ...heat.series.flatMap(({ name, points }) => [name, ...points.map(({ text }) => text)]),
    ])
    const shades = rects(svg!).map((tag) => Number(attribute(tag, 'fill-opacity')))
    expect(Math.max(...shades)).toBe(DARKEST)
    // Not measured: an outline. Zero: no field.
    expect(svg!.match(/class="nothing"/g)).toHaveLength(1)
    expect(rects(svg!)).toHaveLength(2 * 24 - 2)
  })

  test('that is wider than a telephone scrolls in its own box', () => {
    const wide = { ...heat, labels: HOURS, series: [{ name: 'Mon', points: HOURS.map((_, i) => point(1000 + i)) }] }
    expect(svg).not.toContain('min-width')
    expect(page(wide)).toMatch(
      /<div class="wide" role="group" tabindex="0" aria-label="Hours"><svg [^>]*min-width: \d+px/,
    )
  })
})

// ── Contrast, as WCAG 2.2 computes it ───────────────────────────────────────────────────────────────────────────────

type Rgb = readonly number[]
const rgb = (hex: string): Rgb => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16))
const mixed = (over: Rgb, under: Rgb, opacity: number): Rgb =>
  over.map((c, i) => c * opacity + under[i]! * (1 - opacity))
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
function contrast(a: Rgb, b: Rgb): number {
  const [dark, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (bright! + 0.05) / (dark! + 0.05)
}

describe.each(['light', 'dark'] as const)('the colours of the %s scheme', (scheme) => {
  const { page, line, code, bar, text, ...words } = COLOURS[scheme]

  test('make every text readable on the page, in code and in the darkest field', () => {
    for (const colour of [text, ...Object.values(words)])
      expect(contrast(rgb(colour), rgb(page)), colour).toBeGreaterThanOrEqual(4.5)
    expect(contrast(rgb(text), rgb(code))).toBeGreaterThanOrEqual(4.5)
    expect(contrast(rgb(text), mixed(rgb(bar), rgb(page), DARKEST))).toBeGreaterThanOrEqual(4.5)
  })

  test('make bars and lines seen', () => {
    expect(contrast(rgb(bar), rgb(page))).toBeGreaterThanOrEqual(3)
    expect(contrast(rgb(line), rgb(page))).toBeGreaterThanOrEqual(3)
  })
})
