import { z } from 'zod'

/** `20261122T091500Z-disable-x3f2`: when, what, and a part that nobody else has. */
export const ROLLBACK_ID = /^\d{8}T\d{6}Z-[a-z0-9-]{1,60}$/
/** More than this is no result: nobody reads it. */
export const MAX_RESULT_BYTES = 256 * 1024
const MOST_CHANGES = 100

export const ROLLBACK_OUTCOMES = ['done', 'restored', 'uncertain'] as const

const instant = z.iso.datetime({ offset: true })
const text = z.string().max(16_000)

const result = z.object({
  id: z.string().regex(ROLLBACK_ID),
  scenario: z.enum(['disable', 'cli', 'env']),
  kind: z.enum(['apply', 'undo']),
  /** Of an undo: the id of what it took back. */
  undoes: z.string().regex(ROLLBACK_ID).optional(),
  outcome: z.enum(ROLLBACK_OUTCOMES),
  exit_code: z.int().min(0).max(255),
  started_at: instant,
  finished_at: instant,
  by: text,
  host: text,
  reason: text,
  ticket: text.optional(),
  /** When a gate that was switched off comes back by itself. */
  until: instant.optional(),
  target: text,
  runtime: z.enum(['compose', 'process', 'none']),
  changes: z.array(z.object({ what: text, from: text, to: text })).max(MOST_CHANGES),
  summary: z.object({ ko: text, en: text }),
})

/** What a rollback came to, as its `result.json` says it: secrets are masked before they get there. */
export type RollbackResult = z.infer<typeof result>

/** @throws Error with a sentence when this is not the result of the rollback `id` */
export function parseRollbackResult(json: string, id: string): RollbackResult {
  const read = result.safeParse(JSON.parse(json))
  if (!read.success) {
    const [{ path, message } = { path: [], message: 'not a result' }] = read.error.issues
    throw new Error(`${path.join('.')}: ${message}`)
  }
  if (read.data.id !== id) throw new Error(`id: is ${read.data.id}, but lies in the folder ${id}`)
  return read.data
}
