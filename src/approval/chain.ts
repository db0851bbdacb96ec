import { sha256 } from './digest.ts'

/** What the first event of a chain names as its predecessor. */
export const GENESIS = '0'.repeat(64)

/**
 * SHA-256, lower-case hex, over the JSON array of the previous hash and the event's own columns, as stored.
 * Anyone with the table and these two lines can check it.
 */
export function eventHash(event: {
  prev_hash: string
  seq: number
  at: string
  type: string
  request_id: string | null
  actor: string
  data: string
}): string {
  return sha256(
    JSON.stringify([event.prev_hash, event.seq, event.at, event.type, event.request_id, event.actor, event.data]),
  )
}

/** Stands for a token in the record: enough to see that another one was put in its place, of no use to call with. */
export const tokenMark = (token_sha256: string): string => sha256(token_sha256).slice(0, 16)
