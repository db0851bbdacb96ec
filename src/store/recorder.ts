import { eventHash, GENESIS } from '../approval/chain.ts'
import { canonicalJson } from '../approval/digest.ts'
import type { ApprovalEvent, NewEvent } from '../approval/store.ts'
import type { storeQueries } from '../queries.ts'
import { sqlTime } from '../sql.ts'
import { StoreError } from './failures.ts'
import type { Statements } from './statements.ts'

/** Appends to the hash-chained record, inside transactions. */
export interface Recorder {
  /** At the start of a transaction: another process may have written since the last one. */
  begin(): void
  /** After a part of a transaction was taken back. */
  undone(): void
  /** When the transaction is on disk: the record will never be shorter than now. */
  committed(): void
  /** The place that the next event will take. */
  next(): number
  record(event: NewEvent): ApprovalEvent
}

export function createRecorder(sql: Statements<typeof storeQueries>): Recorder {
  const stored = () => sql.eventHead.get({}) ?? { seq: 0, hash: GENESIS }
  let head = stored()
  /** The record was at least this long once. */
  let floor = head

  return {
    begin() {
      head = stored()
      if (head.seq < floor.seq || (head.seq === floor.seq && head.hash !== floor.hash)) {
        throw new StoreError(
          `the record ended with event ${floor.seq} and now ends with ${head.seq}: it was cut or rewritten`,
        )
      }
    },
    committed() {
      floor = head
    },
    undone() {
      head = stored()
    },
    next: () => head.seq + 1,
    record(event) {
      const data = canonicalJson(event.data)
      const { type, request_id, actor } = event
      const row = { seq: head.seq + 1, at: sqlTime(event.at), type, request_id, actor, data, prev_hash: head.hash }
      const hash = eventHash(row)
      sql.eventInsert.run({ ...row, hash })
      head = { seq: row.seq, hash }
      return { ...event, seq: row.seq, at_text: row.at, data_text: data, prev_hash: row.prev_hash, hash }
    },
  }
}
