import { dirname, join, relative } from 'node:path'
import type { System } from '../system/system.ts'
import { modeOf } from './cli-files.ts'
import type { Git } from './cli-git.ts'
import { type Check, check } from './cli-verify.ts'
import type { Entry } from './cli-versions.ts'
import { cliText, refusal } from './cli-words.ts'
import { type FileState, fileState, sha256 } from './configure.ts'
import { Failure, type Mark, Refusal, type Step } from './plan.ts'
import type { RollbackContext } from './scenario.ts'

/** Survives JSON; the bytes lie in the snapshot. */
export interface CliDetails {
  readonly root: string
  readonly files: readonly { readonly path: string; readonly before: FileState | null; readonly after: Entry | null }[]
  readonly version: string
  readonly check: Check
}

interface Kept {
  readonly path: string
  readonly before: FileState | null
  readonly after: FileState | null
}

interface Snapshot {
  readonly files: readonly Kept[]
  /** Folders that were not there before, from the inside out: undo removes them again. */
  readonly made: readonly string[]
}

const INDEX = 'files.json'
const FOLDER_MS = 5_000

/** Keeps both sides of every file: resume and undo need neither git nor the network. */
export async function keepFiles(system: System, git: Git, details: CliDetails, folder: string): Promise<void> {
  const kept: Kept[] = []
  for (const [n, { path, before, after }] of details.files.entries()) {
    if (before) await system.replaceFile(join(folder, `${n}.before`), await system.readBytes(join(git.root, path)))
    const bytes = after ? await contentOf(system, git, path, after, join(folder, `${n}.after`)) : null
    const state = after && bytes ? { sha256: sha256(bytes), mode: modeOf(after, before) } : null
    kept.push({ path, before, after: state })
  }
  const made = new Set<string>()
  for (const { path, after } of kept) {
    if (after === null) continue
    for (let at = dirname(path); at !== '.' && !(await system.stat(join(git.root, at))); at = dirname(at)) made.add(at)
  }
  const snapshot: Snapshot = { files: kept, made: [...made].sort((a, b) => b.length - a.length) }
  await system.replaceFile(join(folder, INDEX), `${JSON.stringify(snapshot, null, 2)}\n`)
}

/** The bytes as a checkout would write them: with the line ends and filters that git is told to use. */
async function contentOf(system: System, git: Git, path: string, entry: Entry, file: string): Promise<Buffer> {
  await git.into(file, 'cat-file', '--filters', `--path=${path}`, entry.oid)
  if ((await git.read('hash-object', `--path=${path}`, '--', file)).trim() !== entry.oid) {
    // Not as git would store it today: the attributes came later than the content.
    await git.into(file, 'cat-file', 'blob', entry.oid)
    if ((await git.read('hash-object', '--no-filters', '--', file)).trim() !== entry.oid) {
      throw refusal(cliText('unreadable', { path }))
    }
  }
  return await system.readBytes(file)
}

export function filesStep(context: RollbackContext, details: CliDetails, folder: string): Step {
  const { system } = context
  const { root } = details
  const read = async (): Promise<Snapshot> => JSON.parse(await system.readText(join(folder, INDEX)))

  async function write(side: 'before' | 'after', mark: Mark): Promise<void> {
    const { files, made } = await read()
    for (const [n, file] of files.entries()) {
      const path = join(root, file.path)
      const is = await fileState(system, path)
      const to = file[side]
      if (await system.stat(dirname(path))) await system.discardUnfinished(path)
      if (same(is, to)) continue
      if (!same(is, file.before) && !same(is, file.after)) {
        throw new Failure(cliText('changed_meanwhile', { path: file.path, folder }))
      }
      await mark(`writing ${file.path}`)
      if (to === null) await system.remove(path)
      else {
        await makeFolderLike(system, dirname(path))
        const bytes = await system.readBytes(join(folder, `${n}.${side}`))
        await system.replaceFile(path, bytes, { mode: to.mode, force: true })
        if (is === null) await takeOwner(system, path)
      }
      await mark(`written ${file.path}`)
    }
    if (side === 'after') return
    // What somebody else has put there meanwhile keeps its folder.
    for (const at of made) await system.run(['rmdir', '--', join(root, at)], { timeoutMs: FOLDER_MS })
  }

  async function assertFiles(side: 'before' | 'after'): Promise<void> {
    for (const file of (await read()).files) {
      const is = await fileState(system, join(root, file.path))
      if (!same(is, file[side])) throw new Failure(cliText('file_wrong', { path: file.path }))
    }
  }

  return {
    id: 'files',
    title: cliText('step', { n: details.files.length, version: details.version }),
    apply: (mark) => write('after', mark),
    async verify(signal) {
      await assertFiles('after')
      await check(context, details.check, signal)
    },
    undo: (mark) => write('before', mark),
    verifyUndone: () => assertFiles('before'),
    async assertUndoable() {
      for (const file of (await read()).files) {
        if (same(await fileState(system, join(root, file.path)), file.after)) continue
        throw new Refusal(cliText('changed_since', { path: file.path, folder }))
      }
    },
  }

  /** Folders that are made are like the one above them: whoever could read the CLI still can. */
  async function makeFolderLike(system: System, at: string): Promise<void> {
    if (at === root || relative(root, at).startsWith('..') || (await system.stat(at))) return
    await makeFolderLike(system, dirname(at))
    const done = await system.run(['mkdir', '-m', '755', '--', at], { timeoutMs: FOLDER_MS })
    if (!done.ok) throw new Failure(cliText('not_made', { path: at, message: done.stderr.trim() }))
    await takeOwner(system, at)
  }
}

/** What root makes anew belongs to whom the folder belongs to. */
async function takeOwner(system: System, path: string): Promise<void> {
  const [own, above] = await Promise.all([system.stat(path), system.stat(dirname(path))])
  if (!own || !above || own.uid === above.uid) return
  await system.run(['chown', `--reference=${dirname(path)}`, '--', path], { timeoutMs: FOLDER_MS })
}

const same = (a: FileState | null, b: FileState | null): boolean =>
  a === null || b === null ? a === b : a.sha256 === b.sha256 && a.mode === b.mode
