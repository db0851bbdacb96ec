import type { Gate } from './approval/gate.ts'
import { SERVER_ACTOR } from './approval/identity.ts'
import type { Store } from './approval/store.ts'

/**
 * Puts on record that the gate opened or closed, if the record does not say so yet: before the first call can pass,
 * and with the lease's own instant when one ended, whenever that is noticed.
 */
export async function recordGate(store: Store, gate: Gate, now: number): Promise<void> {
  const last = await store.lastEvent('gate')
  const wasOn = last?.type !== 'gate_off'
  const note = (type: 'gate_on' | 'gate_off', data: Record<string, unknown>, at: number) =>
    store.append({ type, request_id: null, actor: SERVER_ACTOR, at, data })
  if (gate.on) {
    if (wasOn) return
    const until = typeof last.data.until === 'string' ? Date.parse(last.data.until) : Number.NaN
    await note('gate_on', {}, until <= now ? Math.max(until, last.at) : now)
  } else {
    const until = gate.until === null ? null : new Date(gate.until).toISOString()
    if (!wasOn && last.data.until === until && last.data.cause === gate.cause) return
    await note('gate_off', { until, cause: gate.cause }, now)
  }
}
