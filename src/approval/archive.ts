import type { AuditedUser } from './audit-user.ts'
import { GENESIS } from './chain.ts'
import { canonicalJson } from './digest.ts'
import type { ApprovalEvent } from './store.ts'

/** One month that was moved out of the database, into a file of its own. */
export interface Archive {
  /** `YYYY-MM` in the team's zone. */
  readonly month: string
  readonly file: string
  readonly sha256: string
  /** End of the month, as the database writes instants: what was asked before it was moved. */
  readonly until: string
  /** The events in it; none when `last_seq` is smaller. */
  readonly first_seq: number
  readonly last_seq: number
  readonly last_hash: string
  readonly requests: number
  /** Requests of the old system. */
  readonly adopted: number
}

/** What an audit of the events up to a place must know to go on from there. */
export interface AuditState {
  readonly users: readonly (AuditedUser & { readonly user_id: string })[]
  /** Requests of the old system that the record told of, less those that were moved out. */
  readonly adopted: number
}

/** Where the record in the database begins: behind all that was moved out. */
export interface Cut {
  readonly archives: readonly Archive[]
  readonly state: AuditState
}

export const UNCUT: Cut = { archives: [], state: { users: [], adopted: 0 } }

/** The event that the first one behind the cut continues. */
export function endOf({ archives }: Cut): { seq: number; hash: string } {
  const last = archives.at(-1)
  return last ? { seq: last.last_seq, hash: last.last_hash } : { seq: 0, hash: GENESIS }
}

/** The cut as the newest `archived` event tells of it. One that was tampered with may say anything: it is no cut. */
export function cutOf(event: ApprovalEvent | undefined): Cut {
  const { archives, state } = (event?.data ?? {}) as Partial<Cut>
  if (!Array.isArray(archives) || !archives.every(isArchive)) return UNCUT
  if (!Array.isArray(state?.users) || typeof state.adopted !== 'number') return UNCUT
  return { archives, state }
}

/** What the event says of each archive: the columns of its row, no less and no more. */
export const archiveData = (row: Archive): Archive => ({
  ...{ month: row.month, file: row.file, sha256: row.sha256, until: row.until },
  ...{ first_seq: row.first_seq, last_seq: row.last_seq, last_hash: row.last_hash },
  ...{ requests: row.requests, adopted: row.adopted },
})

export const isSame = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b)

/** A name in the folder of archives, never a way out of it. */
const NAME = /^\d{4}-\d\d\.db$/

function isArchive(value: Archive | null): boolean {
  return (
    typeof value?.file === 'string' &&
    NAME.test(value.file) &&
    Number.isSafeInteger(value.last_seq) &&
    typeof value.last_hash === 'string' &&
    typeof value.until === 'string'
  )
}
