import type { Lang } from './document.ts'

/** Below this many cases a percentage says more than is known. */
export const ENOUGH = 10

export const count = (n: number): string => n.toLocaleString('en-US')

/** Always k/n; with a percentage from ten cases on. `–` when there is no case. */
export function ratio(k: number, n: number): string {
  if (n === 0) return '–'
  const parts = `${count(k)}/${count(n)}`
  if (n < ENOUGH) return parts
  const percent = (100 * k) / n
  // Some is never rounded up to all, nor a few down to none.
  const shown = k === n || k === 0 ? percent : Math.min(99.9, Math.max(0.1, percent))
  return `${parts} (${shown.toFixed(1)}%)`
}

const UNITS: Readonly<Record<Lang, readonly [h: string, m: string, s: string]>> = {
  ko: ['시간', '분', '초'],
  en: [' h', ' min', ' s'],
}

/** `0.4초`, `2분 5초`, `3시간 12분`: two units at most. */
export function duration(ms: number, lang: Lang): string {
  const [h, m, s] = UNITS[lang]
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}${s}`
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes === 0) return `${seconds}${s}`
  if (minutes < 60) return joined(minutes, m, seconds % 60, s)
  return joined(Math.floor(minutes / 60), h, minutes % 60, m)
}

const joined = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${count(big)}${bigUnit}` : `${count(big)}${bigUnit} ${small}${smallUnit}`
