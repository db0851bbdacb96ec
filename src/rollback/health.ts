import { setTimeout as sleep } from 'node:timers/promises'
import type { System } from '../system/system.ts'
import { Failure, type Text } from './plan.ts'
import type { Expectation, Health, Stability } from './runtime.ts'
import { failure, rollbackText } from './words.ts'

const ASK_MS = 3_000

/** What the server says of itself; `undefined` when it does not answer, or something else answers there. */
export async function readHealth(system: System, url: string, timeoutMs = ASK_MS): Promise<Health | undefined> {
  const answer = await system.http({ url: `${url}/health`, timeoutMs })
  if (!answer.answered) return undefined
  try {
    const body = JSON.parse(answer.text) as Partial<Health> & { readonly service?: string }
    return body.service === 'approval-ops' && body.gate && body.config ? (body as Health) : undefined
  } catch {
    return undefined
  }
}

/** What is not as expected, in words; `undefined` when all of it is. */
export function mismatch(health: Health, expected: Expectation, now: number): Text | undefined {
  if (health.status !== 'ok') return rollbackText('says_degraded', { status: health.status })
  const { effective, from } = health.config
  // What the server's environment sets is not the file's to change.
  const unchanged = Object.entries(expected.unchanged).filter(([key]) => from?.[key] !== 'environment')
  for (const [key, text] of [...unchanged, ...Object.entries(expected.settings)]) {
    if (effective[key] !== text) {
      return rollbackText('says_setting', { key, is: shown(effective[key]), not: shown(text) })
    }
  }
  return expected.gate && gateMismatch(health.gate, expected.gate, now)
}

function gateMismatch(gate: Health['gate'], expected: NonNullable<Expectation['gate']>, now: number): Text | undefined {
  const over = expected.until !== null && Date.parse(expected.until) <= now
  const on = expected.effective || over
  if (gate.effective !== on) return rollbackText(gate.effective ? 'says_gate_on' : 'says_gate_off')
  if (on || sameInstant(gate.disabled_until, expected.until)) return undefined
  return rollbackText('says_gate_until', { is: gate.disabled_until ?? '-', not: expected.until ?? '-' })
}

const sameInstant = (a: string | null, b: string | null): boolean =>
  a === null || b === null ? a === b : Date.parse(a) === Date.parse(b)

const shown = (text: string | undefined): string => (text === undefined ? 'unknown' : JSON.stringify(text))

/** One look at the server. */
export interface Look {
  /** Which server it was: changes with every restart. `undefined`: none was there. */
  readonly who: string | undefined
  readonly health: Health | undefined
  /** Nothing will become better by waiting: why. */
  readonly hopeless?: Text
}

export interface Watch {
  readonly look: () => Promise<Look>
  readonly now: () => number
  readonly stability: Stability
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until one and the same server has done what is expected so often and so long that it is believed.
 * @throws Error that says what was still wrong at the end
 */
export async function becomesStable(expected: Expectation, { look, now, stability, signal }: Watch): Promise<void> {
  const end = performance.now() + stability.withinMs
  let who: string | undefined
  let since = 0
  let good = 0
  let problem: Text | undefined
  while (!signal?.aborted) {
    const seen = await look()
    if (seen.hopeless) throw new Failure(seen.hopeless)
    problem = problemOf(seen, expected, now())
    if (problem || (who !== undefined && seen.who !== who)) good = 0
    if (!problem) {
      if (good === 0) since = performance.now()
      good += 1
      if (good >= stability.answers && performance.now() - since >= stability.overMs) return
    }
    who = seen.who
    if (performance.now() > end) {
      const seconds = Math.round(stability.withinMs / 1000)
      throw failure('not_stable', { seconds, problem: problem ?? rollbackText('replaced_again') })
    }
    await sleep(stability.everyMs, undefined, signal ? { signal } : {}).catch(() => {})
  }
  throw failure('stopped', { by: String(signal?.reason) })
}

function problemOf({ who, health }: Look, expected: Expectation, now: number): Text | undefined {
  if (who === undefined) return rollbackText('no_server')
  return health ? mismatch(health, expected, now) : rollbackText('no_answer')
}
