import { join } from 'node:path'
import type { System } from '../system/system.ts'
import { type FileState, fileState, sha256 } from './configure.ts'
import { envSentence } from './env-words.ts'
import { Failure, type Mark, Refusal, type Step } from './plan.ts'
import type { Expectation, Observed, Runtime } from './runtime.ts'
import { failure, rollbackText } from './words.ts'

/** `env.before`: the file as it is. `env.earlier`: the same, with the values that the server has had. */
export const KEPT = { before: 'env.before', earlier: 'env.earlier' }

export interface TakeOver {
  readonly system: System
  readonly runtime: Runtime
  readonly file: string
  readonly before: FileState | null
  readonly earlier: FileState
  readonly wasRunning: boolean
  /** Tells the container's variables apart from any others; `null` without a container. */
  readonly given: string | null
  readonly applied: Expectation
  readonly undone: Expectation
  /** The snapshot's folder. */
  readonly folder: string
}

/**
 * Makes the server take over its file, which stays as it is. The way back needs the file for a moment: it says what
 * the server did before, the server takes that over, and then the file is again, byte for byte, what it was.
 */
export function takeOverStep(work: TakeOver): Step {
  const { system, runtime, file, before, earlier, wasRunning, given, applied, undone, folder } = work
  const is = async (state: FileState | null): Promise<boolean> =>
    (await fileState(system, file))?.sha256 === state?.sha256

  async function assertAsPlanned(): Promise<void> {
    if (!(await is(before))) throw new Failure(envSentence('file_changed', { file }))
  }

  async function putBack(mark: Mark): Promise<void> {
    await system.discardUnfinished(file)
    if ((await is(before)) || !(await is(earlier))) return
    if (before === null) await system.remove(file)
    else await system.replaceFile(file, await system.readBytes(join(folder, KEPT.before)))
    await mark('file put back')
  }

  /** What the server does by its own word; `undefined` when it is as before. */
  async function unlikeBefore(): Promise<Failure | undefined> {
    const seen = await runtime.observe()
    const { running, health } = seen
    if (givenOf(seen) !== given) return new Failure(envSentence('other_variables'))
    if (!wasRunning) return running ? new Failure(envSentence('still_runs')) : undefined
    if (!health) return new Failure(envSentence('still_silent'))
    return different(health, undone)
  }

  return {
    id: 'take-over',
    title: envSentence('step', { file }),
    async apply(mark) {
      await putBack(mark)
      await assertAsPlanned()
      await runtime.applyConfig()
      await mark('taken over')
    },
    async verify(signal) {
      await assertAsPlanned()
      await runtime.verifyEffective(applied, signal)
    },
    async undo(mark) {
      await putBack(mark)
      // It may never have taken anything over: then there is nothing to disturb it for.
      if ((await unlikeBefore().catch((error: Error) => error)) === undefined) return
      if (!(await is(before))) throw failure('changed_meanwhile', { file, folder })
      await system.replaceFile(file, await system.readBytes(join(folder, KEPT.earlier)))
      await mark('earlier values written')
      try {
        await runtime.restore(folder)
        await mark('restored')
        if (wasRunning) await runtime.verifyEffective(undone)
      } finally {
        await putBack(mark)
      }
    },
    async verifyUndone() {
      if ((await is(earlier)) && !(await is(before))) throw failure('file_wrong', { file })
      const problem = await unlikeBefore()
      if (problem) throw problem
    },
    async assertUndoable() {
      if (!(await is(before))) throw new Refusal(rollbackText('changed_since', { file, folder }))
      await runtime.assertReady?.()
    },
  }
}

export function givenOf({ environments }: Observed): string | null {
  return environments ? sha256(JSON.stringify(Object.entries(environments.running).sort())) : null
}

function different({ config }: NonNullable<Observed['health']>, expected: Expectation): Failure | undefined {
  for (const [key, not] of Object.entries({ ...expected.unchanged, ...expected.settings })) {
    const found = config.effective[key] ?? '-'
    if (found !== not) return new Failure(envSentence('not_earlier', { key, is: found, not }))
  }
  return undefined
}
