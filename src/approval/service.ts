import { createAsking } from './asking.ts'
import { createDeciding } from './deciding.ts'
import type { GateSettings } from './gate.ts'
import type { Life } from './life.ts'
import { createLookup } from './lookup.ts'
import type { Policy } from './policy.ts'
import type { Request } from './request.ts'
import type { Store } from './store.ts'
import { ANY_EVENT, type Waiters } from './waiters.ts'
import { createWaiting } from './waiting.ts'

/** The settings the rules need; durations in seconds. Read anew for every operation, so that a reload takes effect. */
export interface ServiceSettings extends GateSettings {
  readonly APPROVAL_TIMEOUT: number
  readonly APPROVAL_MAX_PENDING: number
  readonly APPROVAL_EXECUTION_TTL: number
  readonly RBAC_ENABLED: boolean
  readonly RATE_LIMIT_ENABLED: boolean
}

export interface ServiceDeps {
  readonly store: Store
  readonly waiters: Waiters
  readonly settings: () => ServiceSettings
  readonly policy: () => Policy
  readonly life: Pick<Life, 'see'> & { readonly flush: () => Promise<void> }
  /** A fresh UUIDv4. */
  readonly newId: () => string
  /** Told of every request that was stored or changed, after it is durable. */
  readonly onChange: (request: Request) => void
}

/** A request's life. Every method takes who calls and the one `now` of the operation, in ms since 1970. */
export type ApprovalService = ReturnType<typeof createService>

const SWEEP = 500

export function createService({ store, waiters, settings, policy, life, newId, onChange }: ServiceDeps) {
  const rules = () => ({ rbac: settings().RBAC_ENABLED })

  function changed(requests: readonly Request[]): void {
    for (const request of requests) waiters.wake(request.request_id)
    if (requests.length > 0) waiters.wake(ANY_EVENT)
    requests.forEach(onChange)
  }

  /** Expires what is due. Returns how many. */
  async function sweep(now: number): Promise<number> {
    let total = 0
    // An `expired` on record says that whatever was seen of the request before is written: nobody was, when nothing is.
    await life.flush()
    for (;;) {
      const expired = await store.expireDue(now, SWEEP)
      changed(expired)
      total += expired.length
      if (expired.length < SWEEP) return total
    }
  }

  const { find, seen, ...lookup } = createLookup({ store, rules, life, sweep })
  return {
    sweep,
    ...lookup,
    ...createAsking({ store, settings, policy, newId, rules, changed, bypassed: () => waiters.wake(ANY_EVENT) }),
    ...createDeciding({ store, settings, rules, find, life, changed }),
    ...createWaiting({ store, waiters, find, seen, life }),
  }
}
