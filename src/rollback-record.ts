import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_RESULT_BYTES, parseRollbackResult, ROLLBACK_ID, type RollbackResult } from './report/rollback-result.ts'

export interface RollbackRecordDeps {
  /** `data/rollbacks`; nothing outside of it is ever read. */
  readonly folder: string
  /** Durable when it resolves, and without effect for a result that is in the record. */
  readonly append: (result: RollbackResult) => Promise<unknown>
  readonly log: { error: (facts: object, text: string) => void; warn: (facts: object, text: string) => void }
}

/** Takes the results of rollbacks over into the record: only the server writes it, and a rollback runs without one. */
export interface RollbackRecord {
  /** Looks once; a look that is under way is joined. Never rejects. */
  look(which: 'newest' | 'all'): Promise<void>
}

/** So many folders are looked at again and again: an older rollback gets no new result unless somebody resumes it. */
const NEWEST = 20
const MOST = 2000

export function rollbackRecord({ folder, append, log }: RollbackRecordDeps): RollbackRecord {
  /** The state of each `result.json` when it was dealt with: taken over, or found to be none. */
  const seen = new Map<string, string>()
  let complaint = ''
  let underWay: Promise<void> | undefined

  async function take(which: 'newest' | 'all'): Promise<void> {
    try {
      for (const id of (await ids(folder)).slice(which === 'all' ? -MOST : -NEWEST)) await takeOne(id)
      complaint = ''
    } catch (error) {
      // Said once, not every second.
      const said = (error as Error).message
      if (said !== complaint) log.error({ err: error, folder }, 'results of rollbacks wait to be recorded')
      complaint = said
    }
  }

  async function takeOne(id: string): Promise<void> {
    const path = join(folder, id, 'result.json')
    const stamp = await stampOf(path)
    if (stamp === null || stamp === seen.get(id)) return
    let result: RollbackResult
    try {
      result = parseRollbackResult(await readResult(path), id)
    } catch (error) {
      log.warn({ path, problem: (error as Error).message }, 'not the result of a rollback; left alone')
      seen.set(id, stamp)
      return
    }
    await append(result)
    seen.set(id, stamp)
  }

  return {
    look(which) {
      if (underWay && which === 'newest') return underWay
      const look: Promise<void> = Promise.resolve(underWay)
        .then(() => take(which))
        .finally(() => {
          if (underWay === look) underWay = undefined
        })
      underWay = look
      return look
    },
  }
}

/** Oldest first: the record is in the order in which it happened. */
async function ids(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() && ROLLBACK_ID.test(entry.name) ? [entry.name] : [])).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function stampOf(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await lstat(path)
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    return (error as NodeJS.ErrnoException).code ?? 'unreadable'
  }
}

/** Neither a link to elsewhere nor a pipe that never ends is followed. */
async function readResult(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const facts = await file.stat()
    if (!facts.isFile()) throw new Error('not a file')
    if (facts.size > MAX_RESULT_BYTES) throw new Error(`${facts.size} bytes, more than ${MAX_RESULT_BYTES}`)
    const buffer = Buffer.alloc(MAX_RESULT_BYTES + 1)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    if (bytesRead > MAX_RESULT_BYTES) throw new Error(`more than ${MAX_RESULT_BYTES} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead))
  } finally {
    await file?.close()
  }
}
