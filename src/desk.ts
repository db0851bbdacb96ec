import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Head, verifyAudit } from './approval/audit.ts'
import { type Gate, gateAt } from './approval/gate.ts'
import { isStill, SERVER_ACTOR } from './approval/identity.ts'
import { CANARY_SERVER } from './approval/request.ts'
import { createService } from './approval/service.ts'
import type { EventType, OutsideEvent } from './approval/store.ts'
import { createWaiters } from './approval/waiters.ts'
import { archiverChild } from './archiver-child.ts'
import { steadyClock } from './clock.ts'
import {
  archivePath,
  type Config,
  credentialsPath,
  isLoopback,
  ROOT,
  reportsPath,
  restoresPath,
  rollbacksPath,
} from './config.ts'
import { createFirstUsers, newToken } from './credentials.ts'
import { recordGate } from './gate-record.ts'
import { openGateway, readUpstreams } from './gateway-wiring.ts'
import { healthOf } from './health.ts'
import { createApp } from './http/app.ts'
import { createLifeWriter } from './life-writer.ts'
import { createLiveConfig } from './live-config.ts'
import { createMetrics } from './metrics.ts'
import { createPulse } from './pulse.ts'
import { reportFiles } from './report-files.ts'
import { recordRestores } from './restore-record.ts'
import { createRetention } from './retention.ts'
import { rollbackRecord } from './rollback-record.ts'
import { openDatabase } from './store/database.ts'
import { createSqliteStore } from './store/sqlite-store.ts'
import { realSystem } from './system/real.ts'
import { createTurns } from './turns.ts'

export const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version

export interface DeskOptions {
  readonly config: Config
  readonly env: NodeJS.ProcessEnv
  readonly wall?: () => number
  readonly log: Readonly<Record<'error' | 'warn' | 'info', (facts: object, text: string) => void>>
}

/** The server's wiring: store, rules, HTTP and what must happen by itself as time passes. */
export type Desk = Awaited<ReturnType<typeof openDesk>>

const DAY = 86_400_000

