import { constants } from 'node:fs'
import { access, type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ReplaceOptions } from './system.ts'

/** One name per file: what a killed process left is overwritten by the next attempt, and nothing piles up. */
const temporary = (path: string): string => `${path}.approval-ops-new`

export async function replaceFile(
  path: string,
  content: Uint8Array | string,
  { mode, force = false }: ReplaceOptions = {},
): Promise<void> {
  const target = await linked(path)
  const old = await stat(target).catch(absent)
  if (old && !old.isFile()) throw new Error(`${target} is not a file`)
  const fresh = temporary(target)
  await rm(fresh, { force: true })
  try {
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(content)
      if (old) await keepOwner(file, old)
      await file.chmod(old && !force ? old.mode & 0o7777 : (mode ?? 0o600))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(fresh, target)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw error
  }
  await syncFolder(dirname(target))
}

export async function discardUnfinished(path: string): Promise<void> {
  await rm(temporary(await linked(path)), { force: true })
}

export async function assertReplaceable(path: string): Promise<void> {
  const target = await linked(path)
  const old = await stat(target).catch(absent)
  // The rename needs the folder alone, but a file that somebody made read-only is meant to stay.
  if (old) await access(target, constants.W_OK)
  await access(dirname(target), constants.W_OK | constants.X_OK)
  const { bavail, bsize } = await statfs(dirname(target))
  const needed = (old?.size ?? 0) + 4096
  if (bavail * bsize < needed) {
    const error: NodeJS.ErrnoException = new Error(`ENOSPC: no space left on device, ${dirname(target)}`)
    error.code = 'ENOSPC'
    throw error
  }
}

export async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    // A line that a crash cut off must not swallow this one.
    await file.appendFile(`${(await endsMidLine(path)) ? '\n' : ''}${line}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

/** Where a link leads; a link to nothing is refused: nobody can say which of the two was meant. */
async function linked(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    if (await lstat(path).catch(absent)) throw new Error(`${path} is a link to nothing`)
    return join(await realpath(dirname(path)), basename(path))
  }
}

async function keepOwner(file: FileHandle, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const now = await file.stat()
  if (now.uid !== uid || now.gid !== gid) await file.chown(uid, gid)
}

async function endsMidLine(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size === 0) return false
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
    return buffer[0] !== 10
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
