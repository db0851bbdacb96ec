import type { Point } from './document.ts'

const LEVELS = [...'▁▂▃▄▅▆▇█']

/**
 * One character per value, from the bottom for zero to the top for the greatest; `·` where nothing was measured.
 * More than nothing never looks like nothing.
 */
export function sparkline(points: readonly Point[]): string {
  const top = Math.max(0, ...points.map(({ value }) => value ?? 0))
  return points
    .map(({ value }) => {
      if (value === null) return '·'
      if (value <= 0 || top === 0) return LEVELS[0]
      return LEVELS[Math.max(1, Math.round((value / top) * (LEVELS.length - 1)))]
    })
    .join('')
}

/** A chart of several rows as a table of its numbers: what a terminal and Markdown can show of a heat map. */
export const numbersOf = (chart: {
  readonly caption: string
  readonly labels: readonly string[]
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[]
}) => ({
  kind: 'table' as const,
  caption: chart.caption,
  head: ['', ...chart.labels],
  align: ['left' as const, ...chart.labels.map(() => 'right' as const)],
  rows: chart.series.map(({ name, points }) => [name, ...points.map(({ text }) => text)]),
})
