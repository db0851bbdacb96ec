import type { Gate } from './approval/gate.ts'
import type { Store } from './approval/store.ts'
import type { SteadyClock } from './clock.ts'
import type { openGateway } from './gateway-wiring.ts'
import type { LiveConfig } from './live-config.ts'

export interface HealthDeps {
  readonly store: Store
  readonly live: LiveConfig
  readonly gate: () => Gate
  readonly gateway: () => ReturnType<Awaited<ReturnType<typeof openGateway>>['facts']>
  readonly clock: SteadyClock
  readonly started: number
  readonly version: string
}

/**
 * What the running server does, for the column "effective" of every check. Not ok while nothing can be stored: then
 * every dangerous call is refused, whatever else works.
 */
export async function healthOf({ store, live, gate, gateway, clock, started, version }: HealthDeps) {
  const { settings } = live.config()
  const now = gate()
  const broken = (error: Error) => ({ open: null, store: { ok: false, error: error.message } })
  const failure = store.failure()
  const counted = failure
    ? broken(failure)
    : await store.open(clock.now(), 1).then(({ count }) => ({ open: count, store: { ok: true } }), broken)
  const { ok } = counted.store
  const body = {
    status: ok ? 'ok' : 'degraded',
    service: 'approval-ops',
    version,
    pid: process.pid,
    started_at: new Date(started).toISOString(),
    now: new Date(clock.now()).toISOString(),
    uptime_seconds: Math.round(process.uptime()),
    gate: {
      configured: settings.APPROVAL_WORKFLOW_ENABLED,
      effective: now.on,
      disabled_until: !now.on && now.until !== null ? new Date(now.until).toISOString() : null,
    },
    rbac: settings.RBAC_ENABLED,
    trust_user_header: settings.APPROVAL_TRUST_USER_HEADER,
    ...live.facts(),
    gateway: gateway(),
    ...counted,
    max_pending: settings.APPROVAL_MAX_PENDING,
    clock_behind_seconds: Math.round(clock.behind() / 1000),
  }
  return { body, ok }
}
