import { assertNothingUnfinished, type Engine, locked, type Outcome, refusing } from './engine.ts'
import { perform } from './perform.ts'
import { type Already, type Plan, Refusal, type Rollback } from './plan.ts'
import { rollbackText } from './words.ts'

/** The plan, and nothing else: no lock, no folder, no byte. */
export async function dryRun(engine: Engine, rollback: Rollback): Promise<Outcome> {
  return await refusing(async () => {
    await assertNothingUnfinished(engine)
    const plan = await rollback.plan()
    if ('already' in plan) return { exit: 0, text: plan.already }
    return { exit: 0, text: rollbackText('planned'), plan }
  })
}

export async function apply(engine: Engine, rollback: Rollback): Promise<Outcome> {
  return await refusing(async () => {
    await assertNothingUnfinished(engine)
    const plan = await rollback.plan()
    if ('already' in plan) return { exit: 0, text: plan.already }
    if (!(await engine.confirm(plan, rollback.scenario))) return { exit: 2, text: rollbackText('declined'), plan }
    return await locked(engine, rollback.scenario, async () => {
      await assertNothingUnfinished(engine)
      assertFresh(plan, await rollback.plan())
      return await perform(engine, {
        ...{ plan, kind: 'apply', scenario: rollback.scenario },
        snapshot: (folder) => rollback.snapshot(plan, folder),
        steps: (folder) => rollback.steps(plan, folder),
      })
    })
  })
}

function assertFresh(plan: Plan, again: Plan | Already): void {
  const now = 'already' in again ? [] : again.observations
  const changed = plan.observations.filter(
    ({ what, value }) => now.find((other) => other.what === what)?.value !== value,
  )
  if (changed.length === 0 && now.length === plan.observations.length) return
  throw new Refusal(rollbackText('stale', { what: changed.map(({ what }) => what).join(', ') || '-' }))
}
