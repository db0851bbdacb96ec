import { canonicalJson, digestOf } from './digest.ts'

/** One request's columns, as stored, beside the events that it points at. */
export interface AuditedRequest {
  readonly request_id: string
  readonly server: string
  readonly tool_name: string
  readonly user_id: string
  readonly role: string
  readonly level: string | null
  readonly digest: string | null
  readonly reason: string | null
  readonly request_data: string | null
  readonly status: string
  readonly requested_at: string
  readonly expires_at: string
  readonly responded_at: string | null
  readonly responder_id: string | null
  readonly response_reason: string | null
  readonly consumed_at: string | null
  readonly created_seq: number | null
  readonly closed_seq: number | null
  readonly consumed_seq: number | null
  /** The events at those places, null where none is, or where it is of another request. */
  readonly created_type: string | null
  readonly created_at: string | null
  readonly created_actor: string | null
  readonly created_data: string | null
  readonly closed_type: string | null
  readonly closed_at: string | null
  readonly closed_actor: string | null
  readonly closed_data: string | null
  readonly consumed_type: string | null
  readonly used_at: string | null
  readonly consumed_actor: string | null
}

/** What a `created` event says of its request: all that may never change. */
export const createdData = (row: {
  server: string
  tool_name: string
  role: string
  level: string | null
  digest: string | null
  reason: string | null
  expires_at: string
}) => ({
  server: row.server,
  tool: row.tool_name,
  role: row.role,
  level: row.level,
  digest: row.digest,
  reason: row.reason,
  expires_at: row.expires_at,
})

/** Where the row says something else than the record. */
export function disagreements(row: AuditedRequest): string[] {
  const wrong: string[] = []
  if (row.digest !== null || row.created_seq !== null) wrong.push(...asking(row))
  if (row.status !== 'pending' && row.closed_seq === null && row.created_seq !== null) {
    wrong.push(`is ${row.status}, but no such event was recorded`)
  }
  if (row.closed_seq !== null) wrong.push(...answer(row))
  if (row.consumed_seq === null) {
    if (row.consumed_at !== null) wrong.push('is marked used, but no use was recorded')
  } else if (
    row.consumed_type !== 'consumed' ||
    row.used_at !== row.consumed_at ||
    row.consumed_actor !== row.user_id
  ) {
    wrong.push('its use is not the recorded one')
  }
  return wrong
}

function asking(row: AuditedRequest): string[] {
  if (row.created_type !== 'created') return ['was never asked: no such event was recorded']
  const wrong: string[] = []
  if (row.created_actor !== row.user_id || row.created_at !== row.requested_at) {
    wrong.push('its requester or its time is not the recorded one')
  }
  if (row.created_data !== canonicalJson(createdData(row))) {
    wrong.push('its tool, level, role, digest, reason or deadline is not the recorded one')
  }
  if (digestOfRow(row) !== row.digest) wrong.push('its arguments are not the digested ones')
  return wrong
}

function answer(row: AuditedRequest): string[] {
  if (row.closed_type !== row.status)
    return [`is ${row.status}, but what was recorded is ${row.closed_type ?? 'another'}`]
  const human = row.status === 'approved' || row.status === 'rejected'
  const recorded = human ? [row.closed_actor, row.closed_at, row.closed_data] : [null, null, '{}']
  const stored = [row.responder_id, row.responded_at, human ? canonicalJson({ reason: row.response_reason }) : '{}']
  return recorded.every((value, n) => value === stored[n]) ? [] : ['its answer is not the recorded one']
}

function digestOfRow(row: AuditedRequest): string | undefined {
  try {
    return digestOf({ server: row.server, tool: row.tool_name, arguments: JSON.parse(row.request_data ?? '') })
  } catch {
    return undefined
  }
}
