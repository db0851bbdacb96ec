import { constants, type Dirent } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { Refusal } from './limits.ts'
import { type Folder, inFolder, openIn, ownerOf, segmentsOf } from './workspace.ts'

/** Most bytes of a file in one answer. */
export const MOST_READ = 256 * 1024
/** Most entries of a folder in one answer. */
export const MOST_ENTRIES = 1000
const { O_CREAT, O_RDONLY, O_WRONLY } = constants

export type Encoding = 'utf8' | 'base64'

export interface FilePart {
  /** base64 when the bytes are no UTF-8 text. */
  readonly encoding: Encoding
  readonly content: string
  /** Size of the whole file. */
  readonly bytes: number
  /** Where to read on; null at the end of the file. */
  readonly next_offset: number | null
}

export interface Entry {
  readonly name: string
  readonly type: 'file' | 'folder' | 'link' | 'other'
  /** null for what is no file. */
  readonly bytes: number | null
}

/** @throws Refusal */
export function readPart(workspace: string, path: string, offset: number): Promise<FilePart> {
  return inParent(workspace, path, false, async ({ at }, name) => {
    const file = await openIn(at(name), name, O_RDONLY)
    try {
      const { size } = assertFile(await file.stat(), name)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_READ), 0, MOST_READ, offset)
      const text = wholeUtf8(buffer.subarray(0, bytesRead), offset + bytesRead < size)
      const end = offset + (text === undefined ? bytesRead : Buffer.byteLength(text))
      return {
        encoding: text === undefined ? 'base64' : 'utf8',
        content: text ?? buffer.toString('base64', 0, bytesRead),
        bytes: size,
        next_offset: end < size && bytesRead > 0 ? end : null,
      }
    } finally {
      await file.close()
    }
  })
}

/**
 * Writes the whole file, and makes the folders on the way.
 * @throws Refusal
 */
export function writeWhole(workspace: string, path: string, bytes: Buffer): Promise<void> {
  return inParent(workspace, path, true, async ({ at }, name) => {
    const owner = ownerOf(workspace)
    const file = await openIn(at(name), name, O_WRONLY | O_CREAT)
    try {
      assertFile(await file.stat(), name)
      if (owner) await file.chown(owner.uid, owner.gid)
      await file.truncate(0)
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
  })
}

/** @throws Refusal */
export function listFolder(workspace: string, path: string): Promise<{ entries: Entry[]; cut: boolean }> {
  return inFolder(workspace, segmentsOf(path), undefined, async ({ at }) => {
    const found: Dirent[] = []
    let cut = false
    for await (const entry of await opendir(at('.'))) {
      cut = found.length === MOST_ENTRIES
      if (cut) break
      found.push(entry)
    }
    const entries = await Promise.all(found.map((entry) => describe(entry, at(entry.name))))
    return { entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)), cut }
  })
}

async function describe(entry: Dirent, path: string): Promise<Entry> {
  const { name } = entry
  if (entry.isDirectory()) return { name, type: 'folder', bytes: null }
  if (entry.isSymbolicLink()) return { name, type: 'link', bytes: null }
  const facts = await lstat(path).catch(() => undefined)
  return facts?.isFile() ? { name, type: 'file', bytes: facts.size } : { name, type: 'other', bytes: null }
}

async function inParent<T>(
  workspace: string,
  path: string,
  make: boolean,
  work: (folder: Folder, name: string) => Promise<T>,
): Promise<T> {
  const segments = segmentsOf(path)
  const name = segments.pop()
  if (name === undefined) throw new Refusal(`${JSON.stringify(path)} is the workspace itself, not a file`)
  const owner = make ? { owner: ownerOf(workspace) } : undefined
  return inFolder(workspace, segments, owner, (folder) => work(folder, name))
}

function assertFile<T extends { isFile(): boolean; size: number }>(stats: T, name: string): T {
  if (stats.isFile()) return stats
  throw new Refusal(`${JSON.stringify(name)} is no file`)
}

/** The text of the bytes; undefined when they are none. `more`: the last character may be cut off. */
function wholeUtf8(bytes: Buffer, more: boolean): string | undefined {
  for (let missing = 0; missing <= (more ? 3 : 0); missing++) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        bytes.subarray(0, bytes.length - missing),
      )
    } catch {
      // Perhaps its last character begins one byte earlier.
    }
  }
  return undefined
}
