import { ROLES, type Role, type User } from '../approval/identity.ts'
import type { Sight, Sighting } from '../approval/life.ts'
import { LEVELS, type Level, type Request, STATUSES, type Status } from '../approval/request.ts'
import type { ApprovalEvent, EventType } from '../approval/store.ts'
import { fromSqlTime } from '../sql.ts'

export interface RequestRow {
  request_id: string
  tool_name: string
  user_id: string
  role: string
  request_data: string | null
  status: string
  requested_at: string
  responded_at: string | null
  responder_id: string | null
  response_reason: string | null
  expires_at: string
  server: string
  level: string | null
  digest: string | null
  reason: string | null
  consumed_at: string | null
  life: number | null
}

export interface LifeRow {
  what: string
  who: string
  first_at: string
  last_at: string
}

export interface EventRow {
  seq: number
  at: string
  type: string
  request_id: string | null
  actor: string
  data: string
  prev_hash: string
  hash: string
}

export interface UserRow {
  user_id: string
  username: string | null
  role_id: number | null
  created_at: string | null
  updated_at: string | null
  is_active: number
  token_sha256: string | null
  role_name: string | null
}

const time = (text: string | null): number | null => (text === null ? null : fromSqlTime(text))

/** The old system called an unanswered request `timeout` or `expired`; a word it never had reads as final too. */
const status = (text: string): Status => (STATUSES.includes(text as Status) ? (text as Status) : 'expired')

export const toRequest = (row: Omit<RequestRow, 'life'>): Request => ({
  request_id: row.request_id,
  server: row.server,
  tool_name: row.tool_name,
  user_id: row.user_id,
  role: row.role,
  level: LEVELS.includes(row.level as Level) ? (row.level as Level) : null,
  digest: row.digest,
  request_data: row.request_data ?? '{}',
  reason: row.reason,
  status: status(row.status),
  requested_at: fromSqlTime(row.requested_at),
  expires_at: fromSqlTime(row.expires_at),
  responded_at: time(row.responded_at),
  responder_id: row.responder_id,
  response_reason: row.response_reason,
  consumed_at: time(row.consumed_at),
})

export const toEvent = (row: EventRow): ApprovalEvent => ({
  seq: row.seq,
  at: fromSqlTime(row.at),
  type: row.type as EventType,
  request_id: row.request_id,
  actor: row.actor,
  data: parse(row.data),
  at_text: row.at,
  data_text: row.data,
  prev_hash: row.prev_hash,
  hash: row.hash,
})

export const toSighting = (request_id: string, { what, who, first_at, last_at }: LifeRow): Sighting => ({
  request_id,
  what: what as Sight,
  who,
  first_at: fromSqlTime(first_at),
  last_at: fromSqlTime(last_at),
})

/** A tampered row must not stop the walk that is to find it. */
function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

export const toUser = (row: UserRow): User => ({
  user_id: row.user_id,
  username: row.username,
  role: ROLES.includes(row.role_name as Role) ? (row.role_name as Role) : 'none',
  is_active: row.is_active === 1,
  created_at: time(row.created_at),
  token_sha256: row.token_sha256,
})
