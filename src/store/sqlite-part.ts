import type { storeQueries } from '../queries.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Recorder } from './recorder.ts'
import type { Statements } from './statements.ts'

/** What each part of the Store works with: one connection, one writer. */
export interface StorePart {
  readonly sql: Statements<typeof storeQueries>
  readonly submit: GroupCommit['submit']
  /** Runs between transactions: it sees committed rows only. */
  readonly read: <T>(work: () => T) => Promise<T>
  readonly record: Recorder['record']
}
