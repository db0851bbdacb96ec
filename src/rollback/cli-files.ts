import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { System } from '../system/system.ts'
import type { Git } from './cli-git.ts'
import type { Entry, Files } from './cli-versions.ts'
import { isCommitted } from './cli-versions.ts'
import { cliText, refusal } from './cli-words.ts'
import { type FileState, sha256 } from './configure.ts'

/** A file of the working tree as it is. */
export interface Working extends FileState {
  /** git's name for these bytes. */
  readonly oid: string
  readonly bytes: Buffer
}

export interface FileChange {
  /** Below the working tree's folder. */
  readonly path: string
  readonly before: Working | null
  /** `null`: the version does not have it. */
  readonly after: Entry | null
  /** What is there is in no commit: overwriting it would destroy it. */
  readonly local: boolean
}

/** What has to change so that the working tree has the version; nothing else is looked at. */
export async function changesTo(system: System, git: Git, head: Files, version: Files): Promise<FileChange[]> {
  const changes: FileChange[] = []
  for (const path of [...new Set([...head.keys(), ...version.keys()])].sort()) {
    const after = version.get(path) ?? null
    const before = await working(system, git, path, (after ?? head.get(path))!.oid.length)
    if (before === null ? after === null : after !== null && (await holds(git, path, before, after))) {
      if (after === null || before === null || (before.mode & 0o100) === (modeOf(after, before) & 0o100)) continue
    }
    if (after && !/^100(644|755)$/.test(after.mode)) throw refusal(cliText('no_file', { path }))
    changes.push({ path, before, after, local: before !== null && (await isLocal(git, path, before, head)) })
  }
  return changes
}

/** The permission bits that the version gives the file: of those git knows only whether it can be run. */
export function modeOf(after: Entry, before: FileState | null): number {
  const base = before?.mode ?? 0o644
  return after.mode === '100755' ? base | ((base & 0o444) >> 2) : base & ~0o111
}

async function working(system: System, git: Git, path: string, length: number): Promise<Working | null> {
  const at = join(git.root, path)
  const facts = await system.stat(at)
  const real = facts ? await system.realPath(at) : await nearest(system, at)
  if (real !== at && !(facts === null && at.startsWith(`${real}/`))) throw refusal(cliText('linked', { path, real }))
  if (facts === null) return null
  if (facts.kind !== 'file') throw refusal(cliText('no_file', { path }))
  const bytes = await system.readBytes(at)
  return { bytes, oid: blobId(bytes, length), sha256: sha256(bytes), mode: facts.mode }
}

/** The folder above what is not there, links followed: nothing may be made outside of the working tree. */
async function nearest(system: System, path: string): Promise<string> {
  const folder = dirname(path)
  if (!(await system.stat(folder))) return await nearest(system, folder)
  const real = await system.realPath(folder)
  return real === folder ? folder : join(real, '…')
}

/** Also where line ends or a filter make the file another than what git keeps. */
async function holds(git: Git, path: string, file: Working, { oid }: Entry): Promise<boolean> {
  if (file.oid === oid) return true
  return (await git.read('hash-object', `--path=${path}`, '--', join(git.root, path))).trim() === oid
}

async function isLocal(git: Git, path: string, file: Working, head: Files): Promise<boolean> {
  const entry = head.get(path)
  if (entry && (await holds(git, path, file, entry))) return false
  const filtered = (await git.read('hash-object', `--path=${path}`, '--', join(git.root, path))).trim()
  return !(await isCommitted(git, filtered)) && !(await isCommitted(git, file.oid))
}

/** The name git has for a content. */
function blobId(bytes: Uint8Array, length: number): string {
  const hash = createHash(length === 64 ? 'sha256' : 'sha1')
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
