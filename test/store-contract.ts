import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verifyAudit } from '../src/approval/audit.ts'
import type { Transition } from '../src/approval/decide.ts'
import { canonicalJson, digestOf, sha256 } from '../src/approval/digest.ts'
import type { Sighting } from '../src/approval/life.ts'
import type { NewRequest, Place, Store } from '../src/approval/store.ts'

export const T0 = Date.parse('2026-11-22T00:00:00.000Z')
const TTL = 300_000

const by = { user_id: 'admin_user', role: 'admin', token_sha256: sha256('admin_user') } as const
const dev = { user_id: 'dev_user', role: 'developer' } as const

export const uuid = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`

export function asked(n: number, more: Partial<NewRequest> & { code?: string; user?: string } = {}): NewRequest {
  const { code = `print(${n})`, user = 'dev_user', ...rest } = more
  const call = { server: '', tool: 'execute_python', arguments: { code } }
  return {
    request_id: uuid(n),
    call,
    digest: digestOf(call),
    request_data: canonicalJson(call.arguments),
    actor: { user_id: user, role: 'developer' },
    level: 'CRITICAL',
    reason: null,
    at: T0,
    expires_at: T0 + TTL,
    ...rest,
  }
}

const to = (n: number, status: Transition['to'], at = T0 + 1000): Transition => ({
  request_id: uuid(n),
  to: status,
  at,
  actor: status === 'expired' ? 'server' : 'admin_user',
  reason: status === 'approved' || status === 'rejected' ? 'because' : null,
})

/** The definition of a Store. An implementation passes its own way to open an empty one. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; remove: () => void | Promise<void> }>,
): void {
  describe(`${name} is a Store`, () => {
    let store: Store
    let remove: () => void | Promise<void>

    beforeEach(async () => {
      ;({ store, remove } = await open())
      await store.seedRoles(T0)
      for (const [user_id, role] of [
        ['dev_user', 'developer'],
        ['other', 'developer'],
        ['admin_user', 'admin'],
      ] as const) {
        await store.addUser({ user_id, role, username: null, token_sha256: sha256(user_id) }, 'server', T0)
      }
    })
    afterEach(async () => {
      await store.close()
      await remove()
    })

    test('what was created is read back whole', async () => {
      const { request, joined } = await store.create(asked(1, { reason: '배포 전 점검 🙂' }), 50)
      expect(joined).toBe(false)
      expect(await store.get(uuid(1))).toEqual(request)
      expect(request).toMatchObject({
        request_id: uuid(1),
        status: 'pending',
        level: 'CRITICAL',
        request_data: '{"code":"print(1)"}',
        reason: '배포 전 점검 🙂',
        requested_at: T0,
        expires_at: T0 + TTL,
        responded_at: null,
        consumed_at: null,
      })
    })

    test('the identical call of the same requester joins the open request', async () => {
      await store.create(asked(1, { code: 'same' }), 50)
      const again = await store.create(asked(2, { code: 'same', at: T0 + 10 }), 50)
      expect(again).toMatchObject({ joined: true, request: { request_id: uuid(1) } })
      expect(await store.get(uuid(2))).toBeUndefined()
    })

    test('whoever would use it joins an approval that is on record, not used and young enough, before asking', async () => {
      const joins = async (n: number, usableAfter?: number) => {
        const asking = asked(n, { code: 'same', at: T0 + 3000, ...(usableAfter !== undefined && { usableAfter }) })
        const { request, joined } = await store.create(asking, 50)
        return joined ? request.request_id : 'asked'
      }
      await store.create(asked(1, { code: 'same' }), 50)
      await store.transition([to(1, 'approved', T0 + 1000)], by)
      expect(await joins(2, T0)).toBe(uuid(1))
      expect(await joins(3, T0 + 1000)).toBe('asked')
      expect(await joins(4)).toBe(uuid(3))
      expect(await joins(5, T0)).toBe(uuid(1))
      const { digest } = asked(1, { code: 'same' })
      await store.consume({ request_id: uuid(1), digest, at: T0 + 4000, decidedAfter: T0, actor: 'dev_user' }, dev)
      expect(await joins(6, T0)).toBe(uuid(3))
    })

    test('the identical call of another requester, or after the deadline, is a request of its own', async () => {
      await store.create(asked(1, { code: 'same' }), 50)
      expect((await store.create(asked(2, { code: 'same', user: 'other' }), 50)).joined).toBe(false)
      const late = { at: T0 + TTL, expires_at: T0 + 2 * TTL }
      expect((await store.create(asked(3, { code: 'same', ...late }), 50)).joined).toBe(false)
      expect((await store.get(uuid(1)))?.status).toBe('expired')
    })

    test('200 at once with room for 50: exactly 50 are stored, the others hear queue_full', async () => {
      const results = await Promise.allSettled(Array.from({ length: 200 }, (_, n) => store.create(asked(n + 1), 50)))
      expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(50)
      const refused = results.filter((r) => r.status === 'rejected')
      expect(refused.every((r) => r.reason.code === 'queue_full')).toBe(true)
      expect((await store.open(T0, 1000)).count).toBe(50)
    })

    test('requests past their deadline take no room, swept or not', async () => {
      for (let n = 1; n <= 3; n++) await store.create(asked(n), 3)
      const later = { at: T0 + TTL, expires_at: T0 + 2 * TTL }
      expect((await store.create(asked(4, later), 3)).joined).toBe(false)
    })

    test('of all decisions on one request at once exactly one is applied', async () => {
      await store.create(asked(1), 50)
      const statuses = Array.from({ length: 40 }, (_, n): 'approved' | 'rejected' => (n % 2 ? 'approved' : 'rejected'))
      const results = await Promise.all(statuses.map((status) => store.transition([to(1, status)], by)))
      const won = results.filter((r) => r !== undefined)
      expect(won).toHaveLength(1)
      expect((await store.get(uuid(1)))?.status).toBe(won[0]?.[0]?.status)
    })

    test('an approval is found by its user and digest until it is used, while it is young enough, the oldest first', async () => {
      const { digest } = asked(1, { code: 'same' })
      const found = async (decidedAfter = T0, user = 'dev_user', of = digest) =>
        (await store.usable(user, of, decidedAfter))?.request_id
      await store.create(asked(1, { code: 'same' }), 50)
      expect(await found()).toBeUndefined()
      await store.transition([to(1, 'approved', T0 + 1000)], by)
      await store.create(asked(2, { code: 'same' }), 50)
      await store.transition([to(2, 'approved', T0 + 2000)], by)
      await store.create(asked(3, { code: 'same' }), 50)
      await store.transition([to(3, 'rejected', T0 + 3000)], by)
      expect(await found()).toBe(uuid(1))
      expect(await found(T0 + 999)).toBe(uuid(1))
      expect(await found(T0 + 1000)).toBe(uuid(2))
      expect(await found(T0 + 2000)).toBeUndefined()
      expect(await found(T0, 'other')).toBeUndefined()
      expect(await found(T0, 'dev_user', asked(4).digest)).toBeUndefined()
      const use = { request_id: uuid(1), digest, at: T0 + 4000, decidedAfter: T0, actor: 'dev_user' }
      await store.consume(use, dev)
      expect(await found()).toBe(uuid(2))
    })

    test('what waits is found by its user and digest, as long as it is marked pending', async () => {
      const { digest } = asked(1)
      const found = async (user = 'dev_user') => (await store.openCall(user, digest))?.request_id
      expect(await found()).toBeUndefined()
      await store.create(asked(1), 50)
      expect(await found()).toBe(uuid(1))
      expect(await found('other')).toBeUndefined()
      await store.transition([to(1, 'rejected', T0 + 1)], by)
      expect(await found()).toBeUndefined()
    })

    test('nothing is decided at the deadline or after it, and nothing expires before it', async () => {
      await store.create(asked(1), 50)
      expect(await store.transition([to(1, 'expired', T0 + TTL - 1)], by)).toBeUndefined()
      expect(await store.transition([to(1, 'approved', T0 + TTL)], by)).toBeUndefined()
      expect(await store.transition([to(1, 'approved', T0 + TTL - 1)], by)).toBeDefined()
    })

    test('transitions are all applied or none, and none leaves no event', async () => {
      await store.create(asked(1), 50)
      await store.create(asked(2), 50)
      await store.transition([to(2, 'cancelled')], by)
      const before = (await store.events(0, 100)).length
      expect(await store.transition([to(1, 'approved'), to(2, 'approved')], by)).toBeUndefined()
      expect((await store.get(uuid(1)))?.status).toBe('pending')
      expect(await store.events(0, 100)).toHaveLength(before)
      await store.append({ type: 'config_reloaded', request_id: null, actor: 'server', at: T0, data: {} })
      expect((await store.lastEvent())?.seq).toBe(before + 1)
    })

    test('the result of a rollback is recorded once, and a later result of it once more', async () => {
      const result = (finished_at: string) =>
        store.appendOnce({
          ...{ type: 'rollback', request_id: null, actor: 'server', at: T0 },
          data: { id: '20261122T091500Z-cli-x3f2', finished_at },
        })
      const both = await Promise.all([result('2026-11-22T09:15:09.000Z'), result('2026-11-22T09:15:09.000Z')])
      expect(both.map((event) => event !== undefined)).toEqual([true, false])
      expect(await result('2026-11-22T09:20:00.000Z')).toBeDefined()
      expect(await result('2026-11-22T09:15:09.000Z')).toBeUndefined()
    })

    test('a restore is recorded once, by the instant at which it ended', async () => {
      const restored = (finished_at: string) =>
        store.appendOnce({
          ...{ type: 'restored', request_id: null, actor: 'server', at: T0 },
          data: { backup: 'security-20261126T033000.000Z', finished_at },
        })
      expect(await restored('2026-11-22T09:15:09.000Z')).toBeDefined()
      expect(await restored('2026-11-22T09:15:09.000Z')).toBeUndefined()
      expect(await restored('2026-11-22T09:15:09.001Z')).toBeDefined()
    })

    test('only a human answer fills responded_at', async () => {
      for (let n = 1; n <= 4; n++) await store.create(asked(n), 50)
      await store.transition([to(1, 'approved'), to(2, 'rejected')], by)
      await store.transition([to(3, 'cancelled')], by)
      await store.expireDue(T0 + TTL, 10)
      const rows = await Promise.all([1, 2, 3, 4].map((n) => store.get(uuid(n))))
      expect(rows.map((r) => [r?.status, r?.responded_at, r?.responder_id])).toEqual([
        ['approved', T0 + 1000, 'admin_user'],
        ['rejected', T0 + 1000, 'admin_user'],
        ['cancelled', null, null],
        ['expired', null, null],
      ])
    })

    test('an approval is used once, for its digest, by its requester, within its time to live', async () => {
      await store.create(asked(1), 50)
      await store.transition([to(1, 'approved')], by)
      const use = { request_id: uuid(1), digest: asked(1).digest, at: T0 + 2000, decidedAfter: T0, actor: 'dev_user' }
      expect(await store.consume({ ...use, digest: asked(2).digest }, dev)).toBeUndefined()
      expect(await store.consume({ ...use, actor: 'other' }, dev)).toBeUndefined()
      expect(await store.consume({ ...use, decidedAfter: T0 + 1000 }, dev)).toBeUndefined()
      const results = await Promise.all(Array.from({ length: 20 }, () => store.consume(use, dev)))
      expect(results.filter((r) => r !== undefined)).toHaveLength(1)
      expect(await store.get(uuid(1))).toMatchObject({ status: 'approved', consumed_at: T0 + 2000 })
    })

    test('an approval is in the record only when it was given through the Store', async () => {
      await store.create(asked(1), 50)
      expect(await store.hasOutcome(uuid(1))).toBe(false)
      await store.transition([to(1, 'approved')], by)
      expect(await store.hasOutcome(uuid(1))).toBe(true)
    })

    test('the sweep expires what is due, a bounded number at a time, and knows the next deadline', async () => {
      for (let n = 1; n <= 5; n++) await store.create(asked(n, { expires_at: T0 + n * 1000 }), 50)
      expect(await store.nextDeadline()).toBe(T0 + 1000)
      expect(await store.expireDue(T0 + 3000, 2)).toHaveLength(2)
      expect(await store.expireDue(T0 + 3000, 2)).toHaveLength(1)
      expect(await store.expireDue(T0 + 3000, 2)).toHaveLength(0)
      expect(await store.nextDeadline()).toBe(T0 + 4000)
    })

    test('a prefix finds its requests, two at most, and no character is a wildcard', async () => {
      await store.create(asked(0x1a2b3c01), 50)
      await store.create(asked(0x1a2b3c02), 50)
      expect(await store.idsWithPrefix('1a2b3c01')).toEqual([uuid(0x1a2b3c01)])
      expect(await store.idsWithPrefix('1a2b3c0')).toHaveLength(2)
      expect(await store.idsWithPrefix('%')).toEqual([])
      expect(await store.idsWithPrefix('1a2b3c0_')).toEqual([])
    })

    test('pages follow each other without a gap or a repetition, also when instants are equal', async () => {
      for (let n = 1; n <= 9; n++) await store.create(asked(n, { at: T0 + Math.floor(n / 4) }), 50)
      const seen: string[] = []
      let after: Place | undefined
      do {
        const page = await store.list({ limit: 2, now: T0, ...(after && { after }) })
        seen.push(...page.requests.map((r) => r.request_id))
        after = page.next
      } while (after)
      expect(seen).toEqual([...seen].sort().reverse())
      expect(new Set(seen).size).toBe(9)
    })

    test('a list by status counts a request past its deadline as expired', async () => {
      await store.create(asked(1), 50)
      const list = async (status: 'pending' | 'expired', now: number) =>
        (await store.list({ status, now, limit: 10 })).requests
      expect([await list('pending', T0), await list('expired', T0)].map((l) => l.length)).toEqual([1, 0])
      expect([await list('pending', T0 + TTL), await list('expired', T0 + TTL)].map((l) => l.length)).toEqual([0, 1])
    })

    test('the waiting list is oldest first and its count is the true total', async () => {
      await store.create(asked(3, { at: T0 + 30 }), 50)
      await store.create(asked(1, { at: T0 + 10, user: 'other' }), 50)
      await store.create(asked(2, { at: T0 + 20 }), 50)
      const { requests, count } = await store.open(T0 + 40, 2)
      expect([requests.map((r) => r.request_id), count]).toEqual([[uuid(1), uuid(2)], 3])
      expect((await store.open(T0 + 40, 10, 'dev_user')).count).toBe(2)
      expect((await store.open(T0 + TTL + 30, 10)).count).toBe(0)
    })

    test('who saw a request is read back in the order in which it happened, and what is seen again only widens it', async () => {
      await store.create(asked(1), 50)
      expect(await store.lifeOf(uuid(1))).toEqual([])
      const seen = (what: Sighting['what'], who: string, first: number, last = first): Sighting => ({
        ...{ request_id: uuid(1), what, who },
        ...{ first_at: T0 + first, last_at: T0 + last },
      })
      await store.recordLife([
        seen('opened', 'amy', 30),
        seen('notified', 'amy', 10),
        seen('waiting', 'dev_user', 5, 20),
      ])
      await store.recordLife([seen('waiting', 'dev_user', 40, 90), seen('opened', 'amy', 25)])
      expect(await store.lifeOf(uuid(1))).toEqual([
        seen('waiting', 'dev_user', 5, 90),
        seen('notified', 'amy', 10),
        seen('opened', 'amy', 25, 30),
      ])
    })

    test('the life of a drill, and of a request that is not there, is unknown, not empty', async () => {
      const drill = { server: 'ops-canary', tool: 'execute_python', arguments: {} }
      await store.create(asked(1, { call: drill, digest: digestOf(drill) }), 50)
      const seen = { what: 'opened', who: 'amy', first_at: T0, last_at: T0 } as const
      await store.recordLife([1, 2].map((n) => ({ ...seen, request_id: uuid(n) })))
      expect(await store.lifeOf(uuid(1))).toBeUndefined()
      expect(await store.lifeOf(uuid(2))).toBeUndefined()
    })

    test('who saw a request is no part of the record, and changes no request', async () => {
      const { request } = await store.create(asked(1), 50)
      const head = await store.lastEvent()
      const seen = { request_id: uuid(1), who: 'amy', first_at: T0, last_at: T0 }
      await store.recordLife([
        { ...seen, what: 'late' },
        { ...seen, what: 'left' },
      ])
      expect(await store.lastEvent()).toEqual(head)
      expect(await store.get(uuid(1))).toEqual(request)
      expect((await verifyAudit(store)).ok).toBe(true)
    })

    test('a user is known by token, and a disabled one is known to be disabled', async () => {
      expect(await store.userByToken(sha256('dev_user'))).toMatchObject({
        user_id: 'dev_user',
        role: 'developer',
        is_active: true,
      })
      await store.setActive('dev_user', false, 'admin_user', T0)
      expect(await store.userByToken(sha256('dev_user'))).toMatchObject({ is_active: false })
      await store.setToken('other', sha256('new'), 'admin_user', T0)
      expect(await store.userByToken(sha256('other'))).toBeUndefined()
      expect(await store.userByToken(sha256('new'))).toMatchObject({ user_id: 'other' })
      expect(await store.setActive('nobody', false, 'admin_user', T0)).toBeUndefined()
    })

    test('whoever was shut out, demoted or given a new token meanwhile changes nothing any more', async () => {
      await store.create(asked(1), 50)
      await store.setToken('admin_user', sha256('another'), 'admin_user', T0)
      await expect(store.transition([to(1, 'approved')], by)).rejects.toMatchObject({ code: 'unauthenticated' })
      await store.setActive('dev_user', false, 'admin_user', T0)
      await expect(store.create(asked(2), 50)).rejects.toMatchObject({ code: 'unauthenticated' })
      expect((await store.get(uuid(1)))?.status).toBe('pending')
    })

    test('the last administrator who can sign in cannot be shut out', async () => {
      const shut = () => store.setActive('admin_user', false, 'admin_user', T0)
      await expect(shut()).rejects.toMatchObject({ code: 'last_admin' })
      await store.addUser(
        { user_id: 'second', role: 'admin', username: null, token_sha256: sha256('2') },
        'admin_user',
        T0,
      )
      expect(await shut()).toMatchObject({ is_active: false })
      expect(await store.setActive('admin_user', true, 'second', T0)).toMatchObject({ is_active: true })
    })

    test('what runs along with a new user takes it back when it fails', async () => {
      const user = { user_id: 'amy', role: 'approver', username: null, token_sha256: sha256('amy') } as const
      const fail = () => {
        throw new Error('no room for the file')
      }
      await expect(store.addUser(user, 'admin_user', T0, fail)).rejects.toThrow('no room')
      expect(await store.user('amy')).toBeUndefined()
    })

    test('a taken user id is refused', async () => {
      const user = { user_id: 'dev_user', role: 'admin', username: null, token_sha256: sha256('x') } as const
      await expect(store.addUser(user, 'admin_user', T0)).rejects.toMatchObject({ code: 'user_exists' })
      expect(await store.user('dev_user')).toMatchObject({ role: 'developer' })
    })
  })
}
