import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { shellWord } from '../report/unmeasured.ts'
import type { System } from '../system/system.ts'
import { type Mark, Refusal, type Step } from './plan.ts'
import type { Expectation, Runtime } from './runtime.ts'
import { failure, rollbackText } from './words.ts'

/** One file before and after, as plain data; the bytes lie in the snapshot. `null`: there is no file. */
export interface FileEdit {
  readonly path: string
  readonly before: FileState | null
  readonly after: FileState
}

export interface FileState {
  readonly sha256: string
  readonly mode: number
}

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

export async function fileState(system: System, path: string): Promise<FileState | null> {
  const facts = await system.stat(path)
  return facts && { sha256: sha256(await system.readBytes(path)), mode: facts.mode }
}

/** Keeps the bytes of before and after: resume and undo need nothing else of the file. */
export async function keepEdit(system: System, edit: FileEdit, after: Uint8Array, folder: string): Promise<void> {
  if (edit.before) await system.replaceFile(join(folder, 'env.before'), await system.readBytes(edit.path))
  await system.replaceFile(join(folder, 'env.after'), after)
}

export interface Configure {
  readonly system: System
  readonly runtime: Runtime
  /** Absent: the file is right already, the server is not. */
  readonly edit?: FileEdit
  /** The names of the kept bytes in the snapshot. */
  readonly kept?: { readonly before: string; readonly after: string }
  readonly applied: Expectation
  readonly undone: Expectation
  /** The snapshot's folder. */
  readonly folder: string
}

const KEPT = { before: 'env.before', after: 'env.after' }

/** The step that all changes of the configuration share: the file, then the server, then the proof by its answers. */
export function configureStep(work: Configure): Step {
  const { system, runtime, edit, folder, applied, undone } = work
  const kept = work.kept ?? KEPT
  const title = edit ? rollbackText('step_configure', { file: edit.path }) : rollbackText('step_take_over')

  async function write(to: FileState | null, name: string, mark: Mark): Promise<void> {
    if (!edit) return
    const is = await fileState(system, edit.path)
    await system.discardUnfinished(edit.path)
    if (same(is, to)) return
    if (!same(is, edit.before) && !same(is, edit.after)) {
      throw failure('changed_meanwhile', { file: edit.path, folder })
    }
    await mark('writing')
    if (to === null) await system.remove(edit.path)
    else await system.replaceFile(edit.path, await system.readBytes(join(folder, name)), { mode: to.mode, force: true })
    await mark('written')
  }

  async function assertFile(to: FileState | null): Promise<void> {
    if (edit && !same(await fileState(system, edit.path), to)) throw failure('file_wrong', { file: edit.path })
  }

  return {
    id: 'configure',
    title,
    async apply(mark) {
      await write(edit?.after ?? null, kept.after, mark)
      await runtime.applyConfig()
      await mark('taken over')
    },
    async verify(signal) {
      await assertFile(edit?.after ?? null)
      await runtime.verifyEffective(applied, signal)
    },
    async undo(mark) {
      await write(edit?.before ?? null, kept.before, mark)
      await runtime.restore(folder)
      await mark('restored')
    },
    async verifyUndone(signal) {
      await assertFile(edit?.before ?? null)
      await runtime.verifyEffective(undone, signal)
    },
    async assertUndoable() {
      if (edit && !same(await fileState(system, edit.path), edit.after)) {
        const next = `diff ${join(folder, kept.after)} ${edit.path}`
        throw new Refusal(rollbackText('changed_since', { file: edit.path, folder }), next)
      }
      await runtime.assertReady?.()
    },
  }
}

/** The command that shows why a file cannot be written. */
export const writeDiagnosis = (error: unknown, path: string): string =>
  (error as NodeJS.ErrnoException).code === 'ENOSPC' ? `df -h ${shellWord(dirname(path))}` : `ls -ld ${shellWord(path)}`

/** One file that the plan rests on, as an observation. */
export const observedFile = (path: string, state: FileState | null): { what: string; value: string } => ({
  what: path,
  value: state ? `sha256 ${state.sha256} mode ${state.mode.toString(8)}` : 'absent',
})

const same = (a: FileState | null, b: FileState | null): boolean =>
  a === null || b === null ? a === b : a.sha256 === b.sha256 && a.mode === b.mode
