import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Request } from './approval/request.ts'

export interface Gauges {
  readonly open: () => Promise<number>
  readonly waiting: () => number
  readonly gateOn: () => boolean
}

/** The numbers of /metrics. Response time is the human's: from the question to the answer. */
export function createMetrics(gauges: Gauges) {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'approval_requests_total',
    help: 'Requests by what became of them (pending = asked), since the server started. Drills are not counted.',
    labelNames: ['status', 'level'],
    registers,
  })
  const seconds = new Histogram({
    name: 'approval_response_time_seconds',
    help: 'Seconds from asking to a human answer',
    buckets: [1, 2, 3, 5, 10, 30, 60, 120, 300, 600],
    registers,
  })
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      ...{ name, help, registers },
      async collect() {
        this.set(await read())
      },
    })
  gauge('approval_open_requests', 'Requests that wait for a decision', gauges.open)
  gauge('approval_waiting_callers', 'Connections that are held until something happens', gauges.waiting)
  gauge('approval_gate_on', '1 while dangerous calls are held, 0 while they pass', () => (gauges.gateOn() ? 1 : 0))

  return {
    /** Counts a request that was stored or changed. */
    observe(request: Request): void {
      if (request.consumed_at !== null) return
      requests.inc({ status: request.status, level: request.level ?? 'unknown' })
      if (request.responded_at !== null) seconds.observe((request.responded_at - request.requested_at) / 1000)
    },
    text: () => registry.metrics(),
  }
}
