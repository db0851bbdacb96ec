import type { Finding } from '../report/daily-check-data.ts'
import { finding } from './check.ts'
import type { Health } from './check-server.ts'

/** Do the tool servers behind the gateway answer? By what the running server says of them. */
export function gatewayFinding(health: Health | null, logPath: string): Finding {
  if (health === null) return finding('gateway.unmeasured', 'unknown', {}, { next: 'npm start' })
  const { gateway, pid } = health
  if (!gateway) return finding('gateway.not_configured', 'not_configured', {})
  const { upstreams, path, error } = gateway
  if (error !== null) {
    return finding('gateway.broken', 'warning', { error }, { next: `vi ${path} && kill -HUP ${pid}` })
  }
  if (upstreams.length === 0) return finding('gateway.not_configured', 'not_configured', {})
  const away = upstreams.filter(({ status }) => status !== 'up')
  const facts = { up: upstreams.length - away.length, servers: upstreams.length }
  const logOf = (name: string) => `grep '"upstream":"${name}"' ${logPath} | tail -n 5`
  const first = away[0]
  if (first) {
    const down = away.map(({ name, error: why, status }) => `${name} (${why ?? status})`)
    return finding(
      'gateway.down',
      'warning',
      { ...facts, down },
      { since: Date.parse(first.since), next: logOf(first.name) },
    )
  }
  const apart = upstreams.filter(({ own }) => own.down > 0)
  if (apart[0]) {
    const down = apart.map(({ name, own }) => `${name} (${own.down}/${own.clients})`)
    return finding('gateway.own_down', 'warning', { ...facts, down }, { next: logOf(apart[0].name) })
  }
  return finding('gateway.up', 'ok', { ...facts, tools: upstreams.reduce((sum, { tools }) => sum + tools, 0) })
}
