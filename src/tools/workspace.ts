import { chownSync, constants, mkdirSync, realpathSync, statSync } from 'node:fs'
import { type FileHandle, lchown, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { INSIDE, Refusal } from './limits.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** nobody and nogroup */
const NOBODY = 65_534
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** Makes the folder where there is none. Answers its true path. */
export function openWorkspace(path: string): string {
  const made = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined
  if (made && process.getuid?.() === 0) chownSync(path, NOBODY, NOBODY)
  return realpathSync(path)
}

/**
 * Whose the programs and the files in the workspace are when we are root: the folder's owner. undefined: ours.
 * @throws Refusal when that would be root
 */
export function ownerOf(workspace: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const { uid, gid } = statSync(workspace)
  if (uid !== 0) return { uid, gid }
  throw new Refusal(`no program is run as root, and ${workspace} is root's: chown -R ${NOBODY}:${NOBODY} ${workspace}`)
}

/** The names on the way to a file: relative to the workspace, or as a program in the sandbox would say it. */
export function segmentsOf(path: string): string[] {
  const relative = path === INSIDE ? '' : path.startsWith(`${INSIDE}/`) ? path.slice(INSIDE.length + 1) : path
  const segments = relative.split('/').filter((name) => name !== '' && name !== '.')
  if (relative.startsWith('/') || segments.includes('..') || relative.includes('\0')) {
    throw new Refusal(`${JSON.stringify(path)} leads out of the workspace: give a path below it, without ".."`)
  }
  return segments
}

/** An open folder of the workspace. */
export interface Folder {
  /** The path of something in it, which stays there whatever happens to the names on the way. */
  readonly at: (name: string) => string
}

/**
 * Opens a folder of the workspace, one name at a time and following no link, and keeps it open for `work`: between the
 * check and the use nobody can put a link in between. (Node has no openat; on Linux an open folder has a path in /proc.)
 * @param make whether missing folders are made, and whose they become
 * @throws Refusal
 */
export async function inFolder<T>(
  workspace: string,
  segments: readonly string[],
  make: { readonly owner: Owner | undefined } | undefined,
  work: (folder: Folder) => Promise<T>,
): Promise<T> {
  let path = workspace
  let handle = await open(workspace, O_RDONLY | O_DIRECTORY)
  const at = (name: string) => join(process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path, name)
  try {
    for (const name of segments) {
      if (make) await makeFolder(at(name), make.owner)
      const next = await openIn(at(name), name, O_RDONLY | O_DIRECTORY)
      path = join(path, name)
      await handle.close()
      handle = next
    }
    return await work({ at })
  } finally {
    await handle.close()
  }
}

/**
 * Opens one name of an open folder, never through a link, and never waiting for the other end of a pipe.
 * @throws Refusal
 */
export async function openIn(path: string, name: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (error) {
    const shown = JSON.stringify(name)
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        throw new Refusal(`${shown}: there is no such file or folder`)
      case 'ELOOP':
        throw new Refusal(`${shown} is a link, and links are not followed`)
      case 'ENOTDIR':
        throw new Refusal(`${shown} is no folder, or a link, and links are not followed`)
      case 'EISDIR':
        throw new Refusal(`${shown} is a folder`)
      case 'ENXIO':
        throw new Refusal(`${shown} is no file`)
      case 'EACCES':
        throw new Refusal(`${shown}: permission denied`)
      case 'ENAMETOOLONG':
        throw new Refusal('the name is too long')
      default:
        throw error
    }
  }
}

async function makeFolder(path: string, owner: Owner | undefined): Promise<void> {
  try {
    await mkdir(path, 0o700)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  if (owner) await lchown(path, owner.uid, owner.gid)
}
