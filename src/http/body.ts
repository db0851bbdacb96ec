import type { Context } from 'hono'
import type { z } from 'zod'
import { ApprovalError } from '../approval/errors.ts'
import { assertExactJson } from './exact-json.ts'

/** Bytes of a request body. Arguments larger than this belong in a file that the tool reads. */
export const BODY_LIMIT = 1_048_576

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The JSON body, parsed once: what is validated, shown, digested and run later is this very value. Only UTF-8 is read;
 * a byte order mark or another encoding is refused rather than guessed.
 * @throws ApprovalError `unsupported_media_type`, `too_large`, `malformed`
 */
export async function readJson(c: Context): Promise<unknown> {
  assertJsonType(c.req.header('content-type'))
  const declared = Number(c.req.header('content-length') ?? 0)
  if (declared > BODY_LIMIT) throw tooLarge()
  let bytes: ArrayBuffer | Uint8Array
  try {
    bytes = declared > 0 ? await c.req.arrayBuffer() : await readChunks(c)
  } catch (error) {
    if (error instanceof ApprovalError) throw error
    // The caller hung up in the middle: nobody's fault here, and nobody reads the answer.
    throw new ApprovalError('malformed', 'the body ended early', {}, { cause: error })
  }
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (error) {
    throw new ApprovalError('malformed', 'the body is not UTF-8', {}, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ApprovalError('malformed', 'the body is not JSON', {}, { cause: error })
  }
  assertExactJson(text)
  return value
}

function assertJsonType(header: string | undefined): void {
  const [type, ...parameters] = (header ?? '').toLowerCase().split(';')
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='))
  if (type?.trim() !== 'application/json' || (charset && !/^charset="?utf-?8"?$/.test(charset))) {
    throw new ApprovalError('unsupported_media_type', 'send Content-Type: application/json, in UTF-8')
  }
}

/** A body of unannounced length is counted while it arrives. */
async function readChunks(c: Context): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength
    if (size > BODY_LIMIT) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const tooLarge = () => new ApprovalError('too_large', `the body is larger than ${BODY_LIMIT} bytes`)

/** @throws ApprovalError `invalid` naming every field that is wrong */
export function validate<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map((issue) => ({ field: issue.path.join('.') || 'body', message: issue.message }))
  throw new ApprovalError('invalid', errors.map((e) => `${e.field}: ${e.message}`).join('; '), { errors })
}
