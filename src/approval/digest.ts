import { hash } from 'node:crypto'
import { canonicalize } from 'json-canonicalize'
import { ApprovalError } from './errors.ts'
import type { Call } from './request.ts'

/** Deeper arguments are refused: no tool needs them, and every reader of them would have to survive them. */
export const MAX_DEPTH = 64

/**
 * Canonical JSON of RFC 8785. A value that JSON cannot carry unchanged is refused rather than altered:
 * a lone surrogate or an infinite number would be digested as something other than what was shown.
 * @param depth how deep in another value this one stands
 * @throws ApprovalError `invalid`
 */
export function canonicalJson(value: unknown, depth = 0): string {
  assertExact(value, depth)
  return canonicalize(value)
}

/**
 * A call's arguments as canonical JSON, and its digest: SHA-256, lower-case hex, over the canonical JSON of
 * `{server, tool, arguments}`, whose keys stand in the order of the alphabet.
 * @throws ApprovalError `invalid`
 */
export function digested({ server, tool, arguments: args }: Call): { request_data: string; digest: string } {
  const request_data = canonicalJson(args, 1)
  const text = `{"arguments":${request_data},"server":${canonicalJson(server)},"tool":${canonicalJson(tool)}}`
  return { request_data, digest: sha256(text) }
}

export const digestOf = (call: Call): string => digested(call).digest

export const sha256 = (text: string): string => hash('sha256', text, 'hex')

/** @throws ApprovalError `invalid` for a value that has no canonical JSON */
export function assertExact(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new ApprovalError('invalid', `nested more than ${MAX_DEPTH} levels deep`)
  if (typeof value === 'string') assertWellFormed(value)
  else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new ApprovalError('invalid', 'a number is too large for JSON')
  } else if (Array.isArray(value)) {
    for (const item of value) assertExact(item, depth + 1)
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      assertWellFormed(key)
      assertExact((value as Record<string, unknown>)[key], depth + 1)
    }
  }
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

function assertWellFormed(text: string): void {
  if (LONE_SURROGATE.test(text)) {
    throw new ApprovalError('invalid', 'a text holds half of a surrogate pair, which UTF-8 cannot carry')
  }
}
