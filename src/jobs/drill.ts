import { CANARY_SERVER } from '../approval/request.ts'
import type { HttpResult, System } from '../system/system.ts'

/** What kept a canary from going its way. */
export interface DrillProblem {
  readonly kind: /** The gate is off: the call was let through. */
    | 'bypassed'
    /** The policy lets calls of this tool through. */
    | 'not_required'
    | 'queue_full'
    | 'rate_limited'
    /** The token is not accepted. */
    | 'unauthenticated'
    /** The user may not do this. */
    | 'role'
    /** No answer: refused, hung, out of time. */
    | 'no_answer'
    /** An answer that a working desk does not give. */
    | 'wrong'
  readonly detail: string
}

export interface DrillStep {
  readonly step: 'approve' | 'reject' | 'expire'
  /** From asking to the waiting caller's release, ms; of `expire` its deadline of one second included. */
  readonly ms: number | null
  readonly problem: DrillProblem | null
}

export interface DrillTarget {
  readonly url: string
  readonly requesterToken: string
  readonly approverToken: string
  /** Makes the three calls unlike any other. */
  readonly id: string
  /** For all three steps together, which run at the same time. */
  readonly timeoutMs: number
}

const TOOL = CANARY_SERVER
const REASON = 'drill of the daily check'
/** Short deadlines: a canary that nobody can take back any more is expired within seconds. */
const DECIDED_WITHIN_S = 5
const EXPIRES_WITHIN_S = 1

class Problem extends Error {
  readonly problem: DrillProblem
  constructor(kind: DrillProblem['kind'], detail: string) {
    super(detail)
    this.problem = { kind, detail }
  }
}

/**
 * Sends three canaries through the real door: one is approved, one rejected, one left to expire. Each final status is
 * read again by somebody other than the waiting caller, and a decision after the deadline must be refused.
 */
export async function drill(system: Pick<System, 'http'>, target: DrillTarget): Promise<DrillStep[]> {
  const end = performance.now() + target.timeoutMs
  const send = async (token: string, path: string, body?: object): Promise<HttpResult> =>
    system.http({
      url: `${target.url}${path}`,
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      timeoutMs: Math.max(1, Math.ceil(end - performance.now())),
    })
  const asRequester = (path: string, body?: object) => send(target.requesterToken, path, body)
  const asApprover = (path: string, body?: object) => send(target.approverToken, path, body)

  async function canary(step: DrillStep['step']): Promise<DrillStep> {
    const started = performance.now()
    let open: string | undefined
    try {
      const timeout_seconds = step === 'expire' ? EXPIRES_WITHIN_S : DECIDED_WITHIN_S
      const call = { server: CANARY_SERVER, tool_name: TOOL, arguments: { drill: target.id, step } }
      const asked = expectAnswer(await asRequester('/api/approvals', { ...call, reason: REASON, timeout_seconds }), 201)
      const path = `/api/approvals/${textAt(asked, 'request_id')}`
      open = path
      const released = asRequester(`${path}?wait=${timeout_seconds + 2}`)
      // The caller waits before the decision is sent: its release is part of what is tested.
      if (step !== 'expire') expectAnswer(await asApprover(`${path}/${step}`, { reason: REASON }), 200)
      const wanted = { approve: 'approved', reject: 'rejected', expire: 'expired' }[step]
      expectStatus('the waiting caller', expectAnswer(await released, 200), wanted)
      const ms = performance.now() - started
      open = undefined
      expectStatus('the record', expectAnswer(await asApprover(`${path}/status`), 200), wanted)
      if (step === 'expire') expectAnswer(await asApprover(`${path}/approve`, { reason: REASON }), 410)
      return { step, ms, problem: null }
    } catch (error) {
      if (open) await asRequester(`${open}/cancel`, {})
      const problem = error instanceof Problem ? error.problem : { kind: 'wrong' as const, detail: String(error) }
      return { step, ms: null, problem }
    }
  }
  return Promise.all([canary('approve'), canary('reject'), canary('expire')])
}

type Answer = Readonly<Record<string, unknown>>

function expectAnswer(result: HttpResult, status: number): Answer {
  if (!result.answered) throw new Problem('no_answer', `${result.failure}: ${result.message}`)
  const body = parse(result.text)
  if (result.status === status && body) return body
  const said = `HTTP ${result.status} ${String(body?.detail ?? body?.status ?? result.text).slice(0, 200)}`.trim()
  if (result.status === 200 && body?.status === 'bypassed') throw new Problem('bypassed', said)
  if (result.status === 200 && body?.status === 'not_required') throw new Problem('not_required', said)
  if (result.status === 401) throw new Problem('unauthenticated', said)
  if (result.status === 403) throw new Problem('role', said)
  if (result.status === 429) throw new Problem(body?.code === 'rate_limited' ? 'rate_limited' : 'queue_full', said)
  throw new Problem('wrong', `expected HTTP ${status}, got ${said}`)
}

function expectStatus(who: string, answer: Answer, wanted: string): void {
  if (answer.status === wanted) return
  throw new Problem('wrong', `expected ${wanted}, ${who} says ${String(answer.status).slice(0, 40)}`)
}

function textAt(answer: Answer, key: string): string {
  const value = answer[key]
  if (typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value)) return value
  throw new Problem('wrong', `the answer has no ${key}`)
}

function parse(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Answer) : undefined
  } catch {
    return undefined
  }
}
