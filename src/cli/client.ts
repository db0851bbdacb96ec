import type { Decision } from '../approval/request.ts'
import { askDesk } from './answer.ts'
import { Interrupted } from './explain.ts'
import { ServerError, Unreachable } from './failure.ts'
import { hasRows, hasStrings, type IsOurs, isAsked, isAudit, isCalled, isRequest } from './ours.ts'
import type { AuditReport, Explanation, Forecast, Unasked, WireRequest, WireTools, WireUser } from './wire.ts'

/** Every call is answered within this, or fails. */
const DEADLINE_MS = 10_000
/** A tool runs as long as it runs. */
const TOOL_MS = 24 * 3_600_000
/** Tool servers that are starting are waited for. */
const START_MS = 60_000
/** How much later than the promised hold an answer to a long poll may come. */
const HOLD_GRACE_MS = 10_000
/** A clock that differs by less may as well be the one-second resolution of the Date header. */
const SKEW_MS = 2_000

export interface Ask {
  readonly tool_name: string
  /** JSON text, sent as it is: parsing it here would alter numbers that JavaScript cannot hold. */
  readonly argumentsJson: string
  readonly server?: string | undefined
  readonly reason?: string | undefined
  readonly timeout_seconds?: number | undefined
}

export interface Filter {
  readonly status?: string | undefined
  readonly tool_name?: string | undefined
  readonly limit: number
}

/** A call of a tool through the gateway. */
export interface ToolCall {
  readonly tool: string
  /** JSON text, sent as it is. */
  readonly argumentsJson: string
  readonly reason?: string | undefined
  /** How long the server may hold the answer, s; undefined: as long as it does. */
  readonly wait?: number
  /** Use the approval of this request. */
  readonly request_id?: string
}

