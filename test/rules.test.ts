import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verifyAudit } from '../src/approval/audit.ts'
import { decide } from '../src/approval/decide.ts'
import { ApprovalError } from '../src/approval/errors.ts'
import { gateAt } from '../src/approval/gate.ts'
import type { Actor } from '../src/approval/identity.ts'
import { levelOf, parsePolicy } from '../src/approval/policy.ts'
import { isFinal, type Request, STATUSES, statusAt, TRANSITIONS } from '../src/approval/request.ts'
import { createService, type ServiceSettings } from '../src/approval/service.ts'
import type { Store } from '../src/approval/store.ts'
import { createWaiters } from '../src/approval/waiters.ts'
import { openDatabase } from '../src/store/database.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import { T0, uuid } from './store-contract.ts'
import { temporaryFolder } from './support/server.ts'

const settings: ServiceSettings = {
  APPROVAL_WORKFLOW_ENABLED: true,
  APPROVAL_DISABLED_UNTIL: null,
  APPROVAL_TIMEOUT: 300,
  APPROVAL_MAX_PENDING: 50,
  APPROVAL_EXECUTION_TTL: 100,
  RBAC_ENABLED: true,
  RATE_LIMIT_ENABLED: false,
}
const policy = parsePolicy(
  '{"tools":{"execute_python":"CRITICAL","write_file":"HIGH","read_file":"MEDIUM","list_files":"LOW"}}',
)
const dev: Actor = { user_id: 'dev', role: 'developer' }
const amy: Actor = { user_id: 'amy', role: 'approver' }
const bob: Actor = { user_id: 'bob', role: 'admin' }
const guest: Actor = { user_id: 'gus', role: 'guest' }
const python = (code: string) => ({ server: '', tool: 'execute_python', arguments: { code } })
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('the rules', () => {
  let dir: ReturnType<typeof temporaryFolder>
  let store: Store
  let ids: number
  let current: ServiceSettings
  let service: ReturnType<typeof createService>
  let sights: [what: string, request_id: string, who: string, at: number][]
  const waiters = createWaiters()

  async function open(path: string): Promise<void> {
    store = createSqliteStore((await openDatabase(path, T0)).db)
    await store.seedRoles(T0)
    for (const { user_id, role } of [dev, amy, bob, guest]) {
      if (role !== 'none') await store.addUser({ user_id, role, username: null, token_sha256: user_id }, 'server', T0)
    }
    ids = 0
    sights = []
    current = settings
    service = createService({
      ...{ store, waiters, settings: () => current, policy: () => policy, onChange: () => undefined },
      life: {
        see: (what, { request_id }, who, at) => void sights.push([what, request_id, who, at]),
        flush: async () => undefined,
      },
      newId: () => uuid(++ids),
    })
  }

  beforeEach(async () => {
    dir = temporaryFolder()
    await open(`${dir.path}/security.db`)
  })
  afterEach(async () => {
    await store.close()
    dir.remove()
  })

  async function ask(text: string, now = T0): Promise<Request> {
    const asked = await service.ask(dev, python(text), {}, now)
    if (asked.outcome !== 'pending') throw new Error(asked.outcome)
    return asked.request
  }

  test('a tool that the policy does not name is HIGH, whatever its spelling', () => {
    for (const tool of ['unknown', 'Execute_Python', 'execute_python ', 'ехecute_python', '__proto__', 'constructor']) {
      expect(levelOf(policy, { server: '', tool })).toBe('HIGH')
    }
  })

  test.each([
    ['not JSON', '{', 'not JSON'],
    ['an unknown level', '{"tools":{"a":"high"}}', 'tools.a'],
    ['an unknown key', '{"tools":{},"tool":{}}', 'tool'],
    ['no tools', '{}', 'tools'],
  ])('a policy with %s is refused with what is wrong', (_what, text, message) => {
    expect(() => parsePolicy(text)).toThrow(message)
  })

  test('LOW and MEDIUM tools need no approval, and leave no request', async () => {
    for (const tool of ['read_file', 'list_files']) {
      const call = { server: '', tool, arguments: {} }
      expect(await service.ask(guest, call, {}, T0)).toMatchObject({ outcome: 'not_required' })
    }
    expect((await store.open(T0, 10)).count).toBe(0)
  })

  test('a guest may not ask, a developer may not decide, nobody decides on their own request', async () => {
    await expect(service.ask(guest, python('x'), {}, T0)).rejects.toEqual(code('role'))
    const { request_id } = await ask('x')
    await expect(service.decide(dev, [request_id], 'approved', 'mine', T0)).rejects.toEqual(code('role'))
    await expect(service.decide(guest, [request_id], 'approved', 'hm', T0)).rejects.toEqual(code('role'))
    const asked = await service.ask(bob, python('y'), {}, T0)
    const own = asked.outcome === 'pending' ? asked.request.request_id : ''
    await expect(service.decide(bob, [own], 'approved', 'mine', T0)).rejects.toEqual(code('self_approval'))
  })

  test('RBAC off lifts the roles, not the rule that requester and approver are two', async () => {
    current = { ...settings, RBAC_ENABLED: false }
    const { request_id } = await ask('x')
    await expect(service.decide(dev, [request_id], 'approved', 'mine', T0)).rejects.toEqual(code('self_approval'))
    expect(await service.decide(guest, [request_id], 'approved', 'fine', T0)).toHaveLength(1)
  })

  test('deciding one millisecond before the deadline counts, at the deadline it is too late', async () => {
    const first = await ask('x')
    const second = await ask('y')
    expect(await service.decide(amy, [first.request_id], 'approved', 'ok', T0 + 299_999)).toHaveLength(1)
    await expect(service.decide(amy, [second.request_id], 'approved', 'ok', T0 + 300_000)).rejects.toEqual(
      code('expired'),
    )
    expect((await store.get(second.request_id))?.status).toBe('expired')
  })

  test('the second to decide learns who was first, when and how', async () => {
    const { request_id } = await ask('x')
    await service.decide(amy, [request_id], 'rejected', 'no', T0 + 1000)
    await expect(service.decide(bob, [request_id], 'approved', 'yes', T0 + 2000)).rejects.toMatchObject({
      code: 'already_decided',
      facts: { decided_by: 'amy', decided_at: '2026-11-22T00:00:01.000Z', decision: 'rejected', reason: 'no' },
    })
  })

  test('a batch is decided whole or not at all', async () => {
    const [a, b] = [await ask('a'), await ask('b')]
    await service.cancel(dev, b.request_id, T0)
    const both = [a.request_id, b.request_id]
    await expect(service.decide(amy, both, 'approved', 'ok', T0)).rejects.toEqual(code('cancelled'))
    expect((await store.get(a.request_id))?.status).toBe('pending')
    expect(await service.decide(amy, [a.request_id, a.request_id.slice(0, 8)], 'approved', 'ok', T0)).toHaveLength(1)
  })

  test('an approval is used by its requester, for its call, once, in time', async () => {
    const { request_id, digest } = await ask('x')
    await expect(service.consume(dev, request_id, digest!, T0)).rejects.toEqual(code('not_approved'))
    await service.decide(amy, [request_id], 'approved', 'ok', T0 + 1000)
    await expect(service.consume(bob, request_id, digest!, T0 + 2000)).rejects.toEqual(code('role'))
    await expect(service.consume(dev, request_id, 'f'.repeat(64), T0 + 2000)).rejects.toEqual(code('digest_mismatch'))
    await expect(service.consume(dev, request_id, digest!, T0 + 101_000)).rejects.toEqual(code('expired'))
    expect((await service.consume(dev, request_id, digest!, T0 + 100_999)).consumed_at).toBe(T0 + 100_999)
    await expect(service.consume(dev, request_id, digest!, T0 + 100_999)).rejects.toEqual(code('consumed'))
  })

  test('a caller learns of a decision by the decision itself, and leaves nothing behind', async () => {
    const { request_id } = await ask('x')
    const held = new AbortController()
    const waiting = service.wait(dev, request_id, () => T0 + 1, held.signal)
    await service.decide(amy, [request_id], 'approved', 'ok', T0 + 1)
    expect((await waiting).status).toBe('approved')
    held.abort()
    expect(waiters.count()).toBe(0)
  })

  test('requests of others are not found, except by those who decide', async () => {
    const { request_id } = await ask('x')
    await expect(service.look(guest, request_id, T0)).rejects.toEqual(code('not_found'))
    expect((await service.look(amy, request_id, T0)).request_id).toBe(request_id)
  })

  test('only people who may decide a request, and see it while it is open, are put down as having seen it', async () => {
    const { request_id: id } = await ask('x')
    await service.look(amy, id, T0 + 1)
    await service.open(bob, 10, T0 + 2)
    await service.list(bob, { now: T0 + 3, limit: 10 })
    await service.list(dev, { now: T0 + 3, limit: 10 })
    await service.look(dev, id, T0 + 4)
    await expect(service.decide(bob, [id], 'approved', 'ok', T0 + 300_000)).rejects.toEqual(code('expired'))
    await service.look(amy, id, T0 + 300_001)
    await service.list(bob, { now: T0 + 300_001, limit: 10 })
    expect(sights).toEqual([
      ['opened', id, 'amy', T0 + 1],
      ['listed', id, 'bob', T0 + 2],
      ['listed', id, 'bob', T0 + 3],
      // A program that asks how its own request stands is a caller that is there.
      ['waiting', id, 'dev', T0 + 4],
      ['late', id, 'bob', T0 + 300_000],
    ])
  })

  test('a caller that hangs up has left; one whose answer was only held back has not', async () => {
    const { request_id: id } = await ask('x')
    const hold = async (hasLeft: boolean, at: number) => {
      const held = new AbortController()
      const waiting = service.wait(
        dev,
        id,
        () => at,
        held.signal,
        () => hasLeft,
      )
      await new Promise((resolve) => setImmediate(resolve))
      held.abort()
      await waiting
    }
    await hold(false, T0 + 1)
    await hold(true, T0 + 2)
    expect(sights.map(([what, , who, at]) => [what, who, at - T0])).toEqual([
      ['waiting', 'dev', 1],
      ['waiting', 'dev', 1],
      ['waiting', 'dev', 2],
      ['left', 'dev', 2],
    ])
  })

  test('a gate that is off lets calls pass, and each is in the record before it is answered', async () => {
    current = { ...settings, APPROVAL_WORKFLOW_ENABLED: false }
    expect(await service.ask(dev, python('x'), {}, T0)).toEqual({ outcome: 'bypassed', level: 'CRITICAL' })
    expect(await store.lastEvent()).toMatchObject({
      type: 'bypassed',
      actor: 'dev',
      data: { tool: 'execute_python', level: 'CRITICAL', arguments: '{"code":"x"}' },
    })
  })

  test('a lease ends at its instant by itself', () => {
    const leased = { APPROVAL_WORKFLOW_ENABLED: true, APPROVAL_DISABLED_UNTIL: T0 }
    expect(gateAt(leased, T0 - 1).on).toBe(false)
    expect(gateAt(leased, T0).on).toBe(true)
  })

  test('final statuses have no way out, and only pending has one', () => {
    expect(STATUSES.filter((status) => !isFinal(status))).toEqual(['pending'])
    for (const next of TRANSITIONS.pending) expect(TRANSITIONS[next]).toEqual([])
  })

  test('decide is pure: every final request is refused, every open one of another decided, at any time', () => {
    const request = fc.record({
      request_id: fc.constant(uuid(1)),
      user_id: fc.constantFrom('dev', 'amy'),
      status: fc.constantFrom(...STATUSES),
      expires_at: fc.integer({ min: T0, max: T0 + 10 }),
    })
    fc.assert(
      fc.property(request, fc.integer({ min: T0 - 5, max: T0 + 15 }), (partial, now) => {
        const full = { ...partial, responded_at: T0, responder_id: 'bob', response_reason: 'x' } as unknown as Request
        const allowed = partial.user_id !== 'amy' && statusAt(full, now) === 'pending'
        try {
          expect(decide(full, 'approved', 'ok', amy, now).at).toBeLessThan(partial.expires_at)
          expect(allowed).toBe(true)
        } catch (error) {
          if (!(error instanceof ApprovalError)) throw error
          expect(allowed).toBe(false)
        }
      }),
    )
  })

  test('no history of asks, decisions, cancellations, uses and sweeps ever breaks a promise', {
    timeout: 300_000,
  }, async () => {
    const step = fc.record({
      what: fc.constantFrom('ask', 'approve', 'reject', 'cancel', 'consume', 'sweep'),
      which: fc.nat(3),
      who: fc.constantFrom(dev, amy, bob),
      later: fc.constantFrom(0, 1, 999, 50_000, 100_000, 299_999),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (history) => {
        await store.close()
        const folder = temporaryFolder()
        await open(`${folder.path}/security.db`)
        let now = T0
        const finals = new Map<string, { status: string; responder: string | null }>()
        let uses = 0
        for (const { what, which, who, later } of history) {
          now += later
          const known = (await store.list({ limit: 100, now })).requests.reverse()
          const target = known[which]
          const before = target && statusAt(target, now)
          try {
            if (what === 'ask') await service.ask(who, python(`call ${which}`), {}, now)
            else if (what === 'sweep') await service.sweep(now)
            else if (!target) continue
            else if (what === 'consume') {
              await service.consume(who, target.request_id, target.digest!, now)
              uses++
              expect(before).toBe('approved')
              expect(target.consumed_at).toBeNull()
              expect(target.user_id).toBe(who.user_id)
            } else {
              if (what === 'cancel') await service.cancel(who, target.request_id, now)
              else {
                await service.decide(who, [target.request_id], what === 'approve' ? 'approved' : 'rejected', 'r', now)
                expect(who.user_id).not.toBe(target.user_id)
              }
              expect(before).toBe('pending')
            }
          } catch (error) {
            if (!(error instanceof ApprovalError)) throw error
          }
          for (const r of (await store.list({ limit: 100, now })).requests) {
            const earlier = finals.get(r.request_id)
            if (earlier) expect({ status: r.status, responder: r.responder_id }).toEqual(earlier)
            if (isFinal(r.status)) finals.set(r.request_id, { status: r.status, responder: r.responder_id })
            if (r.responded_at !== null) expect(r.responded_at).toBeLessThan(r.expires_at)
          }
        }
        const events = await store.events(0, 1000)
        expect(events.filter((e) => e.type === 'consumed')).toHaveLength(uses)
        expect(await verifyAudit(store)).toMatchObject({ ok: true })
        folder.remove()
      }),
      { numRuns: 60 },
    )
  })
})
