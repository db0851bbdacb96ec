import { join } from 'node:path'
import { type Engine, npmScript, type Outcome } from './engine.ts'
import { type Ending, execute } from './execute.ts'
import { Journal } from './journal.ts'
import { type Plan, Refusal, type Scenario, type Step, type Text } from './plan.ts'
import { type Begun, type Result, snapshotFolder } from './records.ts'
import { failure, rollbackText, textOf } from './words.ts'

interface Work {
  readonly plan: Plan
  readonly kind: Begun['kind']
  readonly scenario: Scenario
  readonly of?: string
  readonly snapshot: (folder: string) => Promise<void>
  readonly steps: (folder: string) => readonly Step[]
}

/** Snapshot, then the steps, under the lock. What fails before the plan is written never began. */
export async function perform(engine: Engine, { plan, kind, scenario, of, snapshot, steps }: Work): Promise<Outcome> {
  const { system, now, by, reason, ticket, stop, say } = engine
  const pause = engine.pause ?? (async () => {})
  const started_at = new Date(now()).toISOString()
  const stamp = started_at.replace(/\.\d+/, '').replace(/[-:]/g, '')
  const id = `${stamp}-${kind === 'undo' ? 'undo-' : ''}${scenario}-${system.newId().slice(0, 4)}`
  const folder = join(engine.folder, id)
  const journal = new Journal(folder, { system, now, pause })
  const self = await system.self()
  const begun: Begun = {
    ...{ id, scenario, kind, started_at, by, host: self.host, process: self, reason, plan },
    ...(of === undefined ? {} : { of }),
    ...(ticket === undefined ? {} : { ticket }),
  }
  try {
    await pause('locked')
    await system.makeFolder(snapshotFolder({ folder }))
    await pause('folder made')
    await snapshot(snapshotFolder({ folder }))
    await pause('snapshot kept')
    if (stop.aborted) throw failure('stopped', { by: String(stop.reason) })
    await journal.begin(begun)
  } catch (error) {
    // Without a plan it never began.
    await system.remove(folder).catch(() => {})
    throw error instanceof Refusal ? error : new Refusal(rollbackText('not_begun', { problem: textOf(error) }))
  }
  const ending = await execute(steps(snapshotFolder({ folder })), { journal, stop, say })
  return await conclude(engine, journal, begun, ending)
}

/** Keeps what it came to. */
export async function conclude(engine: Engine, journal: Journal, begun: Begun, ending: Ending): Promise<Outcome> {
  const { plan, of, ticket } = begun
  const exit = ({ done: 0, restored: 1, uncertain: 3 } as const)[ending.outcome]
  const summary = summaryOf(begun, ending, journal.folder)
  const result: Result = {
    ...{ id: begun.id, scenario: begun.scenario, kind: begun.kind, outcome: ending.outcome, exit_code: exit },
    ...{ started_at: begun.started_at, finished_at: new Date(engine.now()).toISOString() },
    ...{ by: begun.by, host: begun.host, reason: begun.reason },
    ...(of === undefined ? {} : { undoes: of }),
    ...(ticket === undefined ? {} : { ticket }),
    // A gate that was never left open has no end.
    ...(begun.kind === 'apply' && ending.outcome !== 'restored' && plan.validUntil ? { until: plan.validUntil } : {}),
    ...{ target: plan.target, runtime: plan.runtime, changes: plan.changes, summary },
  }
  const script = npmScript(begun.scenario)
  const back = begun.kind === 'undo' ? undefined : `${script} -- undo --reason '...'`
  const next = ending.outcome === 'done' ? back : `${script} -- status ${begun.id}`
  try {
    await journal.finish(result)
  } catch (error) {
    const text = rollbackText('not_recorded', { summary, problem: textOf(error) })
    return { exit, text, next: `${script} -- resume`, plan, result }
  }
  return { exit, text: summary, ...(next === undefined ? {} : { next }), plan, result }
}

function summaryOf({ kind, id }: Begun, ending: Ending, folder: string): Text {
  if (ending.outcome === 'done') return rollbackText(kind === 'undo' ? 'done_undo' : 'done', { id })
  if (ending.outcome === 'restored') return rollbackText('restored', { why: ending.why })
  const worse = ending.worse
  const join = (lang: 'ko' | 'en') => worse.map((text) => text[lang]).join('; ')
  return rollbackText('uncertain', { why: ending.why, worse: { ko: join('ko'), en: join('en') }, folder })
}
