import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonicalize } from 'json-canonicalize'
import { z } from 'zod'
import { localTime } from '../report/period.ts'
import { ATTESTED, type AttestedItem, type Evidence } from '../report/preflight-data.ts'
import type { System } from '../system/system.ts'
import type { JobContext } from './job.ts'
import { proof } from './preflight-checks.ts'

const instant = z.iso.datetime()
const schema = z.strictObject({
  item: z.enum(ATTESTED),
  /** Who vouches for it. */
  by: z.string().min(1).max(100),
  /** The account it was typed under. */
  account: z.string(),
  at: instant,
  valid_until: instant,
  /** HMAC-SHA256 of all the rest, in RFC 8785 form, by the key beside the database: hex. */
  signature: z.string(),
})
export type Attestation = z.infer<typeof schema>

/**
 * Signs what somebody vouches for. It proves that the line was made by this tool on a machine that holds the key, and
 * was not changed since; not that what it says is true.
 */
export function sign(said: Omit<Attestation, 'signature'>, key: string): Attestation {
  return { ...said, signature: createHmac('sha256', key).update(canonicalize(said)).digest('hex') }
}

function isSigned({ signature, ...said }: Attestation, key: string): boolean {
  const expected = Buffer.from(sign(said, key).signature)
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Whether an item was vouched for, by the last line about it. Nothing that was edited or has expired counts. */
export async function attested(
  system: Pick<System, 'stat' | 'readText'>,
  { file, keyFile }: { readonly file: string; readonly keyFile: string },
  item: AttestedItem,
  { now, zone }: Pick<JobContext, 'now' | 'zone'>,
): Promise<Evidence> {
  const next = { next: `npm run preflight -- attest ${item} --by NAME` }
  if ((await system.stat(file)) === null) return proof('attested.none', 'critical', {}, next)
  const lines = (await system.readText(file)).split('\n').map((text, i) => ({ ...read(text), line: i + 1 }))
  const last = lines.findLast(({ about }) => about === item || about === null)
  if (!last) return proof('attested.none', 'critical', {}, next)
  if ((await system.stat(keyFile)) === null) {
    return proof('attested.no_key', 'unknown', { path: keyFile }, next)
  }
  const key = await system.readText(keyFile)
  const { attestation } = last
  if (!attestation || !isSigned(attestation, key) || Date.parse(attestation.at) > now) {
    return proof('attested.edited', 'critical', { path: file, line: last.line }, next)
  }
  const { by, at, valid_until } = attestation
  const facts = { by, until: localTime(Date.parse(valid_until), zone, 'YYYY-MM-DD') }
  if (Date.parse(valid_until) <= now) return proof('attested.expired', 'critical', facts, { ...next, at })
  return proof('attested.valid', 'ok', facts, { at })
}

/** `about`: null for a line that could be about anything; undefined for an empty one. */
function read(text: string): { about: string | null | undefined; attestation: Attestation | undefined } {
  if (text.trim() === '') return { about: undefined, attestation: undefined }
  try {
    const json: unknown = JSON.parse(text)
    const attestation = schema.safeParse(json).data
    const { item } = json as { item?: unknown }
    return { about: typeof item === 'string' ? item : null, attestation }
  } catch {
    return { about: null, attestation: undefined }
  }
}
