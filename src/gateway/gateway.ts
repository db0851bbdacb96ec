import { ProtocolError } from '@modelcontextprotocol/client'
import type { CallOutcome } from '../approval/call-outcome.ts'
import { ApprovalError } from '../approval/errors.ts'
import type { Actor } from '../approval/identity.ts'
import type { Call } from '../approval/request.ts'
import type { ApprovalService } from '../approval/service.ts'
import { createCircle } from './circle.ts'
import type { UpstreamConfig } from './config.ts'
import type { GatewayLog } from './connection.ts'
import { createGate } from './gate.ts'
import { createOwnCircles } from './own-circles.ts'
import { createSessions, type SessionDeps } from './sessions.ts'

export interface GatewayDeps {
  readonly service: ApprovalService
  readonly version: string
  /** The folder of mcp.json, where programs run. */
  readonly folder: () => string
  /** ms since 1970 */
  readonly clock: () => number
  /** Longest time an answer is held back, s. */
  readonly hold: () => number
  readonly stopping: AbortSignal
  readonly isStill: SessionDeps['isStill']
  readonly log: GatewayLog
}

/** One call by a plain HTTP caller. */
export interface PlainCall {
  readonly tool: string
  readonly arguments: Call['arguments']
  readonly reason: string | null
  /** Wait for and use this request alone. */
  readonly request_id: string | undefined
  /** s; never longer than `hold` */
  readonly wait: number
  readonly signal: AbortSignal
}

/** How long callers who are held may take to be told that the server stops, ms. */
const LAST_WORDS = 300

/** Real tool servers behind the gate: what they offer, over the protocol and over plain HTTP, and no other way to it. */
export function createGateway({ stopping, isStill, ...deps }: GatewayDeps) {
  const { service, version, clock, hold, log } = deps
  const gate = createGate({ service, clock, stopping })
  const shared = createCircle({ ...deps, gate })
  const own = createOwnCircles({ ...deps, gate })
  const sessions = createSessions({
    ...{ version, shared, own, instructions, clock, isStill },
    onError: (error) => log.info({ problem: error.message.slice(0, 500) }, 'a client of the gateway'),
  })

  // Whoever only listens would keep the server from stopping; whoever waits is told first.
  stopping.addEventListener('abort', () => setTimeout(() => void sessions.close(), LAST_WORDS))

  function instructions(): string | undefined {
    const upstreams = shared.upstreams()
    const said = upstreams.flatMap((upstream) => {
      const text = upstream.instructions()
      return text === undefined ? [] : [{ name: upstream.name, text }]
    })
    if (upstreams.length === 1) return said[0]?.text
    return said.length === 0 ? undefined : said.map(({ name, text }) => `${name}:\n${text}`).join('\n\n')
  }

  return {
    /** Over the Model Context Protocol. */
    fetch: sessions.fetch,

    /**
     * Over plain HTTP.
     * @throws ApprovalError with what is wrong
     */
    async call(actor: Actor, { tool, arguments: args, wait, signal, ...rest }: PlainCall): Promise<CallOutcome> {
      await shared.settled()
      const target = shared.routing.target(shared.routing.tool(tool), args, { signal }, {})
      try {
        return await gate.pass(target, { actor, signal, wait: Math.min(wait, hold()), ...rest })
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        const facts = { upstream_code: error.code, ...(error.data !== undefined && { upstream_data: error.data }) }
        throw new ApprovalError('upstream_error', `${target.call.server} answers: ${error.message}`, facts)
      }
    },

    /** What plain HTTP may call, by name, and the tool servers that cannot be asked now. */
    async tools() {
      await shared.settled()
      const offers = [...shared.routing.offers('tools').values()].sort((a, b) => (a.exposed < b.exposed ? -1 : 1))
      return {
        tools: offers.map(({ exposed, server, name: tool, item: { description } }) => {
          const { level } = service.explain({ server, tool })
          return { name: exposed, server, level, description: typeof description === 'string' ? description : '' }
        }),
        not_up: shared.upstreams().flatMap(({ name, facts }) => (facts().status === 'up' ? [] : [name])),
      }
    },

    /** Of each tool server: the one that clients share, and those that clients have to themselves. */
    facts: () => shared.upstreams().map((upstream) => ({ ...upstream.facts(), own: own.facts(upstream.name) })),

    /** Starts what is new, ends what is gone, leaves alone what is as it was. */
    async configure(next: readonly UpstreamConfig[]): Promise<void> {
      await Promise.all([shared.configure(next), own.configure(next)])
    },

    async close(): Promise<void> {
      await Promise.all([sessions.close(), shared.close(), own.closeAll()])
    },
  }
}
