import { randomUUID } from 'node:crypto'
import {
  type AuthInfo,
  isInitializeRequest,
  isLegacyRequest,
  ProtocolError,
  ProtocolErrorCode,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { Actor } from '../approval/identity.ts'
import type { Listener } from './audience.ts'
import { ASKABLE } from './own-circles.ts'
import type { Raw } from './raw.ts'
import { type Proven, serve } from './serving.ts'
import { createSessionless, type SessionlessDeps } from './sessionless.ts'
import { createTasks } from './tasks.ts'

export interface SessionDeps extends SessionlessDeps {
  /** Whether this user may still be here, with this token and role. */
  readonly isStill: (actor: Actor) => Promise<boolean>
}

interface Session {
  /** Who began it, as last proven. */
  actor: Actor
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly close: () => Promise<void>
  /** It has tool servers to itself. */
  readonly isOwn: boolean
  /** The connections that listen to what is told. */
  readonly open: Set<Request>
  /** It listens, until this connection ends: what it is asked reaches it. */
  readonly listens: (gone: AbortSignal) => void
  /** It waits for an answer. */
  readonly waits: () => boolean
  /** It looks after a task. */
  readonly looks: () => boolean
  hasListened: boolean
  /** ms since 1970 */
  lastUsed: number
}

/** Sessions that nobody used for so long are forgotten, ms. Their clients start a new one. */
const IDLE = 3_600_000
const IDLE_CHECK = 60_000
/**
 * Another may have the tool servers of a client that neither waits nor listens any more; or of one that never listened,
 * and sent nothing for so long, ms.
 */
const AWAY = 60_000
const MOST_SESSIONS = 5000

/**
 * The gateway over Streamable HTTP: sessions for clients that begin with `initialize`, one answer at a time for those of
 * the revision without sessions. A session belongs to the user who began it.
 */
export function createSessions({ isStill, ...deps }: SessionDeps) {
  const { shared, own, clock, ...serving } = deps
  const sessions = new Map<string, Session>()
  const sessionless = createSessionless(deps)

  async function begin(actor: Actor, capabilities: Raw): Promise<Session> {
    const isAskable = ASKABLE.some((key) => key in capabilities)
    await forget(isAskable && own.isFull())
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, session),
    })
    /** Who was shut out meanwhile hears nothing more, and is asked nothing. */
    const still = async (): Promise<boolean> => {
      if (await isStill(session.actor)) return true
      await session.close()
      return false
    }
    const listener: Listener = {
      async tell(method, params) {
        try {
          if (await still()) tell(method, params)
        } catch (error) {
          // The database does not answer. Nobody waits for this: thrown on, it would end the server.
          serving.onError(error as Error)
        }
      },
      level: undefined,
      subscriptions: new Set(),
    }
    const tasks = createTasks(clock)
    const { server, ask, tell, listens, waits } = serve(serving, () => ({ circle }), {
      ...{ listener, tasks, hear: (method, params) => circle.tell(method, params) },
    })
    const mine = isAskable
      ? own.open({ capabilities, ask: async (...asked) => ((await still()) ? ask(...asked) : shutOut()) })
      : undefined
    const circle = mine ?? shared
    server.onclose = () => {
      if (transport.sessionId) sessions.delete(transport.sessionId)
      tasks.close()
      void (mine ? own.close(mine) : shared.audience.leave(listener))
    }
    const close = () => server.close()
    const isOwn = mine !== undefined
    const session: Session = {
      ...{ actor, transport, close, isOwn, listens, waits, looks: tasks.areLookedAfter },
      ...{ open: new Set<Request>(), hasListened: false, lastUsed: clock() },
    }
    await server.connect(transport)
    circle.audience.join(listener)
    return session
  }

  /** Closes what is idle for long; and what is idle longest where there are too many, or another needs its tool servers. */
  async function forget(needsOwn: boolean): Promise<void> {
    const idle = [...sessions.values()]
      .filter(({ open, waits }) => open.size === 0 && !waits())
      .sort((a, b) => a.lastUsed - b.lastUsed)
    const old = idle.filter(({ lastUsed }) => clock() - lastUsed > IDLE)
    const surplus = Math.max(0, sessions.size - old.length - MOST_SESSIONS + 1)
    const closing = new Set([...old, ...idle.slice(old.length, old.length + surplus)])
    const isFreed = [...closing].some(({ isOwn }) => isOwn)
    const left = idle.filter(({ hasListened, lastUsed }) => hasListened || clock() - lastUsed > AWAY)
    const owner = needsOwn && !isFreed ? left.find(({ isOwn, looks }) => isOwn && !looks()) : undefined
    if (owner) closing.add(owner)
    await Promise.all([...closing].map(({ close }) => close()))
  }
  setInterval(() => void forget(false), IDLE_CHECK).unref()

  /** @param body the JSON that was sent, parsed and checked already: nobody parses it a second time */
  async function fetch(request: Request, actor: Actor, body: unknown): Promise<Response> {
    const { user_id } = actor
    const proven: Proven = { actor, gone: request.signal }
    const authInfo: AuthInfo = { token: '', clientId: user_id, scopes: [], extra: { ...proven } }
    const options = { authInfo, ...(body !== undefined && { parsedBody: body }) }
    const id = request.headers.get('mcp-session-id')
    let session = id === null ? undefined : sessions.get(id)
    // Who names a session that is there speaks a revision that has them: nothing more need be read to know it.
    const asksAlone = !session && request.method === 'POST' && !(await isLegacyRequest(request, body))
    if (asksAlone) return sessionless.fetch(request, options)
    if (id !== null && session?.actor.user_id !== user_id) return failed(404, -32001, 'Session not found')
    if (!session && request.method === 'POST' && isInitializeRequest(body)) {
      session = await begin(actor, body.params.capabilities)
    }
    if (!session) return failed(400, -32000, 'Bad Request: begin with initialize, then send Mcp-Session-Id')
    Object.assign(session, { actor, lastUsed: clock() })
    if (request.method === 'GET') {
      // Who listens may be silent for hours, and is there all the same.
      const { open } = session
      open.add(request)
      request.signal.addEventListener('abort', () => open.delete(request))
    }
    const response = await session.transport.handleRequest(request, options)
    if (session.transport.sessionId === undefined) await session.close()
    if (request.method === 'GET' && response.ok) {
      session.hasListened = true
      session.listens(request.signal)
    }
    return response
  }

  return {
    fetch,
    async close(): Promise<void> {
      await sessionless.close()
      await Promise.all([...sessions.values()].map(({ close }) => close()))
    },
  }
}

function shutOut(): never {
  throw new ProtocolError(ProtocolErrorCode.InternalError, 'the client was shut out')
}

const failed = (status: number, code: number, message: string): Response =>
  Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
