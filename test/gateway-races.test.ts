import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Actor } from '../src/approval/identity.ts'
import { parsePolicy } from '../src/approval/policy.ts'
import { type ApprovalService, createService } from '../src/approval/service.ts'
import type { Store } from '../src/approval/store.ts'
import { createWaiters } from '../src/approval/waiters.ts'
import { createCalls } from '../src/gateway/calls.ts'
import { createGate, type Target } from '../src/gateway/gate.ts'
import type { Asked, MethodDeps } from '../src/gateway/methods.ts'
import type { Running } from '../src/gateway/tasks.ts'
import { openDatabase } from '../src/store/database.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import { T0, uuid } from './store-contract.ts'
import { temporaryFolder } from './support/server.ts'

const settings = {
  ...{ APPROVAL_WORKFLOW_ENABLED: true, APPROVAL_DISABLED_UNTIL: null, RBAC_ENABLED: true, RATE_LIMIT_ENABLED: true },
  ...{ APPROVAL_TIMEOUT: 300, APPROVAL_MAX_PENDING: 50, APPROVAL_EXECUTION_TTL: 300 },
}
const dev: Actor = { user_id: 'dev', role: 'developer' }
const amy: Actor = { user_id: 'amy', role: 'approver' }
const call = { server: 'fake', tool: 'danger', arguments: { n: 1 } }

/** What happens between two steps of the gate; each step is one of the service, and the clock is the test's. */
describe('between two steps of a call', () => {
  let dir: ReturnType<typeof temporaryFolder>
  let store: Store
  let service: ApprovalService
  let policy = parsePolicy('{"tools":{"danger":"CRITICAL"}}')
  let runs: unknown[]

  beforeEach(async () => {
    dir = temporaryFolder()
    store = createSqliteStore((await openDatabase(`${dir.path}/security.db`, T0)).db)
    await store.seedRoles(T0)
    for (const { user_id, role } of [dev, amy]) {
      if (role !== 'none') await store.addUser({ user_id, role, username: null, token_sha256: user_id }, 'server', T0)
    }
    let ids = 0
    runs = []
    service = createService({
      ...{ store, waiters: createWaiters(), settings: () => settings, policy: () => policy, onChange: () => undefined },
      life: { see: () => undefined, flush: async () => undefined },
      newId: () => uuid(++ids),
    })
  })
  afterEach(async () => {
    await store.close()
    dir.remove()
  })

  const target: Target = {
    call,
    assertUp: () => undefined,
    assertArguments: () => undefined,
    async run(args) {
      runs.push(args)
      return { content: [] }
    },
  }
  const pass = (through: ApprovalService, more: { wait?: number; request_id?: string } = {}) => {
    const { signal } = new AbortController()
    const gate = createGate({ service: through, clock: () => T0 + 1000, stopping: signal })
    return gate.pass(target, { actor: dev, signal, wait: 0, ...more })
  }
  /** The service, of which one step is followed by something else. */
  function followed(step: 'usable' | 'levelFor', by: () => Promise<unknown> | undefined): ApprovalService {
    const own = service[step] as (...args: unknown[]) => unknown
    const followedStep = (...args: unknown[]) => {
      const found = own(...args)
      const then = by()
      return then?.then(() => found) ?? found
    }
    return { ...service, [step]: followedStep }
  }
  const waiting = async () => (await store.open(T0 + 1000, 10)).count

  test('approved right after the look-up: it runs, once, and nobody is asked again', async () => {
    await service.ask(dev, call, {}, T0)
    const approving = followed('usable', () => service.decide(amy, [uuid(1)], 'approved', 'yes', T0 + 500))
    expect(await pass(approving)).toMatchObject({ outcome: 'ran', request: { request_id: uuid(1) } })
    expect(runs).toEqual([{ n: 1 }])
    expect(await waiting()).toBe(0)
    expect(await pass(service)).toMatchObject({ outcome: 'pending', request: { request_id: uuid(3) } })
    expect(runs).toHaveLength(1)
  })

  test('the policy becomes stricter right after the level was looked up: it waits', async () => {
    policy = parsePolicy('{"tools":{"danger":"LOW"}}')
    const tightening = followed('levelFor', () => {
      policy = parsePolicy('{"tools":{"danger":"HIGH"}}')
      return undefined
    })
    expect(await pass(tightening)).toMatchObject({ outcome: 'pending', request: { level: 'HIGH' } })
    expect(runs).toEqual([])
  })

  test('used by another right after it was found: the call asks anew, and does not run', async () => {
    await service.ask(dev, call, {}, T0)
    await service.decide(amy, [uuid(1)], 'approved', 'yes', T0)
    const racing = followed('usable', () => pass(service))
    expect(await pass(racing)).toMatchObject({ outcome: 'pending' })
    expect(runs).toHaveLength(1)
    expect(await waiting()).toBe(1)
  })

  test('approved while it waits: it is told no more that it waits once its tool runs', async () => {
    const { signal } = new AbortController()
    const gate = createGate({ service, clock: () => T0 + 1000, stopping: signal })
    const told: string[] = []
    const run = async () => {
      told.push('runs')
      return { content: [] }
    }
    const onWaiting = () => {
      told.push('waits')
      void service.decide(amy, [uuid(1)], 'approved', 'yes', T0 + 1000)
      return () => told.push('waits no more')
    }
    await gate.pass({ ...target, run }, { actor: dev, signal, wait: 60, onWaiting })
    expect(told).toEqual(['waits', 'waits no more', 'runs'])
  })

  test('rejected while the client of its task was away: it hears so once it is back, and nobody is asked again', async () => {
    let run: Running = async () => ({})
    const gate = createGate({ service, clock: () => T0 + 1000, stopping: new AbortController().signal })
    const offer = { server: 'fake', name: 'danger', exposed: 'danger', item: {} }
    const routing = { tool: () => offer, byName: () => undefined, target: () => target }
    const deps = { service, gate, routing, clock: () => T0 + 1000, hold: () => 60 } as unknown as MethodDeps
    const start = (running: Running) => {
      run = running
    }
    const params = { name: 'danger', arguments: call.arguments, task: {} }
    const asked = { params, actor: dev, signal: new AbortController().signal, tasks: { start } }
    await createCalls(deps).call(asked as unknown as Asked)
    const away = new AbortController()
    const first = run(away.signal, () => {
      away.abort()
      return () => undefined
    })
    await expect(first).resolves.toMatchObject({ isError: true })
    await service.decide(amy, [uuid(1)], 'rejected', 'no', T0 + 1000)
    const back = await run(new AbortController().signal, () => () => undefined)
    expect(back).toMatchObject({ _meta: { 'approval-ops/request': { outcome: 'refused', request_id: uuid(1) } } })
    expect(await waiting()).toBe(0)
    expect(runs).toEqual([])
  })
})
