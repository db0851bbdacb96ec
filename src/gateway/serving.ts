import { LOG_LEVEL_META_KEY, Server, type ServerContext } from '@modelcontextprotocol/server'
import type { Actor } from '../approval/identity.ts'
import type { Listener } from './audience.ts'
import type { Circle } from './circle.ts'
import type { Passing } from './connection.ts'
import type { Asked } from './methods.ts'
import { asSent, type Raw } from './raw.ts'
import type { Talks } from './talks.ts'
import type { Tasks } from './tasks.ts'
import { NO_TIMEOUT } from './upstream.ts'

/** Who sent this very request, as the desk has proven it. */
export interface Proven {
  readonly actor: Actor
  /** Aborts when the connection of this very request ends. */
  readonly gone: AbortSignal
}

export interface ServingDeps {
  readonly version: string
  /** What the tool servers say of how they are to be used. */
  readonly instructions: () => string | undefined
  readonly onError: (error: Error) => void
}

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
}
/** Of the revisions with sessions alone. */
const TASKS = { list: {}, cancel: {}, requests: { tools: { call: {} } } }

/** Whom a connection with a session belongs to. */
export interface Client {
  readonly listener: Listener
  readonly tasks: Tasks
  /** Takes what the client tells, e.g. that its roots are others now. */
  readonly hear: (method: string, params: Raw) => void
}

/** Whose tool servers answer, and what brings their questions to a client without a session. */
type Whom = (context: ServerContext) => { readonly circle: Circle; readonly talks?: Talks }

/**
 * The library's server for one connection. What the library does not know is left to the circle: so nothing is read,
 * checked or dropped on the way.
 */
export function serve({ version, instructions, onError }: ServingDeps, whom: Whom, client?: Client) {
  const said = instructions()
  const server = new Server(
    { name: 'approval-ops', version },
    { capabilities: { ...CAPABILITIES, ...(client && { tasks: TASKS }) }, ...(said && { instructions: said }) },
  )
  server.removeRequestHandler('logging/setLevel')
  server.onerror = onError
  /** What the client has asked and not been answered yet, newest last. */
  const open: ServerContext['mcpReq']['id'][] = []
  server.fallbackRequestHandler = async ({ method, params }, context: ServerContext) => {
    const { actor, gone } = context.http!.authInfo!.extra as unknown as Proven
    const { id, signal, requestState, inputResponses = {} } = context.mcpReq
    const notify = (name: string, told: Raw) =>
      void context.mcpReq.notify({ method: name, params: { ...told } }).catch(onError)
    const { circle, talks } = whom(context)
    open.push(id)
    reach()
    const deaf = await hearLog(circle, (context.mcpReq.envelope as Raw | undefined)?.[LOG_LEVEL_META_KEY], notify)
    try {
      return await circle.answer({
        ...{ method, params: params ?? {}, actor, listener: client?.listener, tasks: client?.tasks, talks, notify },
        signal: AbortSignal.any([signal, gone]),
        state: readState(requestState(), inputResponses),
      })
    } finally {
      open.splice(open.indexOf(id), 1)
      deaf()
    }
  }
  server.fallbackNotificationHandler = async ({ method, params }) => client?.hear(method, (params ?? {}) as Raw)

  let hasListened = false
  let listening = 0
  /** What is to be asked of a client that nothing reaches now. */
  const waiting: (() => void)[] = []
  function reach(): void {
    for (const goOn of waiting.splice(0)) goOn()
  }

  return {
    server,
    /** The client can be told and asked something between its requests, until this connection ends. */
    listens(gone: AbortSignal): void {
      hasListened = true
      if (gone.aborted) return
      listening++
      gone.addEventListener('abort', () => listening--)
      reach()
    },
    /** It has asked something, and was not answered yet. */
    waits: () => open.length > 0,
    /** What is logged comes with the newest request, as does all else to a client that listens to nothing more. */
    tell(method: string, params?: Raw): void {
      const related = method === 'notifications/message' || !hasListened ? open.at(-1) : undefined
      const options = related === undefined ? {} : { relatedRequestId: related }
      server.notification({ method, ...(params && { params }) }, options).catch(onError)
    },
    /** Asks the client what a tool server asks of it, on the connection of its newest request that is open. */
    async ask(method: string, params: Raw, { signal, onprogress }: Passing): Promise<Raw> {
      while (open.length === 0 && listening === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      const related = open.at(-1)
      return server.request({ method, params: { ...params } }, asSent, {
        ...{ signal, timeout: NO_TIMEOUT, ...(onprogress && { onprogress }) },
        ...(related !== undefined && { relatedRequestId: related }),
      })
    },
  }
}

/** Without a session a client says with each request what it wants to hear of the log, until the answer. */
async function hearLog({ audience }: Circle, level: unknown, notify: (method: string, params: Raw) => void) {
  if (typeof level !== 'string') return () => undefined
  const listener: Listener = {
    tell: (method, params = {}) => void (method === 'notifications/message' && notify(method, params)),
    level: undefined,
    subscriptions: new Set(),
  }
  audience.join(listener)
  await audience.setLevel(listener, level)
  return () => void audience.leave(listener)
}

/** What an answer of ours told the client to come back with. */
function readState(text: unknown, answers: Raw): Asked['state'] {
  if (typeof text !== 'string') return undefined
  const talk = /^talk ([0-9a-f-]{36})$/.exec(text)?.[1]
  if (talk !== undefined) return { talk, answers }
  const [, request_id, rounds] = /^([0-9a-f-]{36}) (\d{1,3})$/.exec(text) ?? []
  return request_id === undefined ? undefined : { request_id, rounds: Number(rounds) }
}
