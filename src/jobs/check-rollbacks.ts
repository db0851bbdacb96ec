import { dirname, join } from 'node:path'
import type { Finding } from '../report/daily-check-data.ts'
import { MAX_RESULT_BYTES, parseRollbackResult, ROLLBACK_ID, type RollbackResult } from '../report/rollback-result.ts'
import type { ProcessIdentity, System } from '../system/system.ts'
import { finding, iso } from './check.ts'

const DAY = 86_400_000
/** No rollback is allowed to take longer: then it does not run any more, wherever it was started. */
const LONGEST_MS = 2 * 3_600_000
/** A plan holds whatever its scenario needs; more than this is not read. */
const MAX_PLAN_BYTES = 4 * 1024 * 1024

/** One rollback as its folder tells of it. */
export interface RollbackSeen {
  readonly id: string
  readonly scenario: string
  readonly by: string
  readonly startedAt: number
  /** `running`: its process lives. `cut_off`: nobody will finish it unless asked to. */
  readonly state: 'running' | 'cut_off' | 'finished'
  readonly result: RollbackResult | null
}

export interface CheckedRollbacks {
  readonly finding: Finding
  /** The rollback that turned the gate off and was not undone, whether or not it is off still. */
  readonly disabled: RollbackResult | null
}

export async function checkRollbacks(system: System, folder: string, now: number): Promise<CheckedRollbacks> {
  const data = dirname(folder)
  if ((await system.stat(data)) === null) {
    const more = { next: 'grep -n SECURITY_DB_PATH .env' }
    return { finding: finding('rollbacks.unmeasured', 'unknown', { path: data }, more), disabled: null }
  }
  const seen = await readRollbacks(system, folder, now)
  return { finding: rollbacksFinding(seen, now), disabled: disabledBy(seen) }
}

function disabledBy(seen: readonly RollbackSeen[]): RollbackResult | null {
  const done = seen.flatMap(({ result }) => (result?.outcome === 'done' ? [result] : []))
  const undone = done.map(({ undoes }) => undoes)
  return (
    done.findLast(({ id, scenario, kind }) => scenario === 'disable' && kind === 'apply' && !undone.includes(id)) ??
    null
  )
}

/** What lies in `data/rollbacks`, oldest first. @throws Error for what cannot be read: it may hide anything */
export async function readRollbacks(system: System, folder: string, now: number): Promise<RollbackSeen[]> {
  const seen: RollbackSeen[] = []
  const read = async (path: string, most: number): Promise<string | null> =>
    (await system.stat(path)) === null ? null : await system.readText(path, most)
  for (const id of (await system.list(folder)).filter((name) => ROLLBACK_ID.test(name))) {
    const said = await read(join(folder, id, 'result.json'), MAX_RESULT_BYTES)
    if (said !== null) {
      const result = parseRollbackResult(said, id)
      const { scenario, by, started_at } = result
      seen.push({ id, scenario, by, startedAt: Date.parse(started_at), state: 'finished', result })
      continue
    }
    const plan = await read(join(folder, id, 'plan.json'), MAX_PLAN_BYTES)
    // Without a plan it never changed anything.
    if (plan === null) continue
    const { scenario, by, started_at, process } = JSON.parse(plan) as Begun
    const startedAt = Date.parse(started_at)
    // Of a process on another machine (or outside of our container) nobody knows whether it lives.
    const runs = now - startedAt < LONGEST_MS && (await system.isAlive(process))
    seen.push({ id, scenario, by, startedAt, state: runs ? 'running' : 'cut_off', result: null })
  }
  return seen
}

/** Of what the rollback keeps of itself before it changes anything. */
interface Begun {
  readonly scenario: string
  readonly by: string
  readonly started_at: string
  readonly process: ProcessIdentity
}

/** The gravest first: somebody's half-done change is worse than a known failure. */
export function rollbacksFinding(seen: readonly RollbackSeen[], now: number): Finding {
  const cutOff = seen.findLast(({ state }) => state === 'cut_off')
  if (cutOff) return ofOne('rollbacks.cut_off', 'critical', cutOff, 'resume')
  const uncertain = seen.findLast(({ result }) => result?.outcome === 'uncertain')
  if (uncertain && !isClearedUp(uncertain, seen)) {
    return ofOne('rollbacks.uncertain', 'critical', uncertain, `status ${uncertain.id}`)
  }
  const running = seen.findLast(({ state }) => state === 'running')
  if (running) return ofOne('rollbacks.running', 'warning', running, 'status')
  const last = seen.findLast(({ result }) => result && Date.parse(result.finished_at) > now - DAY)
  if (!last?.result) return finding('rollbacks.none', 'ok', { rollbacks: seen.length })
  const { id, scenario, kind, outcome, by, reason, finished_at, until } = last.result
  const facts = { id, kind, scenario, outcome, by, reason, finished_at, until_at: until ?? null }
  const more = { since: Date.parse(finished_at), next: `npm run rollback-${scenario} -- status ${id}` }
  if (outcome === 'restored') return finding('rollbacks.restored', 'warning', facts, more)
  if (kind === 'undo') return finding('rollbacks.undone', 'warning', facts, more)
  return until && Date.parse(until) > now
    ? finding('rollbacks.leased', 'warning', facts, more)
    : finding('rollbacks.done', 'warning', facts, more)
}

/** A later rollback of the same kind that ended well leaves nothing uncertain. */
const isClearedUp = ({ id, scenario }: RollbackSeen, seen: readonly RollbackSeen[]): boolean =>
  seen.some((later) => later.id > id && later.scenario === scenario && later.result?.outcome === 'done')

function ofOne(
  key: 'rollbacks.cut_off' | 'rollbacks.uncertain' | 'rollbacks.running',
  state: 'critical' | 'warning',
  { id, scenario, by, startedAt }: RollbackSeen,
  verb: string,
): Finding {
  const next = `npm run rollback-${scenario} -- ${verb}`
  return finding(key, state, { id, scenario, by, started_at: iso(startedAt) }, { since: startedAt, next })
}
