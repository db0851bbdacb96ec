import type { ApprovalError, ErrorCode } from '../approval/errors.ts'

/** The one place where an error code becomes an HTTP status. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  malformed: 400,
  unauthenticated: 401,
  self_approval: 403,
  role: 403,
  forbidden_origin: 403,
  not_found: 404,
  ambiguous_id: 409,
  already_decided: 409,
  not_approved: 409,
  digest_mismatch: 409,
  decision_unverified: 409,
  user_exists: 409,
  last_admin: 409,
  method_not_allowed: 405,
  cancelled: 409,
  expired: 410,
  consumed: 410,
  too_large: 413,
  unsupported_media_type: 415,
  invalid: 422,
  queue_full: 429,
  rate_limited: 429,
  store_unavailable: 503,
  shutting_down: 503,
  approval_required: 403,
  upstream_unavailable: 503,
  upstream_error: 502,
  // Nobody is there to read it.
  caller_gone: 400,
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER: Partial<Record<ErrorCode, string>> = {
  queue_full: '5',
  rate_limited: '60',
  store_unavailable: '1',
  shutting_down: '2',
  upstream_unavailable: '5',
}

/** Answers `application/problem+json` (RFC 9457) plus the stable `code` and the error's facts. */
export function problem(error: ApprovalError): Response {
  const status = STATUS_OF[error.code]
  const headers: Record<string, string> = {}
  const known = error.facts.retry_after
  const retryAfter = typeof known === 'number' ? String(known) : RETRY_AFTER[error.code]
  if (retryAfter) headers['Retry-After'] = retryAfter
  // Nobody wants the rest of the body: a client that waits before it sends more need not send it.
  if (status === 413) headers.Connection = 'close'
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer realm="approval-ops"'
  return answer(status, error.message, { code: error.code, ...error.facts }, headers)
}

/** An error that nobody foresaw: the caller learns that it happened, the log learns what. */
export const internalProblem = (): Response =>
  answer(500, 'the server failed on this request; its log says why', { code: 'internal' }, {})

function answer(status: number, detail: string, members: object, headers: Record<string, string>): Response {
  const body = Buffer.from(JSON.stringify({ type: 'about:blank', title: TITLES[status], status, detail, ...members }))
  // By its length a client knows that it has the whole answer, while the rest of its own body is still on its way.
  const own = { 'Content-Type': 'application/problem+json', 'Content-Length': String(body.length) }
  return new Response(body, { status, headers: { ...own, ...headers } })
}
