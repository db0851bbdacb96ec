/** What the reader's terminal can do. */
export interface Screen {
  readonly columns: number
  readonly colour: boolean
}

/** How one thing is. Unknown is never ok, and what is not configured was not looked at. */
export const STATES = ['ok', 'warning', 'critical', 'unknown', 'not_configured'] as const
export type State = (typeof STATES)[number]

export const LANGUAGES = ['ko', 'en'] as const
export type Lang = (typeof LANGUAGES)[number]

export const FORMATS = ['table', 'markdown', 'json', 'html'] as const
export type Format = (typeof FORMATS)[number]

/**
 * What the renderers take: plain text, not yet escaped for anything. Each renderer escapes all of it, so that a
 * hostile tool name in a cell needs no thought where the document is built.
 */
export interface Document {
  readonly lang: Lang
  readonly title: string
  /** The first line under the title: what a reader needs who reads no further. */
  readonly verdict?: { readonly state: State; readonly text: string }
  readonly blocks: readonly Block[]
}

export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string; readonly state?: State }
  | { readonly kind: 'list'; readonly items: readonly Item[]; readonly ordered?: boolean }
  | Table
  | Chart
  /** One line to type in a shell. */
  | { readonly kind: 'command'; readonly text: string }

export interface Item {
  readonly text: string
  readonly state?: State
  /** What to type about it. */
  readonly command?: string
}

export interface Table {
  readonly kind: 'table'
  readonly caption: string
  readonly head: readonly string[]
  /** As long as the head, each. The first cell names the row. */
  readonly rows: readonly (readonly Cell[])[]
  /** Per column; `left` where nothing is said. */
  readonly align?: readonly Align[]
}

export type Align = 'left' | 'right'

/**
 * Numbers to look at: a sparkline on a terminal and in Markdown, inline SVG in HTML. `words` says the same to whoever
 * does not see it: the least, the greatest, the last or the peak.
 */
export interface Chart {
  readonly kind: 'chart'
  /** `bars`: one series along the labels. `heat`: a row per series, a column per label. */
  readonly shape: 'bars' | 'heat'
  readonly caption: string
  readonly words: string
  /** One per value of each series: `Mon`, `09`. */
  readonly labels: readonly string[]
  /** `text`: the value as people read it. A null value was not measured, which is not zero. */
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[]
}

export interface Point {
  readonly value: number | null
  readonly text: string
}

export type Cell = string | { readonly text: string; readonly state: State }

/**
 * What a job found out. JSON prints `schema` and `data` (keys are not translated, instants are ISO 8601 with `Z`);
 * the other formats print the document, which is a pure function of the same data.
 */
export interface Report<T extends object = object> {
  /** `ops.daily-report.v1` */
  readonly schema: `ops.${string}.v${number}`
  readonly data: T
  readonly document: (lang: Lang) => Document
}

export const heading = (text: string): Block => ({ kind: 'heading', text })
export const paragraph = (text: string): Block => ({ kind: 'paragraph', text })

export const cellText = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text)

/** The worst of several states. "Could not measure" ranks above warning: it may hide a critical. */
export function worst(states: Iterable<State>): State {
  const rank: readonly State[] = ['not_configured', 'ok', 'warning', 'unknown', 'critical']
  let found = -1
  for (const state of states) found = Math.max(found, rank.indexOf(state))
  return rank[found] ?? 'unknown'
}
