import { type Engine, locked, type Outcome, refusing, unfinished } from './engine.ts'
import { execute, takeBack } from './execute.ts'
import { Journal } from './journal.ts'
import { conclude } from './perform.ts'
import { Refusal, type Rollback, type Step } from './plan.ts'
import { Records, type RollbackRecord, snapshotFolder } from './records.ts'
import { stepsOfUndo } from './undo.ts'
import { rollbackText } from './words.ts'

/** Finishes a run that was cut off, or takes it back when it was on its way back or its time is over. */
export async function resume(engine: Engine, rollback: Rollback): Promise<Outcome> {
  return await refusing(async () => {
    const records = new Records(engine.system, engine.folder)
    if (!(await records.unfinished())) return { exit: 0, text: rollbackText('nothing_unfinished') }
    return await locked(engine, rollback.scenario, async () => {
      const record = await records.unfinished()
      if (!record) return { exit: 0, text: rollbackText('nothing_unfinished') }
      const { begun, folder, id } = record
      if (begun.scenario !== rollback.scenario) throw unfinished(record)
      const steps = await stepsAgain(rollback, record, records)
      const entries = await records.journal(id)
      const journal = new Journal(folder, { ...engine, pause: engine.pause ?? (async () => {}) })
      const progress = { journal, stop: engine.stop, say: engine.say }
      const back = entries.some(({ what }) => what === 'taking-back')
      const late = begun.kind === 'apply' && begun.plan.validUntil && Date.parse(begun.plan.validUntil) <= engine.now()
      const why = entries.find(({ what }) => what === 'taking-back')?.detail
      await journal.note('resumed', undefined, `${engine.by}: ${back || late ? 'back' : 'forward'}`)
      const ending =
        back || late
          ? await takeBack(
              startedOf(steps, entries),
              late ? rollbackText('too_late') : { ko: why ?? '-', en: why ?? '-' },
              progress,
            )
          : await execute(steps, progress)
      return await conclude(engine, journal, begun, ending)
    })
  })
}

/** The steps of a run that was cut off, from what it left in its folder. */
async function stepsAgain(rollback: Rollback, record: RollbackRecord, records: Records): Promise<readonly Step[]> {
  const { begun, folder } = record
  if (begun.kind === 'apply') return rollback.steps(begun.plan, snapshotFolder({ folder }))
  const undone = begun.of === undefined ? undefined : await records.find(begun.of)
  if (!undone) throw new Refusal(rollbackText('not_undoable', { id: begun.of ?? '' }))
  return stepsOfUndo(rollback, undone)
}

function startedOf(steps: readonly Step[], entries: Awaited<ReturnType<Records['journal']>>): readonly Step[] {
  const started = new Set(entries.filter(({ what }) => what === 'applying').map(({ step }) => step))
  return steps.filter(({ id }) => started.has(id))
}
