import { assertNothingUnfinished, type Engine, locked, npmScript, type Outcome, refusing } from './engine.ts'
import { inverted } from './execute.ts'
import { perform } from './perform.ts'
import { type Change, type Plan, Refusal, type Rollback, type Step } from './plan.ts'
import { Records, type RollbackRecord, snapshotFolder } from './records.ts'
import { rollbackText } from './words.ts'

/** Takes a finished rollback back: the newest in force of its scenario, or the one that is named. */
export async function undo(engine: Engine, rollback: Rollback, id: string | undefined, dry: boolean): Promise<Outcome> {
  return await refusing(async () => {
    await assertNothingUnfinished(engine)
    const records = new Records(engine.system, engine.folder)
    const record = await (id === undefined ? records.newestInForce(rollback.scenario) : records.find(id))
    if (!record && id === undefined) return { exit: 0, text: rollbackText('nothing_to_undo') }
    if (record?.begun.scenario !== rollback.scenario || record.result?.exit_code !== 0) {
      throw new Refusal(rollbackText('not_undoable', { id: id ?? '' }), `${npmScript(rollback.scenario)} -- status`)
    }
    const earlier = await records.undoOf(record.id)
    if (earlier) return { exit: 0, text: rollbackText('already_undone', { id: record.id, by: earlier.id }) }
    const plan = reversed(record.begun.plan)
    const steps = stepsOfUndo(rollback, record)
    const assertUndoable = async () => {
      for (const step of stepsBack(rollback, record)) await step.assertUndoable?.()
    }
    await assertUndoable()
    if (dry) return { exit: 0, text: rollbackText('planned'), plan }
    if (!(await engine.confirm(plan, 'undo'))) return { exit: 2, text: rollbackText('declined'), plan }
    return await locked(engine, rollback.scenario, async () => {
      await assertNothingUnfinished(engine)
      await assertUndoable()
      return await perform(engine, {
        ...{ plan, kind: 'undo', scenario: rollback.scenario, of: record.id },
        snapshot: async () => {},
        steps: () => steps,
      })
    })
  })
}

const stepsBack = (rollback: Rollback, { begun, folder }: RollbackRecord): readonly Step[] =>
  (rollback.stepsBack ?? rollback.steps).call(rollback, begun.plan, snapshotFolder({ folder }))

export const stepsOfUndo = (rollback: Rollback, record: RollbackRecord): readonly Step[] =>
  inverted(stepsBack(rollback, record), (step) => rollbackText('step_undo', { title: step.title }))

/** The plan of the way back, for people: where it says nothing else, the same changes the other way round. */
function reversed(plan: Plan): Plan {
  const { validUntil: _, changesBack, ...rest } = plan
  const changes = changesBack ?? plan.changes.map(turned).reverse()
  const commands = plan.commands.map((words) => (words[0] === 'edit' ? ['restore', ...words.slice(1, 2)] : words))
  return { ...rest, changes, commands, hazards: plan.hazardsBack ?? [], notes: plan.notes.slice(0, 1) }
}

const turned = ({ what, from, to, shown }: Change): Change => ({
  ...{ what, from: to, to: from },
  ...(shown ? { shown: { what: shown.what, from: shown.to, to: shown.from } } : {}),
})
