import { readdir, readFile, realpath, stat, statfs } from 'node:fs/promises'
import type { DiskFacts, FileFacts } from './system.ts'

const MAX_TEXT_BYTES = 16 * 1024 * 1024

/** Linux magic numbers (statfs(2)); of the remote ones, WSL2's Windows drives are 9p and WSL1's drvfs. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  801189825: 'zfs',
  16914836: 'tmpfs',
  2035054128: 'overlay',
  16914839: '9p',
  1397114950: 'drvfs',
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  20859: 'smb',
  1702057286: 'fuse',
  1785031267: 'virtiofs',
  12805120: 'ceph',
}
const REMOTE = new Set(['9p', 'drvfs', 'nfs', 'cifs', 'smb2', 'smb', 'virtiofs', 'ceph'])

export async function fileFacts(path: string): Promise<FileFacts | null> {
  try {
    const facts = await stat(path)
    return {
      kind: facts.isFile() ? 'file' : facts.isDirectory() ? 'directory' : 'other',
      size: facts.size,
      mtimeMs: facts.mtimeMs,
      inode: facts.ino,
      mode: facts.mode & 0o7777,
      uid: facts.uid,
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

export async function diskFacts(path: string): Promise<DiskFacts> {
  const facts = await statfs(path)
  return {
    free: facts.bavail * facts.bsize,
    total: facts.blocks * facts.bsize,
    ...fileSystemOf(facts.type),
  }
}

/** Of a `statfs` type number, which is signed on some systems. */
export function fileSystemOf(magic: number): { type: string; remote: boolean } {
  const unsigned = magic >>> 0
  const type = FILE_SYSTEMS[unsigned] ?? `0x${unsigned.toString(16)}`
  return { type, remote: REMOTE.has(type) }
}

export async function readText(path: string, maxBytes?: number): Promise<string> {
  return (await readBytes(path, maxBytes)).toString('utf8')
}

export async function readBytes(path: string, maxBytes = MAX_TEXT_BYTES): Promise<Buffer> {
  const { size } = await stat(path)
  if (size > maxBytes) throw new Error(`${path} has ${size} bytes, more than ${maxBytes}`)
  return await readFile(path)
}

export async function list(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export const realPath = (path: string): Promise<string> => realpath(path)
