import type { Journal } from './journal.ts'
import { Failure, type Mark, type Step, type Text } from './plan.ts'
import { rollbackText, textOf } from './words.ts'

export interface Progress {
  readonly journal: Journal
  /** Aborted when somebody asks us to end: then what was begun is taken back. */
  readonly stop: AbortSignal
  /** Tells the person who waits. */
  readonly say: (step: Step, what: 'applying' | 'verifying' | 'undoing' | 'proving') => void
}

export type Ending =
  | { readonly outcome: 'done' }
  /** `why`: what failed first. `worse`: what failed on the way back. */
  | { readonly outcome: 'restored'; readonly why: Text }
  | { readonly outcome: 'uncertain'; readonly why: Text; readonly worse: readonly Text[] }

/** Takes every step and proves it; what cannot be proven is taken back, and that is proven too. */
export async function execute(steps: readonly Step[], progress: Progress): Promise<Ending> {
  const { journal, stop, say } = progress
  const begun: Step[] = []
  try {
    for (const step of steps) {
      assertGoing(stop)
      begun.push(step)
      await journal.note('applying', step.id)
      say(step, 'applying')
      await step.apply(marking(journal, step))
      await journal.note('applied', step.id)
      assertGoing(stop)
      say(step, 'verifying')
      await step.verify(stop)
      assertGoing(stop)
      await journal.note('verified', step.id)
    }
    return { outcome: 'done' }
  } catch (error) {
    return await takeBack(begun, textOf(error), progress)
  }
}

/** In reverse, whatever fails on the way: a step that cannot be taken back must not keep the others. */
export async function takeBack(steps: readonly Step[], why: Text, progress: Progress): Promise<Ending> {
  const { journal, say } = progress
  const problems: Text[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      problems.push(textOf(error))
    }
  }
  // The way back does not depend on a journal that can no longer be written.
  const note: Journal['note'] = (...entry) => journal.note(...entry).catch(() => {})
  await note('taking-back', undefined, why.en)
  for (const step of steps.toReversed()) {
    say(step, 'undoing')
    await note('undoing', step.id)
    await attempt(() => step.undo((moment) => note('moment', step.id, moment)))
    await note('undone', step.id)
  }
  for (const step of steps) {
    say(step, 'proving')
    await attempt(() => step.verifyUndone())
  }
  if (problems.length === 0) return { outcome: 'restored', why }
  return { outcome: 'uncertain', why, worse: [...new Map(problems.map((problem) => [problem.en, problem])).values()] }
}

/** The same steps the other way round: what an undo does, with the way back to where it began. */
export const inverted = (steps: readonly Step[], title: (step: Step) => Text): readonly Step[] =>
  steps.toReversed().map((step) => ({
    id: step.id,
    title: title(step),
    apply: (mark) => step.undo(mark),
    verify: (signal) => step.verifyUndone(signal),
    undo: (mark) => step.apply(mark),
    verifyUndone: (signal) => step.verify(signal),
  }))

const marking =
  (journal: Journal, step: Step): Mark =>
  (moment) =>
    journal.note('moment', step.id, moment)

function assertGoing(stop: AbortSignal): void {
  if (stop.aborted) throw new Failure(rollbackText('stopped', { by: String(stop.reason) }))
}
