import type { Level, Status } from '../approval/request.ts'

/** A request as the server sends it. Instants are ISO 8601 with Z. */
export interface WireRequest {
  readonly request_id: string
  readonly short_id: string
  readonly server: string
  readonly tool_name: string
  readonly user_id: string
  readonly role: string
  readonly level: Level | null
  readonly digest: string | null
  /** Canonical JSON of the arguments: the very text that was digested when `redacted` is 0. */
  readonly request_data: string
  /** How many values are hidden, since they look like secrets. */
  readonly redacted: number
  readonly reason: string | null
  readonly status: Status
  /** null where an adopted row holds no instant. */
  readonly requested_at: string | null
  readonly expires_at: string | null
  readonly responded_at: string | null
  readonly responder_id: string | null
  readonly response_reason: string | null
  readonly consumed_at: string | null
  readonly seconds_until_expiry: number
}

/** Nothing waits: the tool needs no approval, or the gate is off. */
export interface Unasked {
  readonly status: 'not_required' | 'bypassed'
  readonly level: Level
}

export interface WireEvent {
  readonly seq: number
  readonly at: string
  readonly type: string
  readonly request_id: string | null
  readonly actor: string
  readonly data: Readonly<Record<string, unknown>>
  readonly request?: WireRequest
}

export interface WireUser {
  readonly user_id: string
  readonly username: string | null
  readonly role: string
  readonly is_active: boolean
  readonly created_at: string | null
  readonly has_token: boolean
}

export interface AuditReport {
  readonly ok: boolean
  readonly events: number
  readonly archives: { readonly verified: number; readonly missing: readonly string[] }
  readonly head: { readonly seq: number; readonly hash: string } | null
  readonly problems: readonly {
    readonly seq: number | null
    readonly request_id?: string | null
    readonly what: string
  }[]
}

export interface WireTools {
  readonly tools: readonly {
    readonly name: string
    readonly server: string
    readonly level: Level
    /** As the tool server has it; may be long, or empty. */
    readonly description: string
  }[]
  /** Tool servers whose tools are not known now. */
  readonly not_up: readonly string[]
}

interface WireRule {
  readonly rule: string
  readonly level: Level
  readonly line: number
}

export interface Explanation {
  readonly server: string
  readonly tool: string
  readonly level: Level
  readonly needs_approval: boolean
  readonly decided_by: WireRule | null
  readonly also_fit: readonly WireRule[]
}

interface Change {
  readonly server: string
  readonly tool: string
  readonly from: Level
  readonly to: Level
}

/** `before` and `after`: approvals a day. */
export interface Forecast {
  readonly since: string
  readonly days: number
  readonly before: number
  readonly after: number
  readonly tools: readonly (Change & { readonly calls: number; readonly before: number; readonly after: number })[]
  readonly unknown: readonly Change[]
}
