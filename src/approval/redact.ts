export const REDACTED = '[redacted]'

/** Longer texts are cut before they are searched: this serves summaries, and its time must be bounded. */
const MAX_TEXT = 16_384
const MAX_DEPTH = 16
const MAX_ITEMS = 200

const SECRET_NAME =
  /pass(?:word|wd|phrase|code)|pwd|secret|token|api[-_ ]?key|authori[sz]ation|credential|cookie|private[-_ ]?key|access[-_ ]?key/i

/** Shapes that are secrets wherever they stand. No nested or unbounded leading repetition: arguments are hostile. */
const SHAPES: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z0-9 ]{1,40}-----[^-]*(?:-----END [A-Z0-9 ]{1,40}-----)?/g, REDACTED],
  [/\b(Bearer|Basic|Token)(\s+)[A-Za-z0-9._~+/=-]{6,}/gi, `$1$2${REDACTED}`],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,2000}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, REDACTED],
  [/\bsk-[A-Za-z0-9_-]{8,}/g, REDACTED],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|npm_|hf_|xox[abeprs]-|xapp-)[A-Za-z0-9_-]{8,}/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, REDACTED],
  [/\bAIza[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/(:\/\/[^\s:@/]{0,200}:)[^\s@/]+@/g, `$1${REDACTED}@`],
]

/** `password=x`, `"token": "x"`, `--api-key x`: the value goes, the name stays. */
const ASSIGNED =
  /(?<![A-Za-z0-9_-])(--?)?([A-Za-z0-9_-]{0,40}?(?:password|passwd|passphrase|secret|token|api[-_]?key|credential|private[-_]?key|access[-_]?key)[A-Za-z0-9_-]{0,40})(["']?)(\s*[:=]\s*|\s+)("[^"]*"?|'[^']*'?|[^\s"',;&]+)/gi

/** The text without what looks like a secret in it, cut where it is long. */
export const redactText = (text: string): string =>
  redactWhole(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

function redactWhole(text: string): string {
  let result = text
  for (const [shape, replacement] of SHAPES) result = result.replace(shape, replacement)
  return result.replace(
    ASSIGNED,
    (all, dash: string | undefined, name: string, quote: string, gap: string, value: string) => {
      const isAssignment = gap.trim() !== '' || dash !== undefined
      return isAssignment && value !== REDACTED ? `${dash ?? ''}${name}${quote}${gap}${REDACTED}` : all
    },
  )
}

/**
 * A copy of a JSON value that may be shown in a list: what stands under a secret's name, or looks like a secret, is
 * replaced. It is for overviews, and leaves out what is long; whoever decides is shown `redactArguments`.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '…'
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1))
  const entries = Object.entries(value).slice(0, MAX_ITEMS)
  return Object.fromEntries(
    entries.map(([name, item]) => [redactText(name), SECRET_NAME.test(name) ? REDACTED : redact(item, depth + 1)]),
  )
}

/** The arguments of a request as an approver is shown them. */
export interface Shown {
  /** JSON; the very text that was digested when `redacted` is 0. */
  readonly request_data: string
  /** How many values look like a secret and are not shown, or not in whole. */
  readonly redacted: number
}

/**
 * The arguments without secrets, and with everything else: nothing is cut, and what is hidden is counted, so that
 * nobody who decides takes it for the whole. The digest covers the text that came in.
 */
export function redactArguments(requestData: string): Shown {
  let value: unknown
  try {
    value = JSON.parse(requestData)
  } catch {
    // A row of the old system.
    const text = redactWhole(requestData)
    return { request_data: text, redacted: text === requestData ? 0 : 1 }
  }
  let redacted = 0
  const seen = <T>(after: T, before: T): T => {
    if (after !== before) redacted++
    return after
  }
  const show = (item: unknown, isSecret: boolean): unknown => {
    if (typeof item === 'string') return seen(isSecret && item !== '' ? REDACTED : redactWhole(item), item)
    if (typeof item === 'number') return isSecret ? seen<unknown>(REDACTED, item) : item
    if (typeof item !== 'object' || item === null) return item
    if (Array.isArray(item)) return item.map((inner) => show(inner, isSecret))
    const names = new Set<string>()
    const entries = Object.entries(item).map(([name, inner]): [string, unknown] => {
      let shown = seen(redactWhole(name), name)
      // Two names that look the same now must not become one argument.
      while (names.has(shown)) shown += "'"
      names.add(shown)
      return [shown, show(inner, isSecret || SECRET_NAME.test(name))]
    })
    return Object.fromEntries(entries)
  }
  const shown = show(value, false)
  return { request_data: redacted === 0 ? requestData : JSON.stringify(shown), redacted }
}
