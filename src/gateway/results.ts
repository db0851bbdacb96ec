import type { CallOutcome } from '../approval/call-outcome.ts'
import type { ApprovalError } from '../approval/errors.ts'
import { type Request, shortId, statusAt } from '../approval/request.ts'
import type { Raw } from './raw.ts'

/** Under this name a result of ours carries its facts in `_meta`. */
const META = 'approval-ops/request'
const META_ERROR = 'approval-ops/error'

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** What a program may want to know of the request beside the sentence. */
export function factsOf(request: Request, now: number): Record<string, unknown> {
  return {
    request_id: request.request_id,
    short_id: shortId(request.request_id),
    tool_name: request.tool_name,
    server: request.server,
    level: request.level,
    status: statusAt(request, now),
    expires_at: iso(request.expires_at),
    seconds_until_expiry: Math.max(0, Math.ceil((request.expires_at - now) / 1000)),
    responded_at: iso(request.responded_at),
    responder_id: request.responder_id,
    response_reason: request.response_reason,
  }
}

type NotRun = Exclude<CallOutcome, { outcome: 'ran' }>

/** One sentence or two for the caller, who may be a model: did it run, why not, what to do. */
export function sentenceOf({ outcome, request }: NotRun, now: number): string {
  const what = `${request.tool_name} (${request.level ?? 'HIGH'})`
  const id = shortId(request.request_id)
  if (outcome === 'pending') {
    const left = Math.max(0, Math.ceil((request.expires_at - now) / 1000))
    return (
      `NOT RUN YET: ${what} waits for a human's approval (request ${id}, ${left} s left, until ${iso(request.expires_at)}). ` +
      'Call this tool again with exactly the same arguments to go on waiting; it runs as soon as it is approved. ' +
      'Other arguments would ask anew.'
    )
  }
  if (outcome === 'used') {
    return (
      `NOT RUN: the approval ${id} of this call was used by another, identical call of yours, and each approval is for ` +
      'one run. If it is to run again, call again: that asks anew.'
    )
  }
  if (request.status === 'rejected') {
    return (
      `NOT RUN: ${request.responder_id} rejected ${what} at ${iso(request.responded_at)} (request ${id}): ` +
      `${request.response_reason ?? 'no reason given'}. Do not call it again unless that has changed.`
    )
  }
  if (request.status === 'cancelled') return `NOT RUN: the request ${id} for ${what} was cancelled.`
  return (
    `NOT RUN: nobody decided on ${what} before ${iso(request.expires_at)} (request ${id} expired). ` +
    'Calling it again asks anew.'
  )
}

/**
 * A call that did not run, as a tool's result. `isError`, since the tool has not done its work: that is what a model
 * looks at, and what spares a client the check against the tool's output schema.
 */
export function notRunResult(outcome: NotRun, now: number, hasOutputSchema: boolean): Raw {
  const facts = factsOf(outcome.request, now)
  return {
    content: [{ type: 'text', text: sentenceOf(outcome, now) }],
    // Some clients check it against the output schema even in an error.
    ...(hasOutputSchema ? {} : { structuredContent: facts }),
    isError: true,
    _meta: { [META]: { ...facts, outcome: outcome.outcome } },
  }
}

/** What was refused before anything ran, or failed while it did, as a tool's result that a model can read. */
export function errorResult({ code, message, facts }: ApprovalError): Raw {
  return {
    // Whether what failed in the middle ran its message says.
    content: [{ type: 'text', text: code === 'upstream_error' ? message : `NOT RUN: ${message}` }],
    isError: true,
    _meta: { [META_ERROR]: { code, ...facts } },
  }
}
