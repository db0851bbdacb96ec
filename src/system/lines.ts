import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Line, LineSource } from './system.ts'

const CHUNK_BYTES = 64 * 1024
/** More of one line is not held: a log line of a gigabyte must not become a string. */
const MAX_LINE_BYTES = 256 * 1024
const NEWLINE = 10

export async function readFrom(path: string, offset: number): Promise<LineSource> {
  const { ino, size } = await stat(path)
  const from = offset > size ? 0 : offset
  return { inode: ino, from, lines: linesOf(path, ino, from) }
}

/** Reads until the end of the file as it is when the reader gets there. */
async function* linesOf(path: string, inode: number, from: number): AsyncGenerator<Line> {
  const file = await open(path, 'r')
  try {
    if ((await file.stat()).ino !== inode) throw new Error(`${path} was replaced while it was read`)
    yield* splitLines(file, from)
  } finally {
    await file.close()
  }
}

async function* splitLines(file: FileHandle, from: number): AsyncGenerator<Line> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  let start = from
  let position = from
  let parts: Buffer[] = []
  let held = 0
  const hold = (bytes: Buffer): void => {
    const room = MAX_LINE_BYTES - held
    if (room > 0) parts.push(Buffer.from(bytes.subarray(0, room)))
    held += bytes.length
  }
  const line = (next: number, complete: boolean): Line => {
    const text = Buffer.concat(parts).toString('utf8').replace(/\r$/, '')
    const cut = held > MAX_LINE_BYTES
    parts = []
    held = 0
    return { text, next, complete, cut }
  }
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, position)
    if (bytesRead === 0) break
    const chunk = buffer.subarray(0, bytesRead)
    let begin = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
      hold(chunk.subarray(begin, end))
      begin = end + 1
      start = position + begin
      yield line(start, true)
    }
    hold(chunk.subarray(begin))
    position += bytesRead
  }
  if (held > 0) yield line(start, false)
}
