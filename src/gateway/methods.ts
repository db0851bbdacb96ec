import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client'
import type { Actor } from '../approval/identity.ts'
import type { ApprovalService } from '../approval/service.ts'
import type { Audience, Listener } from './audience.ts'
import { createCalls } from './calls.ts'
import { type Offer, shown } from './catalogue.ts'
import type { Passing } from './connection.ts'
import type { Gate } from './gate.ts'
import { isObject, progressTo, type Raw, withoutToken } from './raw.ts'
import { assertParam, type Routing } from './routing.ts'
import type { Talks } from './talks.ts'
import type { Tasks } from './tasks.ts'
import type { Upstream } from './upstream.ts'
import type { ListName } from './upstream-lists.ts'

export interface MethodDeps {
  readonly service: ApprovalService
  readonly gate: Gate
  readonly routing: Routing
  readonly audience: Audience
  readonly upstreams: () => readonly Upstream[]
  /** Every tool server has started, or has failed to, or patience ended. */
  readonly settled: () => Promise<unknown>
  readonly clock: () => number
  /** Longest time an answer is held back, s. */
  readonly hold: () => number
}

/** One request of one caller over the protocol. */
export interface Asked {
  readonly method: string
  readonly params: Raw
  readonly actor: Actor
  readonly signal: AbortSignal
  /** Who gets what is told apart from answers; a caller without a session has none. */
  readonly listener: Listener | undefined
  /** The caller's tasks, where it speaks a revision that has them. */
  readonly tasks: Tasks | undefined
  /** On the caller's own request. */
  readonly notify: (method: string, params: Raw) => void
  /** Brings what tool servers ask to a caller without a session. */
  readonly talks: Talks | undefined
  /**
   * What an earlier answer told the client to come back with: the request, and how often it has come back; or the call
   * that is under way, with the answers to what was asked.
   */
  readonly state:
    | { readonly request_id: string; readonly rounds: number; readonly talk?: undefined }
    | { readonly talk: string; readonly answers: Raw; readonly request_id?: undefined }
    | undefined
}

/** What the gateway answers to each method: everything is passed on as it is, calls of tools through the gate. */
export function createMethods(deps: MethodDeps) {
  const { service, routing, audience, upstreams, settled } = deps
  const calls = createCalls(deps)
  const passingOf = ({ params, signal, notify }: Asked): Passing => ({ signal, ...progressTo(params, notify) })

  /** Read anew for everybody who asks, so that a change of which no upstream tells is seen. */
  async function fresh(list: ListName): Promise<void> {
    await Promise.all(upstreams().map((upstream) => upstream.refresh(list)))
  }

  async function named(list: 'tools' | 'prompts', show: (offer: Offer) => Raw): Promise<Raw> {
    await fresh(list)
    return { [list]: [...routing.offers(list).values()].map(show) }
  }

  async function located(list: 'resources' | 'resourceTemplates', key: string): Promise<Raw> {
    await fresh(list)
    const all = new Map<unknown, Raw>()
    // A resource is read by its URI: of two upstreams that have the same one the first in mcp.json is asked.
    for (const item of upstreams().flatMap((upstream) => upstream.lists()[list])) {
      if (!all.has(item[key])) all.set(item[key], item)
    }
    return { [list]: [...all.values()] }
  }

  /** The answer of the first of several who has one. */
  async function firstOf(owners: readonly Upstream[], method: string, params: Raw, passing: Passing, what: string) {
    let failure: unknown = new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown ${what}`)
    for (const owner of owners) {
      try {
        return await owner.request(method, params, passing)
      } catch (error) {
        failure = error
        if (passing.signal.aborted) break
      }
    }
    throw failure
  }

  async function complete(asked: Asked): Promise<Raw> {
    const params = withoutToken(asked.params)
    const { ref } = params
    if (isObject(ref) && ref.type === 'ref/prompt') {
      const offer = prompt(String(ref.name))
      const renamed = { ...params, ref: { ...ref, name: offer.name } }
      return routing.byName(offer.server).request('completion/complete', renamed, passingOf(asked))
    }
    const uri = isObject(ref) ? String(ref.uri) : ''
    const owners = routing.resourceOwners(uri)
    return firstOf(owners, 'completion/complete', params, passingOf(asked), `resource: ${uri}`)
  }

  function prompt(name: string) {
    const offer = routing.offers('prompts').get(name)
    if (offer) return offer
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${name}`)
  }

  async function subscription(asked: Asked, on: boolean): Promise<Raw> {
    const uri = assertParam(asked.params, 'uri')
    const { listener } = asked
    if (!listener) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found')
    const matters = on ? audience.subscribe(listener, uri) : audience.unsubscribe(listener, uri)
    if (!matters) return {}
    const owners = routing.resourceOwners(uri).slice(0, 1)
    return firstOf(owners, asked.method, withoutToken(asked.params), passingOf(asked), `resource: ${uri}`)
  }

  async function setLevel({ params, listener }: Asked): Promise<Raw> {
    if (listener && (await audience.setLevel(listener, assertParam(params, 'level')))) return {}
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown level: ${String(params.level)}`)
  }

  /** @throws ProtocolError, or the upstream's own error */
  return async function answer(asked: Asked): Promise<Raw> {
    const { method, params } = asked
    service.assertMayUse(asked.actor)
    await settled()
    switch (method) {
      case 'tools/list':
        return named('tools', (offer) => calls.offered(offer, asked))
      case 'tools/call':
        return calls.call(asked)
      case 'prompts/list':
        return named('prompts', shown)
      case 'prompts/get': {
        const offer = prompt(assertParam(params, 'name'))
        const own = { ...withoutToken(params), name: offer.name }
        return routing.byName(offer.server).request(method, own, passingOf(asked))
      }
      case 'resources/list':
        return located('resources', 'uri')
      case 'resources/templates/list':
        return located('resourceTemplates', 'uriTemplate')
      case 'resources/read': {
        const uri = assertParam(params, 'uri')
        const owners = routing.resourceOwners(uri)
        return firstOf(owners, method, withoutToken(params), passingOf(asked), `resource: ${uri}`)
      }
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return subscription(asked, method === 'resources/subscribe')
      case 'completion/complete':
        return complete(asked)
      case 'logging/setLevel':
        return setLevel(asked)
      case 'tasks/get':
      case 'tasks/result':
      case 'tasks/cancel':
      case 'tasks/list': {
        if (!asked.tasks) break
        const verb = method.slice('tasks/'.length) as 'get' | 'result' | 'cancel' | 'list'
        return verb === 'list' ? asked.tasks.list(passingOf(asked)) : asked.tasks[verb](params, passingOf(asked))
      }
    }
    throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found')
  }
}
