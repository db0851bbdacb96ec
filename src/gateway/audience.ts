import type { Raw } from './raw.ts'
import type { Upstream } from './upstream.ts'

/** RFC 5424, as the protocol has it, least severe first. */
const SEVERITY = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

/** A tool server that does not say how much it will log keeps nobody's call waiting for longer. */
const LEVEL_MS = 2000

/** Somebody connected who is told what happens. */
export interface Listener {
  readonly tell: (method: string, params?: Raw) => unknown
  /** Below this it wants no log messages; undefined: it did not say. */
  level: string | undefined
  readonly subscriptions: Set<string>
}

/**
 * Who hears what. The upstreams are shared: each is asked for the most that anybody wants, and everybody gets what they
 * asked for.
 */
export function createAudience(ownersOf: (uri: string) => readonly Upstream[], upstreams: () => readonly Upstream[]) {
  const listeners = new Set<Listener>()

  const everybody = (method: string, params?: Raw) => {
    for (const { tell } of listeners) tell(method, params)
  }
  const wanted = (uri: string) => [...listeners].some(({ subscriptions }) => subscriptions.has(uri))
  const passing = { signal: new AbortController().signal }

  /** The least severe level that anybody asked for; undefined when nobody did. */
  const lowestLevel = () => {
    const levels = [...listeners].flatMap(({ level }) => (level === undefined ? [] : [SEVERITY.indexOf(level)]))
    return levels.length === 0 ? undefined : SEVERITY[Math.min(...levels)]
  }

  async function setLevels(targets: readonly Upstream[]): Promise<void> {
    const level = lowestLevel()
    if (level === undefined) return
    const able = targets.filter((upstream) => upstream.has('logging'))
    const limited = { signal: AbortSignal.timeout(LEVEL_MS) }
    await Promise.allSettled(able.map((upstream) => upstream.request('logging/setLevel', { level }, limited)))
  }

  return {
    join: (listener: Listener): void => void listeners.add(listener),

    async leave(listener: Listener): Promise<void> {
      if (!listeners.delete(listener)) return
      const unwanted = [...listener.subscriptions].filter((uri) => !wanted(uri))
      const asked = unwanted.flatMap((uri) =>
        ownersOf(uri)
          .slice(0, 1)
          .map((owner) => owner.request('resources/unsubscribe', { uri }, passing)),
      )
      await Promise.allSettled(asked)
    },

    everybody,

    hear(method: string, params: Raw): void {
      if (method === 'notifications/resources/updated') {
        for (const { subscriptions, tell } of listeners) {
          if (subscriptions.has(String(params.uri))) tell(method, params)
        }
      } else if (method === 'notifications/message') {
        const severity = SEVERITY.indexOf(String(params.level))
        for (const { level, tell } of listeners) {
          if (level === undefined || severity >= SEVERITY.indexOf(level)) tell(method, params)
        }
      } else everybody(method, params)
    },

    async setLevel(listener: Listener, level: string): Promise<boolean> {
      if (!SEVERITY.includes(level)) return false
      listener.level = level
      await setLevels(upstreams())
      return true
    },

    /** Says whether this is the first who wants it, or (un)subscribed as the last. */
    subscribe(listener: Listener, uri: string): boolean {
      const first = !wanted(uri)
      listener.subscriptions.add(uri)
      return first
    },
    unsubscribe(listener: Listener, uri: string): boolean {
      return listener.subscriptions.delete(uri) && !wanted(uri)
    },

    /** What an upstream that has connected again was told before. */
    async remind(upstream: Upstream): Promise<void> {
      await setLevels([upstream])
      const uris = new Set([...listeners].flatMap(({ subscriptions }) => [...subscriptions]))
      const own = [...uris].filter((uri) => ownersOf(uri)[0] === upstream)
      await Promise.allSettled(own.map((uri) => upstream.request('resources/subscribe', { uri }, passing)))
    },
  }
}

export type Audience = ReturnType<typeof createAudience>
