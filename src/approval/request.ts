/** How dangerous a tool is. HIGH and CRITICAL need a human's yes. */
export const LEVELS = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const
export type Level = (typeof LEVELS)[number]

export const STATUSES = ['pending', 'approved', 'rejected', 'expired', 'cancelled'] as const
export type Status = (typeof STATUSES)[number]
export type Decision = 'approved' | 'rejected'

/**
 * The calls of the morning drill name this server, and their tool the same: no upstream has that name, and no statistic
 * counts them.
 */
export const CANARY_SERVER = 'ops-canary'

/** What an agent wants to run. The digest covers exactly these three. */
export interface Call {
  readonly server: string
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** One tool call waiting for a decision. Instants are milliseconds since 1970-01-01T00:00Z. */
export interface Request {
  readonly request_id: string
  readonly server: string
  readonly tool_name: string
  readonly user_id: string
  readonly role: string
  /** null on rows adopted from the old system, which did not record it. */
  readonly level: Level | null
  /** null on adopted rows: they can be decided, never consumed. */
  readonly digest: string | null
  /** The arguments as canonical JSON: the very text that was digested. */
  readonly request_data: string
  readonly reason: string | null
  readonly status: Status
  readonly requested_at: number
  readonly expires_at: number
  readonly responded_at: number | null
  readonly responder_id: string | null
  readonly response_reason: string | null
  readonly consumed_at: number | null
}

/** Nothing leaves a final status. `pending` may become each of the others, once. */
export const TRANSITIONS: Readonly<Record<Status, readonly Status[]>> = {
  pending: ['approved', 'rejected', 'expired', 'cancelled'],
  approved: [],
  rejected: [],
  expired: [],
  cancelled: [],
}

export const isFinal = (status: Status): boolean => TRANSITIONS[status].length === 0

/**
 * The status that holds at `now`: a request still marked pending at its deadline is expired, swept or not.
 * The deadline itself is too late.
 */
export function statusAt(request: Pick<Request, 'status' | 'expires_at'>, now: number): Status {
  // Not `now >= expires_at`: an adopted row whose deadline is no instant (NaN) never was open.
  return request.status === 'pending' && !(now < request.expires_at) ? 'expired' : request.status
}

export const shortId = (requestId: string): string => requestId.slice(0, 8)
