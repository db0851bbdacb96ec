import { z } from '@hono/zod-openapi'
import { type Actor, ROLES } from '../approval/identity.ts'
import { SIGHTS, type Sighting } from '../approval/life.ts'
import { redactArguments } from '../approval/redact.ts'
import { LEVELS, type Request, STATUSES, shortId, statusAt } from '../approval/request.ts'

/** Control and format characters (line breaks, escapes, direction marks) have no place in a name. */
const NAME = /^[^\p{C}\p{Z}]+$/u
const name = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => NAME.test(text), 'must be without spaces and control characters')
    .openapi({ pattern: NAME.source })

const reason = z
  .string()
  .min(1, 'must not be empty: say why')
  .max(2000, 'at most 2000 characters')
  .refine((text) => /[^\p{C}\p{Z}\s]/u.test(text), 'must not be empty: say why')

const args = z
  .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    message: 'must be a JSON object',
  })
  .openapi({ type: 'object', additionalProperties: true })

const instant = z.string().nullable().openapi({ format: 'date-time' })

const call = {
  tool_name: name(128),
  arguments: args,
  server: name(128).or(z.literal('')).optional(),
}

export const askBody = z
  .strictObject({
    ...call,
    reason: reason.optional(),
    timeout_seconds: z.int().min(1).max(86_400).optional().openapi({
      description: 'A shorter deadline than APPROVAL_TIMEOUT; never a longer one.',
    }),
  })
  .openapi('Ask')

export const decisionBody = z.strictObject({ reason }).openapi('Decision')

export const consumeBody = z
  .union([
    z.strictObject(call),
    z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits') }),
  ])
  .openapi('Consume')

export const batchBody = z
  .strictObject({ action: z.enum(['approve', 'reject']), ids: z.array(z.string()).min(1).max(100), reason })
  .openapi('Batch')

export const userBody = z
  .strictObject({ user_id: z.string(), role: z.enum(ROLES), username: z.string().max(200).optional() })
  .openapi('NewUser')

const onlyArguments = (value: Record<string, unknown>): boolean =>
  args.safeParse(value.arguments).success && Object.keys(value).every((key) => key === 'arguments' || key === 'reason')

/** `{"arguments": {...}, "reason"?}`, or the bare arguments. An object with nothing but these two keys is the former. */
export const callBody = args
  .transform((value, context): { arguments: Record<string, unknown>; reason: string | null } => {
    if (!onlyArguments(value)) return { arguments: value, reason: null }
    const read = reason.optional().safeParse(value.reason)
    if (!read.success) {
      context.addIssue({ code: 'custom', path: ['reason'], message: read.error.issues[0]!.message })
      return z.NEVER
    }
    return { arguments: value.arguments as Record<string, unknown>, reason: read.data ?? null }
  })
  .openapi('ToolCall', { type: 'object', additionalProperties: true })

const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(1000))

export const pendingQuery = z.strictObject({ limit: limit.optional() })
export const listQuery = z.strictObject({
  status: z.enum(STATUSES).optional(),
  tool_name: z.string().optional(),
  user_id: z.string().optional(),
  limit: limit.optional(),
  cursor: z.string().optional(),
})
const wait = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?$/, 'seconds')
  .transform(Number)
  .optional()
export const oneQuery = z.strictObject({
  wait,
  reveal: z
    .enum(['true', 'false'])
    .optional()
    .openapi({ description: 'true: the arguments with whatever looks like a secret; who asked is recorded.' }),
})
export const callQuery = z.strictObject({
  wait: wait.openapi({
    description:
      'How long the answer may be held back, s; APPROVAL_HOLD at most. 0: the caller watches the request itself.',
  }),
  request_id: z.string().optional().openapi({ description: 'Use the approval of this request, and never ask anew.' }),
})

export const requestView = z
  .object({
    request_id: z.string(),
    short_id: z.string(),
    server: z.string(),
    tool_name: z.string(),
    user_id: z.string(),
    role: z.string(),
    level: z.enum(LEVELS).nullable(),
    digest: z.string().nullable(),
    request_data: z.string().openapi({
      description:
        'The arguments as canonical JSON: the text that was digested. For anyone but the requester without secrets, unless reveal=true asks for them.',
    }),
    redacted: z.int().openapi({ description: 'How many values of request_data are hidden; 0: it is the whole text.' }),
    reason: z.string().nullable(),
    status: z.enum(STATUSES),
    requested_at: instant,
    expires_at: instant,
    responded_at: instant,
    responder_id: z.string().nullable(),
    response_reason: z.string().nullable(),
    consumed_at: instant,
    seconds_until_expiry: z.int().openapi({ description: 'Rounded up; 0 when the deadline has passed.' }),
  })
  .openapi('Request')
export type RequestView = z.infer<typeof requestView>

export const wholeView = requestView
  .extend({
    life: z
      .array(z.object({ what: z.enum(SIGHTS), who: z.string(), first_at: instant, last_at: instant }))
      .nullable()
      .openapi({ description: 'Who saw it and when, for those who may decide; null where that is not recorded.' }),
  })
  .openapi('WholeRequest')

/** ISO 8601 with Z; null for no instant, and for text of an adopted row that is none. */
export const iso = (ms: number | null): string | null =>
  ms === null || Number.isNaN(ms) ? null : new Date(ms).toISOString()

/** @param reader who gets it: secrets are shown to the requester, whose they are, and to others when they ask for them */
export function viewOf(request: Request, now: number, reader: Pick<Actor, 'user_id'>, reveal = false): RequestView {
  const isWhole = reveal || reader.user_id === request.user_id
  const left = Math.ceil((request.expires_at - now) / 1000)
  return {
    request_id: request.request_id,
    short_id: shortId(request.request_id),
    server: request.server,
    tool_name: request.tool_name,
    user_id: request.user_id,
    role: request.role,
    level: request.level,
    digest: request.digest,
    ...(isWhole ? { request_data: request.request_data, redacted: 0 } : redactArguments(request.request_data)),
    reason: request.reason,
    status: statusAt(request, now),
    requested_at: iso(request.requested_at),
    expires_at: iso(request.expires_at),
    responded_at: iso(request.responded_at),
    responder_id: request.responder_id,
    response_reason: request.response_reason,
    consumed_at: iso(request.consumed_at),
    // NaN for an adopted row whose deadline is no instant.
    seconds_until_expiry: Number.isNaN(left) ? 0 : Math.max(left, 0),
  }
}

export const sightingOf = ({ what, who, first_at, last_at }: Sighting) => ({
  ...{ what, who },
  ...{ first_at: iso(first_at), last_at: iso(last_at) },
})
