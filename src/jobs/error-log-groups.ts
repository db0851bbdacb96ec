import { redactText } from '../approval/redact.ts'
import type { LogEvent } from './error-log-blocks.ts'

/** All events of one kind. */
export interface ErrorGroup {
  /** The sample without what differs from time to time: ids, numbers, paths' numbers. */
  readonly fingerprint: string
  readonly count: number
  /** Instants in ms; null when no line of the group says when it was written. */
  readonly first: number | null
  readonly last: number | null
  /** The newest of them, on one line, without secrets and control characters. */
  readonly sample: string
}

const MAX_GROUPS = 500
const MAX_SAMPLE = 200

/** Counts events by kind, in bounded memory whatever the log holds. */
export class Groups {
  #groups = new Map<string, { count: number; first: number | null; last: number | null; sample: string }>()
  events = 0
  /** Events of kinds beyond the limit: counted, not described. */
  ungrouped = 0

  add({ at, text }: LogEvent): void {
    this.events++
    const key = fingerprint(text)
    const known = this.#groups.get(key)
    if (known) {
      known.count++
      if (at !== null) {
        known.first = known.first === null ? at : Math.min(known.first, at)
        known.last = known.last === null ? at : Math.max(known.last, at)
      }
      known.sample = text.slice(0, MAX_SAMPLE * 4)
    } else if (this.#groups.size < MAX_GROUPS) {
      this.#groups.set(key, { count: 1, first: at, last: at, sample: text.slice(0, MAX_SAMPLE * 4) })
    } else this.ungrouped++
  }

  /** Most frequent first; of equals the newest, then by text, so that the same log gives the same list. */
  list(): ErrorGroup[] {
    return [...this.#groups]
      .map(([key, group]) => ({ fingerprint: key, ...group, sample: sample(group.sample) }))
      .sort((a, b) => b.count - a.count || (b.last ?? 0) - (a.last ?? 0) || (a.fingerprint < b.fingerprint ? -1 : 1))
  }
}

const VARIABLE: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*/g, '<time>'],
  [/\b0x[0-9a-f]+\b/gi, '<hex>'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b/gi, '<hex>'],
  [/\d+/g, '<n>'],
]

export function fingerprint(text: string): string {
  let result = redactText(text.slice(0, 1000))
  for (const [pattern, name] of VARIABLE) result = result.replace(pattern, name)
  return result.replace(/\s+/g, ' ').trim().slice(0, MAX_SAMPLE)
}

function sample(text: string): string {
  const line = redactText(text)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  const characters = [...line]
  return characters.length > MAX_SAMPLE ? `${characters.slice(0, MAX_SAMPLE - 1).join('')}…` : line
}
