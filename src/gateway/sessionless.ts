import {
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Circle } from './circle.ts'
import { ASKABLE, canAnswer, type OwnCircles } from './own-circles.ts'
import { isObject, type Raw } from './raw.ts'
import { type Proven, type ServingDeps, serve } from './serving.ts'
import { createTalks, type Talks } from './talks.ts'

interface Guest {
  readonly circle: Circle
  readonly talks: Talks
  /** ms since 1970 */
  lastUsed: number
}

/** Tool servers of a client without a session that nobody used for so long are ended, ms. */
const IDLE = 600_000
const CHECK = 60_000

export interface SessionlessDeps extends ServingDeps {
  readonly shared: Circle
  readonly own: OwnCircles
  readonly clock: () => number
}

/**
 * Clients of the revision without sessions: each request is answered for itself, and says what its client can be asked.
 * Those of one user that can be asked the same have tool servers to themselves together.
 */
export function createSessionless({ shared, own, clock, ...serving }: SessionlessDeps) {
  const guests = new Map<string, Guest>()

  function whom({ mcpReq, http }: ServerContext): { circle: Circle; talks?: Talks } {
    const capabilities = (mcpReq.envelope as Raw | undefined)?.[CLIENT_CAPABILITIES_META_KEY]
    if (!isObject(capabilities) || !ASKABLE.some((key) => key in capabilities)) return { circle: shared }
    const { user_id } = (http!.authInfo!.extra as unknown as Proven).actor
    const key = JSON.stringify([user_id, capabilities])
    const guest = guests.get(key) ?? welcome(key, capabilities)
    if (!guest) return { circle: shared }
    guest.lastUsed = clock()
    return guest
  }

  function welcome(key: string, capabilities: Raw): Guest | undefined {
    const talks = createTalks()
    const circle = own.open({
      capabilities,
      // A client ends a call that brings a question which it has not said that it can answer.
      async ask(method, params, passing) {
        if (canAnswer(capabilities, method)) return talks.ask(method, params, passing)
        throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found')
      },
    })
    if (!circle) return undefined
    const guest = { circle, talks, lastUsed: clock() }
    guests.set(key, guest)
    return guest
  }

  setInterval(() => {
    for (const [key, { circle, talks, lastUsed }] of guests) {
      if (talks.open() > 0 || clock() - lastUsed <= IDLE) continue
      guests.delete(key)
      void own.close(circle)
    }
  }, CHECK).unref()

  const handler = createMcpHandler(() => serve(serving, whom).server, { legacy: 'reject', onerror: serving.onError })
  const EVENTS: Readonly<Record<string, () => void>> = {
    'notifications/tools/list_changed': () => handler.notify.toolsChanged(),
    'notifications/prompts/list_changed': () => handler.notify.promptsChanged(),
    'notifications/resources/list_changed': () => handler.notify.resourcesChanged(),
  }
  shared.audience.join({ tell: (method) => EVENTS[method]?.(), level: undefined, subscriptions: new Set() })

  return {
    fetch: handler.fetch,
    async close(): Promise<void> {
      for (const { talks } of guests.values()) talks.close()
      await handler.close()
    },
  }
}
