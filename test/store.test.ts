import { copyFileSync, renameSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verifyAudit } from '../src/approval/audit.ts'
import type { Store } from '../src/approval/store.ts'
import { recordAdoption } from '../src/store/adoption.ts'
import { openDatabase } from '../src/store/database.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import { asked, storeContract, T0, uuid } from './store-contract.ts'
import { lockElsewhere } from './support/lock.ts'
import { temporaryFolder } from './support/server.ts'
import { tampering } from './support/tampering.ts'

async function openStore(path: string, patienceMs = 5000): Promise<{ store: Store; db: Database.Database }> {
  const { db } = await openDatabase(path, T0)
  return { db, store: createSqliteStore(db, { patienceMs }) }
}

storeContract('SQLite', async () => {
  const dir = temporaryFolder()
  return { store: (await openStore(`${dir.path}/security.db`)).store, remove: dir.remove }
})

describe('the SQLite store', () => {
  let dir: ReturnType<typeof temporaryFolder>
  let path: string
  let store: Store
  let db: Database.Database

  beforeEach(async () => {
    dir = temporaryFolder()
    path = `${dir.path}/security.db`
    ;({ store, db } = await openStore(path, 400))
    await store.seedRoles(T0)
    await store.addUser({ user_id: 'dev_user', role: 'developer', username: null, token_sha256: 'x' }, 'server', T0)
  })
  afterEach(async () => {
    await store.close()
    dir.remove()
  })

  test('commits durably: WAL, with synchronous FULL also after reopening', async () => {
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
    await store.close()
    ;({ store, db } = await openStore(path))
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
  })

  test('writes that arrive together share a transaction, and each caller gets its own answer', async () => {
    const transactions = () => db.prepare('SELECT count(*) FROM approval_events').pluck().get() as number
    const before = transactions()
    const other = new Database(path)
    const version = other.pragma('data_version', { simple: true }) as number
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => store.create(asked(n + 1), 100)))
    expect(new Set(results.map((r) => r.request.request_id)).size).toBe(50)
    expect(transactions() - before).toBe(50)
    // data_version counts commits that another connection sees: far fewer than there were writes.
    expect((other.pragma('data_version', { simple: true }) as number) - version).toBeLessThan(10)
    other.close()
  })

  test('the record refuses UPDATE and DELETE', async () => {
    await store.create(asked(1), 50)
    expect(() => db.prepare("UPDATE approval_events SET actor = 'x'").run()).toThrow('append-only')
    expect(() => db.prepare('DELETE FROM approval_events').run()).toThrow('append-only')
  })

  describe('the audit finds it when, by one statement on the file,', () => {
    const admin = { user_id: 'admin_user', role: 'admin' } as const
    const dev = { user_id: 'dev_user', role: 'developer' } as const
    const decide = (n: number, status: 'approved' | 'rejected') =>
      store.transition([{ request_id: uuid(n), to: status, at: T0 + 1000, actor: 'admin_user', reason: 'r' }], admin)

    // 1 is pending, 2 approved and used, 3 rejected, 4 was left by the old system.
    beforeEach(async () => {
      await store.addUser({ user_id: 'admin_user', role: 'admin', username: null, token_sha256: 'y' }, 'server', T0)
      db.exec(`INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at)
        VALUES ('${uuid(4)}', 'old', 'dev_user', 'developer', 'timeout', '2025-10-24 09:00:00', '2025-10-24 09:05:00')`)
      recordAdoption(db, '/backup', T0)
      for (const n of [1, 2, 3]) await store.create(asked(n), 50)
      await decide(2, 'approved')
      await decide(3, 'rejected')
      const use = { request_id: uuid(2), digest: asked(2).digest, at: T0 + 2000, decidedAfter: T0, actor: 'dev_user' }
      expect(await store.consume(use, dev)).toBeDefined()
      expect(await verifyAudit(store)).toMatchObject({ ok: true, requests: 4, problems: [] })
    })

    test.each(tampering(5, 8))('%s', async (_what, sql) => {
      const triggers = ['approval_events_no_update', 'approval_events_no_delete', 'approval_events_in_order']
      const created = triggers.map((name) =>
        db.prepare('SELECT sql FROM sqlite_master WHERE name = ?').pluck().get(name),
      )
      for (const name of triggers) db.exec(`DROP TRIGGER ${name}`)
      db.exec(sql)
      if (sql !== 'SELECT 1') for (const text of created) db.exec(text as string)
      const result = await verifyAudit(store)
      expect(result.problems.length).toBeGreaterThan(0)
      expect(result.ok).toBe(false)
    })

    test('a record that was cut goes unnoticed only until it is compared with an earlier end', async () => {
      const { head } = await verifyAudit(store)
      expect((await verifyAudit(store, head!)).ok).toBe(true)
      expect((await verifyAudit(store, { seq: 99, hash: 'f'.repeat(64) })).problems[0]?.what).toContain(
        'cut or rewritten',
      )
    })
  })

  test('a record that was cut under the running server stops every write', async () => {
    await store.create(asked(1), 50)
    db.exec('DROP TRIGGER approval_events_no_delete; DELETE FROM approval_events WHERE seq > 1')
    await expect(store.create(asked(2), 50)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(store.failure()).toBeDefined()
  })

  test('a REPLACE cannot slip past the trigger that refuses to delete', async () => {
    await store.create(asked(1), 50)
    const replace = "INSERT OR REPLACE INTO approval_events VALUES (1, '', '', NULL, '', '{}', '', '')"
    expect(() => db.exec(replace)).toThrow('append-only')
  })

  test('two stores on one file never both decide, and their events are one chain', async () => {
    const { store: second } = await openStore(path)
    for (let n = 1; n <= 20; n++) await store.create(asked(n), 100)
    const decide = (by: Store, n: number, status: 'approved' | 'rejected') =>
      by.transition([{ request_id: uuid(n), to: status, at: T0 + 1, actor: 'a', reason: 'r' }], {
        user_id: 'dev_user',
        role: 'developer',
      })
    for (let n = 1; n <= 20; n++) {
      const answers = await Promise.all([decide(store, n, 'approved'), decide(second, n, 'rejected')])
      expect(answers.filter((a) => a !== undefined)).toHaveLength(1)
    }
    expect(await store.changedElsewhere()).toBe(true)
    expect(await verifyAudit(second)).toMatchObject({ ok: true, requests: 20 })
    await second.close()
  })

  test('a lock that another process gives back in time costs no caller anything', async () => {
    await store.close()
    // In time is as long as it takes: the other process may have to wait for a CPU.
    ;({ store, db } = await openStore(path, 60_000))
    const unlock = await lockElsewhere(path)
    const write = store.create(asked(1), 50)
    const alive = new Promise((resolve) => setTimeout(resolve, 100, 'the event loop goes on'))
    expect(await Promise.race([write, alive])).toBe('the event loop goes on')
    await unlock()
    expect((await write).request.request_id).toBe(uuid(1))
  })

  test('a lock that stays makes writers fail with store_unavailable, and nothing of theirs is stored', async () => {
    const holder = new Database(path)
    holder.exec('BEGIN IMMEDIATE')
    await expect(store.create(asked(1), 50)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await store.get(uuid(1))).toBeUndefined()
    holder.exec('ROLLBACK')
    expect((await store.create(asked(1), 50)).joined).toBe(false)
    holder.close()
  })

  test('a full database refuses the write, keeps what it had and works again when there is room', async () => {
    await store.create(asked(1), 50)
    db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`)
    const big = 'x'.repeat(100_000)
    const results = await Promise.allSettled([2, 3, 4].map((n) => store.create(asked(n, { code: `${n}${big}` }), 50)))
    expect(results.every((r) => r.status === 'rejected' && r.reason.code === 'store_unavailable')).toBe(true)
    expect((await store.open(T0, 10)).count).toBe(1)
    db.pragma('max_page_count = 1000000')
    await store.create(asked(5), 50)
    expect(await verifyAudit(store)).toMatchObject({ ok: true, requests: 2 })
  })

  test('a database file that was replaced under the server is noticed before anything is written into the old one', async () => {
    renameSync(path, `${path}.old`)
    copyFileSync(`${path}.old`, path)
    await expect(store.create(asked(1), 50)).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test.each([
    ['another program', 'CREATE TABLE bookmarks (x)', 'database of another program'],
    ['a newer version', 'PRAGMA application_id = 1095782224; PRAGMA user_version = 99', 'newer approval-ops'],
  ])('a database of %s is refused and left alone', async (_what, sql, message) => {
    const foreign = `${dir.path}/foreign.db`
    const made = new Database(foreign)
    made.exec(sql)
    made.close()
    await expect(openDatabase(foreign, T0)).rejects.toThrow(message)
  })
})