/** @throws Error with a sentence for the operator when the database, the policy or mcp.json cannot be used */
export async function openDesk({ config: first, env, wall = Date.now, log }: DeskOptions) {
  const live = createLiveConfig(first, env, wall)
  const settings = () => live.config().settings
  const { SECURITY_DB_PATH, APPROVAL_TRUST_USER_HEADER, HOST } = settings()
  const started = wall()

  const upstreams = readUpstreams(settings().MCP_CONFIG_PATH)
  const opened = await openDatabase(SECURITY_DB_PATH, started)
  const store = createSqliteStore(opened.db)
  const newest = await store.lastEvent()
  // A clock that was set back while the server was down must not date new events before old ones; a newest event far
  // in the future says that the clock was wrong then, and is not followed.
  const notBefore = newest && newest.at - wall() < DAY ? newest.at : 0
  const clock = steadyClock(wall, () => performance.now(), notBefore)
  const gate = (): Gate => gateAt(settings(), clock.now())
  const waiters = createWaiters()
  const stop = new AbortController()
  // As many listeners as callers wait.
  setMaxListeners(0, stop.signal)

  const note = (type: EventType, data: Record<string, unknown>) =>
    store.append({ type, request_id: null, actor: SERVER_ACTOR, at: clock.now(), data })
  const noteOnce = (type: OutsideEvent['type']) => (data: OutsideEvent['data']) =>
    store.appendOnce({ type, request_id: null, actor: SERVER_ACTOR, at: clock.now(), data })
  const rollbacks = rollbackRecord({ folder: rollbacksPath(settings()), append: noteOnce('rollback'), log })
  const restores = () =>
    recordRestores({ system: realSystem, file: restoresPath(settings()), append: noteOnce('restored'), log })
  // Whoever walks the record must not lose the ground under their feet.
  const alone = createTurns()
  const archiver = archiverChild(stop.signal)
  const folder = archivePath(settings())
  const retention = createRetention({
    ...{ store, archiver, folder, settings, alone, log, clock: clock.now, stopping: stop.signal },
    database: SECURITY_DB_PATH,
  })
  const audit = (known?: Head) =>
    alone(() =>
      verifyAudit(store, known, async (archives, head) =>
        archiver.verify({ folder, archives, isAll: true, known: head }),
      ),
    )
  const pulse = createPulse({
    ...{ store, service: () => service, clock: clock.now },
    interval: () => settings().APPROVAL_POLLING_INTERVAL * 1000,
    async also() {
      await recordGate(store, gate(), clock.now())
      // Not waited for: a slow disk there must delay no deadline here.
      void rollbacks.look('newest')
      void retention.look()
    },
    onError: (error) => log.error({ err: error }, 'the store failed in the background; trying again'),
  })
  const metrics = createMetrics({
    open: async () => (await store.open(clock.now(), 1)).count,
    waiting: waiters.count,
    gateOn: () => gate().on,
  })
  const life = createLifeWriter(store, (error) => log.error({ err: error }, 'who saw which request was not written'))
  const service = createService({
    ...{ store, waiters, life, settings, policy: live.policy, newId: randomUUID },
    onChange: (request) => {
      if (request.status === 'pending') pulse.expect(request.expires_at)
      if (request.server !== CANARY_SERVER) metrics.observe(request)
    },
  })

  // Whoever has tokens had a database once.
  const lostDatabase = opened.created && existsSync(credentialsPath(settings()))
  if (lostDatabase) log.error({ path: SECURITY_DB_PATH }, 'the database was missing; a new one was made')
  const newUsers = await createFirstUsers(store, credentialsPath(settings()), clock.now())
  await note('server_started', { version: VERSION, pid: process.pid })
  await recordGate(store, gate(), clock.now())
  await restores()
  await rollbacks.look('all')
  await pulse.beat()

  const { gateway, ...wiring } = await openGateway({
    ...{ service, settings, first: upstreams, version: VERSION, clock: clock.now, stopping: stop.signal },
    isStill: async (actor) => isStill(actor, await store.user(actor.user_id)),
    log: { info: log.info.bind(log), warn: log.warn.bind(log) },
  })
  const app = createApp({
    ...{ gateway, service, store, audit, waiters, newToken, metrics: metrics.text, version: VERSION, clock: clock.now },
    health: () => healthOf({ store, live, gate, gateway: wiring.facts, clock, started, version: VERSION }),
    rules: () => ({ rbac: settings().RBAC_ENABLED }),
    hold: () => settings().APPROVAL_HOLD,
    trustUserHeader: APPROVAL_TRUST_USER_HEADER,
    loopbackOnly: isLoopback(HOST),
    reports: reportFiles(reportsPath(settings())),
    logError: (error, path) => log.error({ err: error, path }, 'request failed'),
    stopping: stop.signal,
  })

  return {
    app,
    newUsers,
    lostDatabase,
    adopted: opened.adopted,
    gate,

    /** Takes `.env` and the policy over, as far as they are right. */
    async reload(): Promise<void> {
      const problems = await live.reload(async (next) => {
        // An opening gate is on record before the first call can pass.
        const opens = gateAt(next.settings, clock.now())
        if (!opens.on) await recordGate(store, opens, clock.now())
      })
      const { config_error, policy_error } = problems
      if (config_error) log.warn({ problem: config_error }, 'configuration: not all of it took effect')
      if (policy_error) log.warn({ problem: policy_error }, 'policy: the old one stays in force')
      const mcp_error = await wiring.reload()
      if (mcp_error) log.warn({ problem: mcp_error }, 'mcp.json: the tool servers stay as they are')
      await note('config_reloaded', { ...problems, mcp_error })
      await pulse.beat()
      await restores()
      await rollbacks.look('all')
      void retention.look('now')
    },

    /** Lets every held caller go with a clear answer. The server stops listening; then `close`. */
    release: () => stop.abort(),
    async close(): Promise<void> {
      stop.abort()
      pulse.stop()
      await gateway.close()
      await rollbacks.look('newest')
      await retention.look()
      // A stop on record says that everything before it is, too.
      await life
        .flush()
        .then(() => note('server_stopped', {}))
        .catch((error) => log.error({ err: error }, 'the stop could not be recorded'))
      await store.close()
    },
  }
}
