import type { Client } from './client.ts'
import { isTransient } from './failure.ts'
import { pause } from './pause.ts'
import type { WireRequest } from './wire.ts'

/** The longest hold that is asked for; the server may grant less (APPROVAL_HOLD). */
const HOLD_S = 50
/** How long after the deadline a server that is away is still tried for the outcome. */
const AFTERMATH_MS = 5_000
/** An answer that comes sooner and says "pending" was not held: do not ask in a tight loop. */
const MIN_ROUND_MS = 500

export interface WaitEvents {
  /** The server is away; waiting goes on. Told once until `found`. */
  readonly lost?: (error: unknown) => void
  readonly found?: () => void
}

/**
 * Waits by long poll until the request leaves pending. A server that restarts or a connection that drops is tried
 * again for as long as the request can be decided.
 * @returns the final request, or the last one seen when the server stayed away past the deadline
 * @throws ServerError for an answer that trying again will not change; the reason of `signal` when it aborts
 */
export async function waitForDecision(
  client: Client,
  request: WireRequest,
  signal: AbortSignal,
  { lost, found }: WaitEvents = {},
): Promise<WireRequest> {
  let last = request
  let deadline = deadlineOf(request)
  let failures = 0
  while (last.status === 'pending') {
    const started = performance.now()
    try {
      // After a failure without holding, so that people learn at once that the server is back.
      last = await (failures > 0 ? client.get(request.request_id) : client.hold(request.request_id, HOLD_S, signal))
      const back = failures > 0
      failures = 0
      if (back) found?.()
      deadline = deadlineOf(last)
      if (last.status === 'pending' && !back) await pause(MIN_ROUND_MS - (performance.now() - started), signal)
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error
      if (performance.now() > deadline + AFTERMATH_MS) return last
      if (failures === 0) lost?.(error)
      await pause(Math.min(100 * 2 ** failures++, 2000), signal)
    }
    signal.throwIfAborted()
  }
  return last
}

/** By the monotonic clock: the remaining time is the server's word, whatever this machine's clock says. */
const deadlineOf = (request: WireRequest): number => performance.now() + request.seconds_until_expiry * 1000
