import type { CheckName, CheckState, Code, Facts, FactsOf, Finding } from '../report/daily-check-data.ts'

interface More {
  /** ms since 1970 */
  readonly since?: number | null | undefined
  readonly next?: string | null | undefined
}

/** One finding: `server.refused` is the check and the sentence of the catalogue that says what was found. */
export function finding<K extends Code>(
  key: K,
  state: CheckState,
  facts: FactsOf<K> & Facts,
  more: More = {},
): Finding {
  const dot = key.indexOf('.')
  return {
    check: key.slice(0, dot) as CheckName,
    state,
    code: key.slice(dot + 1),
    facts,
    since: iso(more.since ?? null),
    next_command: more.next ?? null,
  }
}

/** ISO 8601; null for no instant and for a text of the database that is none. */
export const iso = (ms: number | null): string | null =>
  ms === null || Number.isNaN(ms) ? null : new Date(ms).toISOString()

/** What a check came to: its value, or why there is none. */
export type Attempt<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly error: Error | 'deadline'; readonly limitMillis: number }

/** One check with its own deadline, which hides no other: it never rejects. */
export async function attempt<T>(limitMillis: number, work: () => Promise<T> | T): Promise<Attempt<T>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Attempt<T>>((resolve) => {
    timer = setTimeout(() => resolve({ done: false, error: 'deadline', limitMillis }), limitMillis)
  })
  try {
    return await Promise.race([(async () => ({ done: true as const, value: await work() }))(), late])
  } catch (error) {
    return { done: false, error: error as Error, limitMillis }
  } finally {
    clearTimeout(timer)
  }
}

/** "Could not measure", for a check that threw or took too long. */
export function unmeasured(check: CheckName, failed: Attempt<unknown> & { done: false }): Finding {
  const { error, limitMillis } = failed
  const said =
    error === 'deadline'
      ? { code: 'deadline', facts: { limit_millis: limitMillis } }
      : { code: 'failed', facts: { message: error.message } }
  return { check, state: 'unknown', ...said, since: null, next_command: 'npm run daily-check' }
}
