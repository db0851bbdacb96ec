import type { System } from '../system/system.ts'
import type { Progress } from './execute.ts'
import type { Pause } from './journal.ts'
import { Failure, type Plan, Refusal, type Scenario, type Text } from './plan.ts'
import { Records, type Result, type RollbackRecord } from './records.ts'
import { rollbackText, textOf } from './words.ts'

/** Who holds the lock: shown to whoever meets it. */
export interface Holder {
  readonly by: string
  readonly since: string
  readonly what: string
  readonly reason: string
  readonly pid: number
}

/** One rollback at a time, held by the operating system: it ends with the process that holds it, however that ends. */
export interface Lock {
  /** @returns what releases it, or who has it */
  acquire(holder: Holder): Promise<{ readonly release: () => void } | { readonly holder: Holder | undefined }>
}

export interface Engine {
  readonly system: System
  readonly now: () => number
  /** `data/rollbacks` */
  readonly folder: string
  readonly lock: Lock
  /** Who runs it, `sudo` included. */
  readonly by: string
  readonly reason: string
  readonly ticket: string | undefined
  /** Shown before anything changes; false declines. @throws Refusal where nobody can be asked */
  readonly confirm: (plan: Plan, word: string) => Promise<boolean>
  readonly say: Progress['say']
  /** Aborted when the run should end: before the first change it just ends, after it the change is taken back. */
  readonly stop: AbortSignal
  readonly pause?: Pause
}

export interface Outcome {
  /** 0 done or already so, 1 taken back, 2 nothing changed, 3 uncertain, 75 somebody else is at it. */
  readonly exit: 0 | 1 | 2 | 3 | 75
  readonly text: Text
  /** What to type next, where there is something. */
  readonly next?: string
  readonly plan?: Plan
  readonly result?: Result
}

export const npmScript = (scenario: Scenario): string => `npm run rollback-${scenario}`

export async function assertNothingUnfinished(engine: Engine): Promise<void> {
  const record = await new Records(engine.system, engine.folder).unfinished()
  if (!record) return
  const { begun } = record
  if (await engine.system.isAlive(begun.process)) {
    const self = await engine.system.self()
    if (begun.process.pid !== self.pid)
      throw new Held({ ...begun, ...{ since: begun.started_at, what: begun.scenario } })
  }
  throw unfinished(record)
}

export const unfinished = ({ id, begun }: RollbackRecord): Refusal =>
  new Refusal(rollbackText('unfinished', { id, by: begun.by }), `${npmScript(begun.scenario)} -- resume`)

class Held extends Failure {
  constructor(holder: Partial<Holder> | undefined) {
    const { by = '?', since = '?', what = '?', reason = '?' } = holder ?? {}
    super(rollbackText('held', { by, since, what, reason }))
  }
}

export async function locked(engine: Engine, scenario: Scenario, work: () => Promise<Outcome>): Promise<Outcome> {
  const { by, reason, now, system } = engine
  const { pid } = await system.self()
  let lock: Awaited<ReturnType<Lock['acquire']>>
  try {
    await system.makeFolder(engine.folder)
    lock = await engine.lock.acquire({ by, since: new Date(now()).toISOString(), what: scenario, reason, pid })
  } catch (error) {
    throw new Refusal(rollbackText('not_begun', { problem: textOf(error) }), `ls -ld ${engine.folder}`)
  }
  if ('holder' in lock) throw new Held(lock.holder)
  try {
    return await work()
  } finally {
    lock.release()
  }
}

export async function refusing(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Held) return { exit: 75, text: error.text }
    if (!(error instanceof Refusal)) throw error
    return { exit: 2, text: error.text, ...(error.next === undefined ? {} : { next: error.next }) }
  }
}
