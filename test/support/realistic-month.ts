import Database from 'better-sqlite3'
import { sha256 } from '../../src/approval/digest.ts'
import { ApprovalError } from '../../src/approval/errors.ts'
import { type GateSettings, gateAt } from '../../src/approval/gate.ts'
import { SERVER_ACTOR, type User } from '../../src/approval/identity.ts'
import { createLife } from '../../src/approval/life.ts'
import { parsePolicy } from '../../src/approval/policy.ts'
import { createService } from '../../src/approval/service.ts'
import { createWaiters } from '../../src/approval/waiters.ts'
import { recordGate } from '../../src/gate-record.ts'
import { openDatabase } from '../../src/store/database.ts'
import { createSqliteStore } from '../../src/store/sqlite-store.ts'
import { type Dice, dice } from './dice.ts'
import { LEASES, legacyRows, OUTAGE, RESTARTS, rollbackOf } from './realistic-incidents.ts'
import { plan } from './realistic-plan.ts'
import { APPROVERS, REQUESTERS } from './realistic-team.ts'
import { createOldDatabase } from './report-database.ts'

const SECOND = 1000
/** Monday 08:30 in Seoul: the desk takes the old system's database over. */
const START = Date.parse('2026-10-18T23:30:00Z')

/**
 * A security.db as a team of six approvers leaves it: five weeks, up to `until`. Made by the server's own rules and
 * store, so that its record verifies; the same seed gives the same bytes of every report.
 */
export async function realisticMonth(path: string, until: number, policy: string, seed = 20261123): Promise<void> {
  createOldDatabase(path)
  const old = new Database(path)
  const insert = old.prepare(`INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status,
      requested_at, responded_at, responder_id, expires_at)
    VALUES (:request_id, :tool_name, 'dev_user', 'developer', '{}', :status, :requested_at, :responded_at, :responder_id,
      :expires_at)`)
  for (const row of legacyRows()) insert.run(row)
  old.close()
  const { db } = await openDatabase(path, START)
  db.pragma('synchronous = OFF')
  const store = createSqliteStore(db)
  const chance = dice(seed)
  const life = createLife(() => {})
  let gate: GateSettings = { APPROVAL_WORKFLOW_ENABLED: true, APPROVAL_DISABLED_UNTIL: null }
  const numbers = { APPROVAL_TIMEOUT: 300, APPROVAL_MAX_PENDING: 50, APPROVAL_EXECUTION_TTL: 300 }
  const limits = { ...numbers, RBAC_ENABLED: true, RATE_LIMIT_ENABLED: false }
  const tools = parsePolicy(policy)
  const service = createService({
    ...{ store, waiters: createWaiters(), policy: () => tools, newId: () => uuid(chance), onChange: () => {} },
    settings: () => ({ ...limits, ...gate }),
    life: { see: life.see, flush: () => store.recordLife(life.take(1000)) },
  })
  const note = (type: 'server_started' | 'server_stopped', at: number, data = {}) =>
    store.append({ type, request_id: null, actor: SERVER_ACTOR, at, data })

  await store.seedRoles(START)
  const users = new Map<string, User>()
  const add = async (user_id: string, role: 'admin' | 'approver' | 'developer', by: string) =>
    users.set(user_id, await store.addUser({ user_id, role, username: null, token_sha256: sha256(user_id) }, by, START))
  await add('admin_user', 'admin', SERVER_ACTOR)
  for (const { id } of APPROVERS) await add(id, 'approver', 'admin_user')
  for (const id of REQUESTERS) await add(id, 'developer', 'admin_user')
  await note('server_started', START + SECOND, { version: '0.1.0', pid: 4711 })

  const user = (id: string) => users.get(id)!
  const steps = plan(chance, START, until, {
    async ask(who, call, at) {
      const asked = await service.ask(user(who), call, {}, at)
      return asked.outcome === 'pending' ? asked.request.request_id : undefined
    },
    see: (what, request_id, who, at) => life.see(what, { request_id, server: '' }, who, at),
    open: (who, id, at) => service.look(user(who), id, at),
    // Who comes too late is told so; the record says that they tried.
    decide: (who, id, decision, at) =>
      service.decide(user(who), [id], decision, REASONS[decision], at).catch((error) => {
        if (!(error instanceof ApprovalError && error.code === 'expired')) throw error
      }),
    async consume(who, id, at) {
      const { digest } = await service.look(user(who), id, at)
      return service.consume(user(who), id, digest!, at)
    },
    cancel: (who, id, at) => service.cancel(user(who), id, at),
    sweep: service.sweep,
  })
  for (const { at, until: end } of LEASES) {
    const rearm = end + 400
    steps.push({
      at,
      run: (now) => {
        gate = { ...gate, APPROVAL_DISABLED_UNTIL: end }
        return recordGate(store, gateAt(gate, now), now)
      },
    })
    steps.push({
      at: at + 9 * SECOND,
      run: (now) =>
        store.appendOnce({
          type: 'rollback',
          request_id: null,
          actor: SERVER_ACTOR,
          at: now,
          data: rollbackOf(at, end),
        }),
    })
    steps.push({ at: rearm, run: (now) => recordGate(store, gateAt(gate, now), now) })
  }
  for (const at of RESTARTS) {
    steps.push({ at, run: (now) => note('server_stopped', now) })
    steps.push({ at: at + 7 * SECOND, run: (now) => note('server_started', now, { version: '0.1.0', pid: 5000 }) })
  }
  steps.push({ at: OUTAGE.until, run: (now) => note('server_started', now, { version: '0.1.0', pid: 6203 }) })
  steps.push({ at: OUTAGE.until + 100, run: service.sweep })
  const due = steps.filter(({ at }) => at < until && (at < OUTAGE.from || at >= OUTAGE.until))
  due.sort((a, b) => a.at - b.at)
  for (const { at, run } of due) await run(at)
  await service.sweep(until)
  await store.close()
}

const REASONS = { approved: '확인했습니다', rejected: '범위가 너무 넓습니다' } as const

function uuid({ between }: Dice): string {
  const hex = Array.from({ length: 32 }, () => between(0, 15).toString(16)).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
