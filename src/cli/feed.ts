import type { Context } from './command.ts'
import { follow } from './events.ts'
import { isTransient } from './failure.ts'
import { WaitingList } from './waiting-list.ts'
import type { WireEvent, WireRequest } from './wire.ts'

export type FeedHappening = 'refresh' | { readonly failed: unknown }

/** The waiting list in the background of the desk, fed by the event stream. */
export function startFeed({ client, terminal, signal }: Context, tell: (happening: FeedHappening) => void) {
  const list = new WaitingList()
  const stop = new AbortController()
  let fresh = new Set<string>()
  let lost = false
  let failure: unknown
  /** What happens while the list is being read anew: the answer may be older. */
  let meanwhile: WireEvent[] | undefined

  function arrived(added: readonly WireRequest[]): void {
    for (const { request_id, level } of added) {
      fresh.add(request_id)
      if (level === 'CRITICAL') terminal.bell()
    }
    // An empty list has no place to announce anything: show the new ones.
    if (added.length > 0 && added.length === list.size) tell('refresh')
  }

  async function read(): Promise<void> {
    for await (const item of follow(client, AbortSignal.any([signal, stop.signal]))) {
      lost = item.kind === 'lost'
      if (item.kind === 'open') arrived(list.replace((await client.pending(1000, stop.signal)).pending_approvals))
      if (item.kind !== 'event') continue
      meanwhile?.push(item.event)
      const added = list.apply(item.event)
      if (added) arrived([added])
    }
  }
  void read().catch((error) => {
    failure = error
    if (!stop.signal.aborted) tell({ failed: error })
  })

  return {
    list,
    /** How many came since the list was last read. */
    news: () => [...fresh].filter((id) => list.has(id)).length,
    lost: () => lost,
    throwIfFailed(): void {
      if (failure !== undefined) throw failure
    },
    /** Reads the list anew; while the server is away it stays as it was, and `lost` says so. */
    async refresh(): Promise<void> {
      const during: WireEvent[] = []
      meanwhile = during
      try {
        list.replace((await client.pending(1000, signal)).pending_approvals)
        for (const event of during) list.apply(event)
        fresh = new Set()
      } catch (error) {
        if (!isTransient(error)) throw error
      } finally {
        meanwhile = undefined
      }
    },
    stop: () => stop.abort(),
  }
}
