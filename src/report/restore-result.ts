import { z } from 'zod'

const instant = z.iso.datetime({ offset: true })
const text = z.string().max(16_000)

const result = z.object({
  /** The backup's name. */
  backup: z.string().max(100),
  taken_at: instant,
  /** What the database was told between `taken_at` and this is lost. */
  started_at: instant,
  finished_at: instant,
  by: text,
  host: text,
  reason: text,
  /** What the database of before held beyond the backup; null: unknown. */
  lost: z.object({ requests: z.int().min(0), events: z.int().min(0) }).nullable(),
  /** Where the files of before lie; null when there were none. */
  aside: text.nullable(),
})

/** A restore that ended well, as a line of `restores.jsonl` says it. The record keeps this much of the line. */
export type RestoreResult = z.infer<typeof result>

/** @throws Error with a sentence when this is no such line */
export function parseRestoreResult(json: string): RestoreResult {
  const read = result.safeParse(JSON.parse(json))
  if (read.success) return read.data
  const [{ path, message } = { path: [], message: 'not a restore' }] = read.error.issues
  throw new Error(`${path.join('.')}: ${message}`)
}
