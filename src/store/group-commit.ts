import { performance } from 'node:perf_hooks'
import type Database from 'better-sqlite3'
import type { ApprovalError } from '../approval/errors.ts'
import { isBusy, StoreError, sqliteCode, unavailable } from './failures.ts'

/** Writes that share one transaction at most, so that no commit keeps the event loop for long. */
const MAX_BATCH = 256
const RETRY_MS = 10

interface Write {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly since: number
}

interface Hooks {
  /** Runs first in every transaction; when it throws, the transaction fails. */
  readonly begin: () => void
  /** Runs when a part of the transaction was taken back. */
  readonly undone: () => void
  /** Runs when the transaction is on disk. */
  readonly committed: () => void
}

export interface GroupCommit {
  /**
   * Runs `work` (synchronous; it may throw, which takes back only its own changes) inside a transaction that other
   * writes may share. The promise settles after the commit is on disk.
   */
  submit<T>(work: () => T): Promise<T>
  /** Why the last transaction failed; undefined when it did not. */
  failure(): ApprovalError | undefined
  /** Resolves when nothing is under way; later writes are refused. */
  drain(): Promise<void>
}

/**
 * One durable commit for all writes that arrive while the previous one is being written: the disk is the limit, not
 * the number of callers. A database locked by another program is retried without blocking the event loop.
 * @param patienceMs how long a write waits for a lock before it fails
 */
export function createGroupCommit(
  db: Database.Database,
  { begin, undone, committed }: Hooks,
  patienceMs: number,
): GroupCommit {
  const sql = (text: string) => db.prepare(text)
  const [BEGIN, COMMIT, ROLLBACK] = [sql('BEGIN IMMEDIATE'), sql('COMMIT'), sql('ROLLBACK')]
  const [SAVE, RELEASE, UNDO] = [sql('SAVEPOINT write'), sql('RELEASE write'), sql('ROLLBACK TO write')]
  const queue: Write[] = []
  let running: Promise<void> | undefined
  let closed = false
  let failure: ApprovalError | undefined

  function runOne(write: Write): () => void {
    SAVE.run()
    try {
      const value = write.work()
      RELEASE.run()
      return () => write.resolve(value)
    } catch (error) {
      // SQLite itself ends the transaction on some failures (disk full): then every write of it has failed.
      if (!db.inTransaction) throw error
      UNDO.run()
      RELEASE.run()
      undone()
      return () => write.reject(sqliteCode(error) ? unavailable(error) : error)
    }
  }

  function commitBatch(batch: readonly Write[]): void {
    let settle: (() => void)[]
    try {
      begin()
      settle = batch.map(runOne)
      COMMIT.run()
      failure = undefined
      committed()
    } catch (error) {
      if (db.inTransaction) ROLLBACK.run()
      failure = unavailable(error)
      for (const write of batch) write.reject(failure)
      return
    }
    for (const done of settle) done()
  }

  async function lock(): Promise<boolean> {
    for (;;) {
      try {
        BEGIN.run()
        return true
      } catch (error) {
        const deadline = isBusy(error) ? performance.now() - patienceMs : Number.POSITIVE_INFINITY
        while (queue[0] && queue[0].since <= deadline) {
          failure = unavailable(error)
          queue.shift()?.reject(failure)
        }
        if (queue.length === 0) return false
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** Lets what is arriving join: turns of the event loop, for as long as each of them brings more. */
  async function gather(): Promise<void> {
    for (let before = 0; queue.length > before && queue.length < MAX_BATCH; ) {
      before = queue.length
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      await gather()
      if (await lock()) commitBatch(queue.splice(0, MAX_BATCH))
    }
    running = undefined
  }

  return {
    submit<T>(work: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (closed) throw unavailable(new StoreError('the store is closed'))
        queue.push({ work, resolve: resolve as (value: unknown) => void, reject, since: performance.now() })
        running ??= run()
      })
    },
    failure: () => failure,
    async drain() {
      closed = true
      await running
    },
  }
}
