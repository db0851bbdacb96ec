import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import { digestOf } from '../approval/digest.ts'
import { ApprovalError } from '../approval/errors.ts'
import type { Actor } from '../approval/identity.ts'
import { type Request, shortId } from '../approval/request.ts'
import { type Offer, shown } from './catalogue.ts'
import type { Passing } from './connection.ts'
import type { Caller, Target } from './gate.ts'
import type { Asked, MethodDeps } from './methods.ts'
import { isObject, progressTo, progressToken, type Raw, withoutToken } from './raw.ts'
import { errorResult, notRunResult } from './results.ts'
import { argumentsOf, assertParam } from './routing.ts'

/** How often a caller who waits is told that it still waits, ms. */
const BEAT = 10_000
/** A task waits until its request's deadline, whenever that is, s. */
const TO_THE_END = 86_400

/**
 * A client of the revision without sessions comes back by itself, and gives up after ten times: before that it gets the
 * same result as the others. One that can be asked needs the rest for what the tool asks once it is approved.
 */
const MOST_ROUNDS = { askable: 5, other: 9 }

/** Calls of tools over the protocol: held, as a task, or in rounds, whatever the client speaks. */
export function createCalls({ service, gate, routing, clock, hold }: MethodDeps) {
  const isGated = (actor: Actor, { server, name: tool }: Offer) => {
    try {
      return service.levelFor(actor, { server, tool }).gated
    } catch {
      // It may not call the tool at all: what it is told then says so.
      return false
    }
  }
  const taskSupport = ({ item }: Offer) => (isObject(item.execution) ? item.execution.taskSupport : undefined)
  const hasTasks = (offer: Offer) => ['optional', 'required'].includes(taskSupport(offer) as string)

  /** A client that knows of tasks may make one of whatever waits for a human. */
  function offered(offer: Offer, { actor, tasks }: Asked): Raw {
    const item = shown(offer)
    if (!tasks || hasTasks(offer) || !isGated(actor, offer)) return item
    return { ...item, execution: { ...(item.execution as Raw), taskSupport: 'optional' } }
  }

  async function call(asked: Asked): Promise<Raw> {
    const { params, actor, signal, tasks } = asked
    const name = assertParam(params, 'name')
    const args = argumentsOf(params)
    const offer = toolNamed(name)
    const { name: _, arguments: __, task, ...raw } = withoutToken(params)
    const upstream = routing.byName(offer.server)
    if (asked.state?.talk !== undefined) return goOn(asked, offer, args, asked.state)
    if (task === undefined || !tasks) return held(asked, offer, args, raw)
    if (hasTasks(offer) && !isGated(actor, offer)) {
      return tasks.adopt(await held(asked, offer, args, { ...raw, task }), upstream)
    }
    // A tool that is a task or nothing is called as one, with nothing of the caller's in it.
    const always = taskSupport(offer) === 'required' ? { task: {} } : {}
    signal.throwIfAborted()
    /** What it waits for. Back from being away it learns what became of that, and asks for nothing else. */
    let request_id: string | undefined
    return tasks.start(
      (signal, onWaiting) => {
        const caller = {
          ...{ actor, signal, wait: TO_THE_END, request_id },
          onWaiting(request: Request) {
            request_id = request.request_id
            return onWaiting(sentence(request))
          },
        }
        // The call itself is answered long before: what is told of it goes where everything else does.
        const notify = (method: string, told: Raw) => asked.listener?.tell(method, told)
        return pass({ ...asked, signal, notify }, offer, args, raw, caller, always)
      },
      task,
      upstream,
    )
  }

  function held(asked: Asked, offer: Offer, args: Raw, raw: Raw): Promise<Raw> {
    const { actor, signal } = asked
    const onWaiting = (request: Request) => beat(asked, request)
    const request_id = asked.state?.request_id
    return pass(asked, offer, args, raw, { actor, signal, wait: hold(), onWaiting, request_id }, {})
  }

  async function pass(asked: Asked, offer: Offer, args: Raw, raw: Raw, caller: Caller, always: Raw): Promise<Raw> {
    const { listener, state, talks } = asked
    const talk = talks?.begin(keyOf(asked, offer, args))
    const passing = routing.target(offer, args, talk?.passing ?? roundOf(asked), raw, always)
    const run =
      talk && ((...approved: Parameters<Target['run']>) => talk.run(() => passing.run(...approved), roundOf(asked)))
    const target = { ...passing, ...(run && { run }) }
    try {
      const outcome = await gate.pass(target, caller)
      if (outcome.outcome === 'ran') return outcome.result
      const rounds = state?.request_id === undefined ? 0 : state.rounds
      const most = talks ? MOST_ROUNDS.askable : MOST_ROUNDS.other
      if (outcome.outcome === 'pending' && !listener && rounds < most) {
        return { resultType: 'input_required', requestState: `${outcome.request.request_id} ${rounds + 1}` }
      }
      return notRunResult(outcome, clock(), offer.item.outputSchema !== undefined)
    } catch (error) {
      if (error instanceof ApprovalError) return errorResult(error)
      throw error
    }
  }

  const roundOf = ({ signal, params, notify }: Asked): Passing => ({ signal, ...progressTo(params, notify) })
  const keyOf = ({ actor }: Asked, { server, name: tool }: Offer, args: Raw) =>
    `${actor.user_id} ${digestOf({ server, tool, arguments: args })}`

  /** The call passed the gate when it began, and runs since then: it passes no second time. */
  async function goOn(asked: Asked, offer: Offer, args: Raw, { talk, answers }: { talk: string; answers: Raw }) {
    if (!asked.talks) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'nothing was asked of this client')
    try {
      return await asked.talks.goOn(talk, keyOf(asked, offer, args), answers, roundOf(asked))
    } catch (error) {
      if (error instanceof ApprovalError) return errorResult(error)
      throw error
    }
  }

  /** @throws ProtocolError when exactly this name is not offered */
  function toolNamed(name: string): Offer {
    try {
      return routing.tool(name)
    } catch (error) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, (error as Error).message)
    }
  }

  function sentence(request: Request): string {
    const left = Math.max(0, Math.ceil((request.expires_at - clock()) / 1000))
    return `waiting for a human's approval: request ${shortId(request.request_id)}, ${left} s left`
  }

  /** Tells a client that asked for progress that its call waits for a human, again and again. */
  function beat({ params, notify }: Asked, request: Request): () => void {
    const token = progressToken(params)
    if (token === undefined) return () => undefined
    let beats = 0
    const tell = () => {
      // Progress must grow, and the tool's own begins after this.
      const progress = ++beats / 1e6
      notify('notifications/progress', { progressToken: token, progress, message: sentence(request) })
    }
    tell()
    const timer = setInterval(tell, BEAT)
    return () => clearInterval(timer)
  }

  return { call, offered }
}
