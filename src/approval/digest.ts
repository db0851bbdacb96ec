import { createHash } from 'node:crypto'
import { canonicalize } from 'json-canonicalize'
import { ApprovalError } from './errors.ts'
import type { Call } from './request.ts'

/** Deeper arguments are refused: no tool needs them, and every reader of them would have to survive them. */
export const MAX_DEPTH = 64

/**
 * Canonical JSON of RFC 8785. A value that JSON cannot carry unchanged is refused rather than altered:
 * a lone surrogate or an infinite number would be digested as something other than what was shown.
 * @throws ApprovalError `invalid`
 */
export function canonicalJson(value: unknown): string {
  assertExact(value, 0)
  return canonicalize(value)
}

/** SHA-256, lower-case hex, over the canonical JSON of `{server, tool, arguments}`. */
export function digestOf(call: Call): string {
  return sha256(canonicalJson({ server: call.server, tool: call.tool, arguments: call.arguments }))
}

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

function assertExact(value: unknown, depth: number): void {
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