/** A tool's result, as far as it is looked at. */
export interface ToolResult {
  readonly content?: readonly {
    readonly type: string
    readonly text?: string
    readonly mimeType?: string
    readonly uri?: string
    readonly resource?: { readonly text?: string }
  }[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
}

export type ToolAnswer = { readonly request: WireRequest } | { readonly result: ToolResult }

interface Call {
  readonly body?: string
  readonly signal?: AbortSignal
  readonly deadlineMs?: number
}

export type Client = ReturnType<typeof createClient>

/**
 * The server's routes as functions.
 * @param signal ends every call, e.g. on Ctrl-C
 * @throws ServerError, Unreachable, or the reason of an aborted signal
 */
export function createClient({ url, token, signal: ending }: { url: string; token: string; signal: AbortSignal }) {
  let skew = 0

  async function send(method: 'GET' | 'POST', path: string, call: Call, headers: Record<string, string> = {}) {
    const timeout = AbortSignal.timeout(call.deadlineMs ?? DEADLINE_MS)
    try {
      const response = await askDesk(url + path, {
        method,
        signal: AbortSignal.any(call.signal ? [ending, call.signal, timeout] : [ending, timeout]),
        headers: {
          authorization: `Bearer ${token}`,
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(call.body === undefined ? {} : { body: call.body }),
      })
      const ahead = Date.parse(response.header('date') ?? '') - Date.now()
      if (!Number.isNaN(ahead)) skew = Math.abs(ahead) < SKEW_MS ? 0 : ahead
      return { status: response.status, header: response.header, text: await response.text() }
    } catch (error) {
      if (ending.aborted) throw ending.reason
      if (call.signal?.aborted) throw call.signal.reason
      throw unreachable(url, error, method === 'POST')
    }
  }

  async function json<T>(
    isOurs: IsOurs,
    method: 'GET' | 'POST',
    path: string,
    call: Call = {},
  ): Promise<{ status: number; value: T }> {
    const { status, header, text } = await send(method, path, call)
    const value = parse(text)
    if (status < 200 || status >= 300) throw serverError(url, status, value, header('retry-after'))
    if (typeof value === 'object' && value !== null && isOurs(value as Record<string, unknown>, header)) {
      return { status, value: value as T }
    }
    throw serverError(url, status, undefined)
  }

  const get = async <T>(isOurs: IsOurs, path: string, call?: Call) => (await json<T>(isOurs, 'GET', path, call)).value
  const post = async <T>(isOurs: IsOurs, path: string, body: unknown) =>
    (await json<T>(isOurs, 'POST', path, { body: JSON.stringify(body) })).value
  const one = (id: string) => `/api/approvals/${encodeURIComponent(id)}`
  const verb = (decision: Decision) => (decision === 'approved' ? 'approve' : 'reject')

  return {
    url,
    token,

    /** The server's clock, in ms since 1970, as far as its last answer tells. */
    now: () => Date.now() + skew,

    async ask({ argumentsJson, ...rest }: Ask): Promise<{ answer: WireRequest | Unasked; joined: boolean }> {
      const head = JSON.stringify(rest)
      const body = `${head.slice(0, -1)},"arguments":${argumentsJson}}`
      const { status, value } = await json<WireRequest | Unasked>(isAsked, 'POST', '/api/approvals', { body })
      return { answer: value, joined: status === 200 && 'request_id' in value }
    },

    async callTool({ tool, argumentsJson, reason, wait, request_id }: ToolCall): Promise<ToolAnswer> {
      const query = new URLSearchParams()
      if (wait !== undefined) query.set('wait', String(wait))
      if (request_id !== undefined) query.set('request_id', request_id)
      const why = reason === undefined ? '' : `,"reason":${JSON.stringify(reason)}`
      const body = `{"arguments":${argumentsJson}${why}}`
      const path = `/tools/${encodeURIComponent(tool)}/call?${query}`
      const call = { body, deadlineMs: TOOL_MS }
      const { status, value } = await json<WireRequest & ToolResult>(isCalled, 'POST', path, call).catch((error) => {
        throw error instanceof Interrupted ? new Interrupted(error.signal, true) : error
      })
      return status === 202 ? { request: value } : { result: value }
    },

    get: (id: string, signal?: AbortSignal) => get<WireRequest>(isRequest, one(id), signal ? { signal } : {}),

    /** The same with its secrets. */
    reveal: (id: string, signal: AbortSignal) => get<WireRequest>(isRequest, `${one(id)}?reveal=true`, { signal }),

    /** Held by the server until the request leaves pending, `seconds` at most. */
    hold: (id: string, seconds: number, signal: AbortSignal) =>
      get<WireRequest>(isRequest, `${one(id)}?wait=${seconds}`, { signal, deadlineMs: seconds * 1000 + HOLD_GRACE_MS }),

    pending: (limit: number, signal?: AbortSignal) =>
      get<{ pending_approvals: WireRequest[]; count: number; server_time: string }>(
        hasRows('pending_approvals'),
        `/api/approvals/pending?limit=${limit}`,
        signal ? { signal } : {},
      ),

    list({ limit, ...filter }: Filter): Promise<{ approvals: WireRequest[]; next_cursor: string | null }> {
      const query = new URLSearchParams({ limit: String(limit) })
      for (const [key, value] of Object.entries(filter)) if (value !== undefined) query.set(key, value)
      return get(hasRows('approvals'), `/api/approvals?${query}`)
    },

    decide: (id: string, decision: Decision, reason: string) =>
      post<WireRequest>(isRequest, `${one(id)}/${verb(decision)}`, { reason }),

    /** All or none. */
    decideAll: (ids: readonly string[], decision: Decision, reason: string) =>
      post<{ approvals: WireRequest[]; count: number }>(hasRows('approvals'), '/api/approvals/batch', {
        action: verb(decision),
        ids,
        reason,
      }),

    /** Uses an approval: the call may run, once. */
    use: (request: WireRequest) =>
      post<WireRequest>(isRequest, `${one(request.request_id)}/consume`, { digest: request.digest }),

    cancel: (id: string) => post<WireRequest>(isRequest, `${one(id)}/cancel`, {}),

    tools: () => get<WireTools>(hasRows('tools'), '/tools', { deadlineMs: START_MS }),

    explain: (tool: string, server: string) =>
      get<Explanation>(hasStrings('tool', 'level'), `/api/policy/explain?${new URLSearchParams({ tool, server })}`),
    forecast: (policy: string, weeks: number) =>
      post<Forecast>(hasRows('tools'), '/api/policy/forecast', { policy, weeks }),

    users: () => get<{ users: WireUser[] }>(hasRows('users'), '/api/users'),
    addUser: (user: { user_id: string; role: string; username?: string | undefined }) =>
      post<{ user_id: string; role: string; token: string }>(hasStrings('user_id', 'token'), '/api/users', user),
    disableUser: (id: string) =>
      post<WireUser>(hasStrings('user_id'), `/api/users/${encodeURIComponent(id)}/disable`, {}),
    enableUser: (id: string) =>
      post<WireUser>(hasStrings('user_id'), `/api/users/${encodeURIComponent(id)}/enable`, {}),
    newToken: (id: string) =>
      post<{ user_id: string; token: string }>(
        hasStrings('user_id', 'token'),
        `/api/users/${encodeURIComponent(id)}/token`,
        {},
      ),

    /** Walks the whole record, so it may take long. `head` = an earlier end that it must still contain. */
    verifyAudit: (signal: AbortSignal, head?: string) =>
      get<AuditReport>(isAudit, `/api/audit/verify${head === undefined ? '' : `?head=${encodeURIComponent(head)}`}`, {
        ...{ signal, deadlineMs: 300_000 },
      }),
  }
}

export function unreachable(url: string, error: unknown, sent: boolean): Unreachable {
  const { name, cause } = error as {
    name?: string
    cause?: { code?: string; message?: string; errors?: { code?: string }[] }
  }
  const code = cause?.code ?? cause?.errors?.[0]?.code ?? cause?.message ?? String(error)
  const why = name === 'TimeoutError' ? 'TIMEOUT' : code === 'UND_ERR_SOCKET' ? 'CLOSED' : code
  const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']
  return new Unreachable(url, why, sent && !neverSent.includes(why), { cause: error })
}

export function serverError(url: string, status: number, value: unknown, retryAfter?: string): ServerError {
  const problem = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (typeof problem.code !== 'string') return new ServerError(status, 'not_approval_ops', `${url}: HTTP ${status}`, {})
  const detail = typeof problem.detail === 'string' ? problem.detail : String(problem.title ?? problem.code)
  const later = retryAfter === undefined ? {} : { retry_after: Number(retryAfter) }
  return new ServerError(status, problem.code, detail, { ...later, ...problem })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
