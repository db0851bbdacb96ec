import { createHash } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

const CHUNK_BYTES = 1024 * 1024

export interface Fingerprint {
  readonly sha256: string
  readonly bytes: number
}

/**
 * Copies a file into a new one of mode 0600 and waits until the disk has it, in bounded memory.
 * @returns what was read; rejects when the target exists
 */
export async function copyDurably(from: string, to: string): Promise<Fingerprint> {
  const target = await open(to, 'wx', 0o600)
  try {
    const print = await read(from, async (chunk) => {
      for (let at = 0; at < chunk.length; ) at += (await target.write(chunk, at)).bytesWritten
    })
    await target.sync()
    return print
  } finally {
    await target.close()
  }
}

export const fingerprintOf = (path: string): Promise<Fingerprint> => read(path, async () => {})

async function read(path: string, take: (chunk: Buffer) => Promise<void>): Promise<Fingerprint> {
  const file = await open(path, 'r')
  try {
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, bytes)
      if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes }
      const chunk = buffer.subarray(0, bytesRead)
      hash.update(chunk)
      await take(chunk)
      bytes += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** Waits until the disk has a file's bytes, or a folder's names. */
export async function sync(path: string): Promise<void> {
  const file: FileHandle = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Renames within one folder, and waits until the disk has it. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await sync(dirname(to))
}
