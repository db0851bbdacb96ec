import { createAudience } from './audience.ts'
import type { UpstreamConfig } from './config.ts'
import { createMethods, type MethodDeps } from './methods.ts'
import type { Raw } from './raw.ts'
import { createRouting } from './routing.ts'
import { startUpstream, type Upstream, type UpstreamDeps } from './upstream.ts'

export interface CircleDeps
  extends Pick<MethodDeps, 'service' | 'gate' | 'clock' | 'hold'>,
    Pick<UpstreamDeps, 'version' | 'log'> {
  /** The folder of mcp.json, where programs run. */
  readonly folder: () => string
}

/** A client that the tool servers of its own circle may ask: for a sample, for a user's answer, for its roots. */
export interface Asked {
  /** As the client declared them when it connected. */
  readonly capabilities: Raw
  readonly ask: NonNullable<UpstreamDeps['ask']>
}

/**
 * The tool servers, and who hears them: everybody together, or one client alone that they may ask something. What a
 * server asks of one user must not reach another, and over standard streams nothing says in whose call it asks.
 */
export function createCircle({ service, gate, clock, hold, version, folder, log }: CircleDeps, asked?: Asked) {
  let upstreams: readonly Upstream[] = []
  const all = () => upstreams
  const routing = createRouting(all)
  const audience = createAudience(routing.resourceOwners, all)
  /** Every tool server has started, or has failed to, or patience ended. */
  const settled = () => Promise.all(upstreams.map((upstream) => upstream.settled()))
  const tellChanged = (kind: string) => audience.everybody(`notifications/${kind}/list_changed`)

  function start(config: UpstreamConfig): Upstream {
    const upstream = startUpstream({
      ...{ config, version, folder: folder(), clock, log, ...asked },
      onLists(lists) {
        const kinds = new Set(lists.map((list) => (list === 'resourceTemplates' ? 'resources' : list)))
        kinds.forEach(tellChanged)
      },
      onConnected: () => void audience.remind(upstream),
      onNotification(method, params) {
        // Of the tasks of one client another must not hear.
        if (asked || method !== 'notifications/tasks/status') audience.hear(method, params)
      },
    })
    return upstream
  }

  return {
    routing,
    audience,
    upstreams: all,
    settled,
    answer: createMethods({ service, gate, routing, audience, upstreams: all, settled, clock, hold }),

    /** What the client tells of itself, e.g. that its roots are others now. */
    tell(method: string, params: Raw): void {
      if (asked) for (const upstream of upstreams) upstream.tell(method, params)
    },

    /** Starts what is new, ends what is gone, leaves alone what is as it was. */
    async configure(configs: readonly UpstreamConfig[]): Promise<void> {
      const same = (config: UpstreamConfig) =>
        upstreams.find((upstream) => JSON.stringify(upstream.config) === JSON.stringify(config))
      const next = configs.map((config) => same(config) ?? start(config))
      const gone = upstreams.filter((upstream) => !next.includes(upstream))
      upstreams = next
      await Promise.all(gone.map((upstream) => upstream.close()))
      if (gone.length > 0) for (const kind of ['tools', 'resources', 'prompts']) tellChanged(kind)
    },

    close: () => Promise.all(upstreams.map((upstream) => upstream.close())),
  }
}

export type Circle = ReturnType<typeof createCircle>
