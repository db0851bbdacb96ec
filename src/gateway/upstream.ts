import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@modelcontextprotocol/client'
import { ApprovalError } from '../approval/errors.ts'
import { redactText } from '../approval/redact.ts'
import { type ConnectionDeps, createConnection, type Passing } from './connection.ts'
import { isCutOff } from './far-transport.ts'
import { asSent, type Raw } from './raw.ts'
import { CHANGED, LIST_NAMES, type ListName, type Lists, NO_LISTS, readList } from './upstream-lists.ts'

export interface UpstreamFacts {
  readonly name: string
  readonly status: 'starting' | 'up' | 'down'
  /** Since when, ms since 1970. */
  readonly since: number
  /** Why it is down. */
  readonly error: string | null
  readonly tools: number
}

export interface UpstreamDeps extends ConnectionDeps {
  /** ms since 1970 */
  readonly clock: () => number
  /** It offers something else than before. */
  readonly onLists: (lists: readonly ListName[]) => void
  /** It has connected (again): what it was told before is forgotten. */
  readonly onConnected: () => void
}

/** The wait before a start is tried again doubles with every failure, ms. */
const FIRST_WAIT = 500
const LONGEST_WAIT = 60_000
/** Who stayed up this long starts anew with the shortest wait, ms. */
const STEADY = 60_000
/** How long after its first start callers wait for it, so that they see all tools or learn why not, ms. */
const START_PATIENCE = 15_000
/** Calls take as long as they take: who asks has a limit of their own. The longest that a timer can hold, ms. */
export const NO_TIMEOUT = 2 ** 31 - 1

export type Upstream = ReturnType<typeof startUpstream>

/** One tool server: kept connected, started again with growing waits when it dies, its lists at hand. */
export function startUpstream(deps: UpstreamDeps) {
  const { config, clock, log } = deps
  const { name } = config
  const stop = new AbortController()
  let client: Client | undefined
  let lists: Lists = NO_LISTS
  let state: Pick<UpstreamFacts, 'status' | 'since' | 'error'> = { status: 'starting', since: clock(), error: null }
  let settle: () => void = () => undefined
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })
  setTimeout(() => settle(), START_PATIENCE).unref()
  /** One reading of a list at a time, or an older answer might be taken last; who asks meanwhile shares the next. */
  const reading = new Map<ListName, Promise<void>>()
  const next = new Map<ListName, Promise<void>>()
  /** Lists that changed before it was up: what is being read of them may be older. */
  const changedEarly = new Set<ListName>()

  const become = (status: 'up' | 'down', error: string | null) => {
    if (state.status !== status || state.error !== error) state = { status, since: clock(), error }
    settle()
  }

  /** Connects and stays until the connection ends. Throws the reason why it could not, or ended. */
  async function attend(): Promise<void> {
    const connection = createConnection({ ...deps, onNotification })
    const fresh = connection.client
    try {
      await connection.begin(stop.signal)
      client = fresh
      const read = await Promise.all(LIST_NAMES.map((list) => readList(fresh, list)))
      take(Object.fromEntries(LIST_NAMES.map((list, n) => [list, read[n]!])))
      become('up', null)
      log.info({ upstream: name, tools: lists.tools.length }, 'an upstream is up')
      for (const list of changedEarly) void refresh(list).catch(complain)
      changedEarly.clear()
      deps.onConnected()
      throw new Error(await connection.ended)
    } catch (error) {
      // Its own last word says more than that the connection closed.
      const ending = connection.lastWord()
      throw ending === '' ? error : new Error(ending)
    } finally {
      client = undefined
      await connection.close()
    }
  }

  function onNotification(method: string, params: Raw): void {
    const changed = CHANGED[method]
    if (!changed) deps.onNotification(method, params)
    for (const list of changed ?? []) {
      if (state.status === 'up') void refresh(list).catch(complain)
      else changedEarly.add(list)
    }
  }

  async function keep(): Promise<void> {
    let failures = 0
    while (!stop.signal.aborted) {
      try {
        await attend()
      } catch (error) {
        if (stop.signal.aborted) break
        const { message, cause } = error as Error
        failures = state.status === 'up' && clock() - state.since >= STEADY ? 0 : failures + 1
        // "fetch failed" alone names nothing that somebody could mend.
        const code = (cause as NodeJS.ErrnoException | undefined)?.code
        become('down', redactText((code === undefined ? message : `${message} (${code})`).slice(0, 500)))
        const wait = Math.min(FIRST_WAIT * 2 ** Math.max(0, failures - 1), LONGEST_WAIT)
        log.warn({ upstream: name, problem: state.error, again_in_ms: wait }, 'an upstream is down')
        await sleep(wait, undefined, { signal: stop.signal }).catch(() => undefined)
      }
    }
  }

  function take(read: Partial<Record<ListName, readonly Raw[]>>): void {
    const changed = LIST_NAMES.filter(
      (list) => read[list] && JSON.stringify(read[list]) !== JSON.stringify(lists[list]),
    )
    lists = { ...lists, ...read }
    if (changed.length > 0) deps.onLists(changed)
  }

  function refresh(list: ListName): Promise<void> {
    const current = client
    if (!current || state.status !== 'up') return Promise.resolve()
    const waiting = next.get(list)
    if (waiting) return waiting
    const before = reading.get(list)?.catch(() => undefined) ?? Promise.resolve()
    const read = before
      .then(() => {
        next.delete(list)
        return readList(current, list)
      })
      .then((items) => {
        if (client === current) take({ [list]: items })
      })
    next.set(list, read)
    reading.set(list, read)
    return read
  }

  const complain = (error: unknown) =>
    log.info(
      { upstream: name, problem: redactText(String((error as Error).message).slice(0, 500)) },
      'an upstream failed',
    )

  /** @throws ApprovalError `upstream_unavailable` */
  function connected(): Client {
    const { aborted: isEnding } = stop.signal
    if (client && state.status === 'up' && !isEnding) return client
    const why = isEnding ? 'it is being ended' : (state.error ?? 'it is still starting')
    throw new ApprovalError('upstream_unavailable', `the tool server ${name} is not available: ${why}`, {
      server: name,
    })
  }

  const kept = keep()
  return {
    name,
    config,
    lists: () => lists,
    refresh: (list: ListName) => refresh(list).catch(complain),
    facts: (): UpstreamFacts => ({ name, ...state, tools: lists.tools.length }),
    instructions: () => client?.getInstructions(),
    has: (capability: string) => capability in (client?.getServerCapabilities() ?? {}),
    /** Resolves once it is up or has failed for the first time, or when patience ends. */
    settled: () => settled,
    assertUp: () => void connected(),

    /**
     * Passes a request on and its answer back, as they are.
     * @throws ApprovalError `upstream_unavailable`, ProtocolError for the upstream's own error, or what ended the call
     */
    async request(method: string, params: Raw, { signal, onprogress }: Passing): Promise<Raw> {
      const options = { signal, timeout: NO_TIMEOUT, ...(onprogress && { onprogress }) }
      try {
        return await connected().request({ method, params: { ...params } }, asSent, options)
      } catch (error) {
        throw isCutOff(error) ? new Error((error as Error).message) : error
      }
    },

    tell: (method: string, params: Raw): void =>
      void client?.notification({ method, params: { ...params } }).catch(complain),

    async close(): Promise<void> {
      stop.abort()
      settle()
      await client?.close().catch(complain)
      await kept
    },
  }
}
