import { z } from 'zod'
import { type Finding, LIMITS } from '../report/daily-check-data.ts'
import type { HttpResult, System } from '../system/system.ts'
import { finding } from './check.ts'

const instant = z.iso.datetime()

/** What /health says of a running server. Unknown members are let through: a newer server may say more. */
const health = z.object({
  status: z.enum(['ok', 'degraded']),
  service: z.literal('approval-ops'),
  version: z.string(),
  pid: z.int().positive(),
  started_at: instant,
  now: instant,
  uptime_seconds: z.number(),
  gate: z.object({ configured: z.boolean(), effective: z.boolean(), disabled_until: instant.nullable() }),
  rbac: z.boolean(),
  trust_user_header: z.boolean(),
  policy: z.object({ path: z.string(), loaded_at: instant, error: z.string().nullable() }),
  config: z.object({ loaded_at: instant, error: z.string().nullable(), effective: z.record(z.string(), z.string()) }),
  gateway: z
    .object({
      path: z.string(),
      error: z.string().nullable(),
      upstreams: z.array(
        z.object({
          name: z.string(),
          status: z.enum(['starting', 'up', 'down']),
          since: instant,
          error: z.string().nullable(),
          tools: z.number(),
          own: z.object({ clients: z.number(), down: z.number() }),
        }),
      ),
    })
    .optional(),
  open: z.number().nullable(),
  max_pending: z.number(),
  store: z.object({ ok: z.boolean(), error: z.string().optional() }),
  clock_behind_seconds: z.number(),
})
export type Health = z.infer<typeof health>

export interface ServerSeen {
  readonly finding: Finding
  /** Of the last probe that answered well; null when none did. */
  readonly health: Health | null
  /** Half of that probe's time, ms: the answer's `now` is older by about this much. */
  readonly delay: number
  /** When that probe was answered, ms since 1970 by this machine's clock. */
  readonly seenAt: number
}

const PROBES = 3
/** Who holds the database, and what the server wrote of it. */
const HUNG = { next: 'npm run timeout-diagnosis -- --concurrency' }
const ELSEWHERE = { next: 'grep -nE "^(APPROVAL_URL|HOST|PORT)=" .env' }
/** For all probes together. */
const DEADLINE = 3000

/** Probes /health three times, one after the other, and tells apart how it can fail. */
export async function checkServer(
  system: Pick<System, 'http'>,
  url: string,
  clock: () => number,
  deadline = DEADLINE,
): Promise<ServerSeen> {
  const end = performance.now() + deadline
  const probes: Probe[] = []
  let seen: Pick<ServerSeen, 'health' | 'delay' | 'seenAt'> = { health: null, delay: 0, seenAt: 0 }
  while (probes.length < PROBES) {
    const timeoutMs = Math.max(1, Math.ceil(end - performance.now()))
    const probe = judge(await system.http({ url: `${url}/health`, timeoutMs, maxBytes: 256 * 1024 }), url)
    probes.push(probe)
    if (probe.health) seen = { health: probe.health, delay: probe.ms / 2, seenAt: clock() }
    // Who hangs once has used up the time of the others.
    else if (performance.now() >= end) break
  }
  return { ...seen, finding: verdictOn(probes) }
}

interface Probe {
  readonly ms: number
  readonly health: Health | null
  /** Why it is no good answer. */
  readonly failure: Finding | null
}

function verdictOn(probes: readonly Probe[]): Finding {
  const failures = probes.flatMap(({ failure }) => failure ?? [])
  const healthy = probes.flatMap(({ health: body }) => body ?? [])
  const [first] = failures
  const last = healthy.at(-1)
  if (first && (!last || failures.length === probes.length)) return first
  if (first && last) {
    const facts = { answered: healthy.length, failure: first.code, url: first.facts.url ?? null }
    return finding('server.flaky', 'warning', facts, { next: 'npm run daily-check' })
  }
  const { status, store, uptime_seconds, version, started_at } = last!
  const slowest_millis = Math.round(Math.max(...probes.map(({ ms }) => ms)))
  const facts = { slowest_millis, uptime_ms: uptime_seconds * 1000, version, started_at }
  if (status === 'degraded' || !store.ok) {
    return finding('server.degraded', 'critical', { ...facts, error: store.error ?? status }, HUNG)
  }
  if (slowest_millis > LIMITS.slow_millis) return finding('server.slow', 'warning', facts, HUNG)
  return finding('server.answers', 'ok', facts)
}

function judge(result: HttpResult, url: string): Probe {
  const { ms } = result
  if (!result.answered) return { ms, health: null, failure: silence(result, url) }
  const body = parse(result.text)
  const parsed = health.safeParse(body)
  // A server whose store fails answers 503 and says so in the usual shape.
  if (parsed.success && (result.status === 200 || result.status === 503)) {
    return { ms, health: parsed.data, failure: null }
  }
  if (result.status !== 200) {
    const text = result.text.slice(0, 100) || '–'
    const facts = { status: result.status, text, url }
    return { ms, health: null, failure: finding('server.status', 'critical', facts, ELSEWHERE) }
  }
  const issue = parsed.error?.issues[0]
  const problem = body === undefined ? 'not JSON' : `${issue?.path.join('.') || 'health'}: ${issue?.message}`
  return { ms, health: null, failure: finding('server.foreign', 'critical', { url, problem }, ELSEWHERE) }
}

function silence(result: HttpResult & { answered: false }, url: string): Finding {
  const waited_millis = Math.round(result.ms)
  const { message } = result
  switch (result.failure) {
    case 'refused':
      return finding('server.refused', 'critical', { url }, { next: 'npm start' })
    case 'timeout':
      return result.status === undefined
        ? finding('server.silent', 'critical', { waited_millis, url }, HUNG)
        : finding('server.dripping', 'critical', { waited_millis, url, status: result.status }, HUNG)
    case 'dns':
    case 'unreachable':
    case 'aborted':
    case 'other':
      return finding('server.unreachable', 'unknown', { url, message }, ELSEWHERE)
    case 'too_large':
      return finding('server.foreign', 'critical', { url, problem: message }, ELSEWHERE)
    case 'reset':
      return finding('server.broken', 'critical', { url, message }, HUNG)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
