/** Everything that can go wrong with a request, as the caller is told it. HTTP status codes live in src/http. */
export const ERROR_CODES = [
  'malformed',
  'unauthenticated',
  'self_approval',
  'role',
  'not_found',
  'ambiguous_id',
  'already_decided',
  'not_approved',
  'digest_mismatch',
  'decision_unverified',
  'user_exists',
  'last_admin',
  'method_not_allowed',
  'expired',
  'consumed',
  'cancelled',
  'too_large',
  'unsupported_media_type',
  'invalid',
  'queue_full',
  'rate_limited',
  'store_unavailable',
  'shutting_down',
  'approval_required',
  'upstream_unavailable',
  'upstream_error',
  'caller_gone',
  'forbidden_origin',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** `message` is one sentence for a person: what is wrong, what is allowed, the way out. It never carries internals. */
export class ApprovalError extends Error {
  readonly code: ErrorCode
  /** Facts a program may want beside the sentence, e.g. who decided and when. */
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, facts: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ApprovalError'
    this.code = code
    this.facts = facts
  }
}
