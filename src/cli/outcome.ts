import type { Status } from '../approval/request.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable, printableJson } from '../report/printable.ts'
import type { Context } from './command.ts'
import { Interrupted, reasonOf } from './explain.ts'
import { Failure, ServerError } from './failure.ts'
import { clock } from './format.ts'
import { asUser } from './identity.ts'
import { waitForDecision } from './wait.ts'
import type { WireRequest } from './wire.ts'

const EXIT_OF: Readonly<Record<Status, ExitCode>> = {
  approved: EXIT.OK,
  rejected: EXIT.REJECTED,
  expired: EXIT.CLOSED,
  cancelled: EXIT.CLOSED,
  pending: EXIT.PENDING,
}

export const json = (value: unknown): string => printableJson(JSON.stringify(value, null, 2))

/** The command that continues where this one stopped, as the same user. */
export function showCommand({ self, identity }: Context, id: string, ...more: string[]): string {
  return [self, 'show', id.slice(0, 8), ...more, ...asUser(identity, 'admin_user')].join(' ')
}

/**
 * Waits for the decision, with a countdown on a terminal and a line a minute elsewhere, and tells it.
 * @throws Failure when the call must not run: rejected, expired, cancelled, or still pending
 */
export async function awaitOutcome(context: Context, request: WireRequest, asJson: boolean): Promise<ExitCode> {
  const interrupted = () => {
    if (asJson) context.terminal.out(json(request))
  }
  const resume = showCommand(context, request.request_id, '--wait')
  return tell(context, await awaitDecision(context, request, resume, interrupted), asJson)
}

/**
 * The same, without the telling.
 * @param resume the command that goes on waiting
 * @throws Failure when a signal ends the waiting: the request stays
 */
export async function awaitDecision(
  context: Context,
  request: WireRequest,
  resume: string,
  interrupted: () => void = () => undefined,
): Promise<WireRequest> {
  const { terminal, t, client, signal } = context
  const stop = countDown(context, request)
  try {
    return await waitForDecision(client, request, signal, {
      lost: (error) => terminal.err(t.request.lost(reasonOf(error))),
      found: () => terminal.err(t.request.found),
    })
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    interrupted()
    throw new Failure(EXIT.PENDING, t.outcome.stillPending(request.short_id), resume)
  } finally {
    stop()
  }
}

/**
 * Tells how the request ended. An approval is used then and there, so that of all who wait for it one alone is told
 * that the call may run; somebody else than its requester only looks.
 * @throws Failure unless approved
 */
export async function tell(context: Context, told: WireRequest, asJson: boolean): Promise<ExitCode> {
  const { terminal, t } = context
  const request = told.status === 'approved' ? await used(context, told) : told
  const { short_id: id, status } = request
  if (status === 'pending') {
    if (asJson) terminal.out(json(request))
    throw new Failure(EXIT.PENDING, t.outcome.serverGone(id), showCommand(context, request.request_id, '--wait'))
  }
  terminal.out(asJson ? json(request) : `${id} ${printable(request.tool_name)} ${outcomeText(context, request)}`)
  if (status === 'approved') return EXIT_OF[status]
  throw new Failure(
    EXIT_OF[status],
    t.outcome.notApproved(id, t.status[status]),
    showCommand(context, request.request_id),
  )
}

async function used({ client }: Context, request: WireRequest): Promise<WireRequest> {
  try {
    return await client.use(request)
  } catch (error) {
    if (error instanceof ServerError && error.code === 'role') return request
    throw error
  }
}

/** Who decided and why. */
export function outcomeText({ t }: Pick<Context, 't'>, request: WireRequest): string {
  const [who, why] = [printable(request.responder_id ?? '-'), printable(request.response_reason ?? '-')]
  if (request.status === 'approved') return t.outcome.approved(who, why)
  if (request.status === 'rejected') return t.outcome.rejected(who, why)
  return request.status === 'cancelled' ? t.outcome.cancelled : t.outcome.expired
}

function countDown({ terminal, t }: Context, request: WireRequest): () => void {
  const end = performance.now() + request.seconds_until_expiry * 1000
  const tool = printable(request.tool_name)
  const onTerminal = terminal.columns(terminal.stderr) !== undefined
  let minute = Math.ceil(request.seconds_until_expiry / 60)
  const tick = () => {
    const left = Math.max(0, (end - performance.now()) / 1000)
    if (onTerminal) return terminal.setStatus(t.request.waiting(request.short_id, tool, clock(left)))
    if (Math.ceil(left / 60) >= minute) return
    minute = Math.ceil(left / 60)
    terminal.err(`${request.short_id} ${tool}: ${t.left(clock(left))}`)
  }
  tick()
  const timer = setInterval(tick, 1000)
  return () => {
    clearInterval(timer)
    terminal.setStatus('')
  }
}
