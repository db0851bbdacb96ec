import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { archiverChild } from '../src/archiver-child.ts'
import { monthsDue, nextMonth } from '../src/report/months.ts'
import { recordAdoption } from '../src/store/adoption.ts'
import { asked, uuid } from './store-contract.ts'
import {
  addUsers,
  archiveFiles,
  audit,
  chainOf,
  type Desk,
  everyRow,
  moveOld,
  openDesk,
  rowsOf,
} from './support/archives.ts'
import { temporaryFolder } from './support/server.ts'
import { tampering } from './support/tampering.ts'

const at = (text: string): number => Date.parse(`${text}+09:00`)
const NOW = at('2026-11-22T09:00')
const admin = { user_id: 'admin_user', role: 'admin' } as const
const dev = { user_id: 'dev_user', role: 'developer' } as const

let dir: ReturnType<typeof temporaryFolder>
let desk: Desk

beforeEach(async () => {
  dir = temporaryFolder()
  desk = await openDesk(`${dir.path}/security.db`, NOW)
})
afterEach(async () => {
  await desk.store.close()
  dir.remove()
})

const ask = (n: number, when: number) => desk.store.create(asked(n, { at: when, expires_at: when + 300_000 }), 50)
const decide = (n: number, to: 'approved' | 'rejected', when: number) =>
  desk.store.transition([{ request_id: uuid(n), to, at: when, actor: 'admin_user', reason: 'r' }], admin)
const use = (n: number, when: number) =>
  desk.store.consume(
    { request_id: uuid(n), digest: asked(n).digest, at: when, decidedAfter: when - 10_000, actor: 'dev_user' },
    dev,
  )
const note = (type: 'gate_off' | 'gate_on' | 'config_reloaded', when: number) =>
  desk.store.append({ type, request_id: null, actor: 'server', at: when, data: {} })
const insertOld = (n: number, requested: string | null, more = "'approved'") =>
  desk.db
    .prepare(
      `INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at)
       VALUES (?, 'old', 'dev_user', 'developer', ${more}, ?, '2026-01-01 00:00:00')`,
    )
    .run(uuid(n), requested)

const seen = (n: number, what: 'listed' | 'late', when: number) =>
  desk.store.recordLife([{ request_id: uuid(n), what, who: 'admin_user', first_at: when, last_at: when }])

/** A request that was asked, approved and used, one that was rejected and one that expired. */
async function busyDay(first: number, when: number): Promise<void> {
  for (let n = first; n < first + 3; n++) await ask(n, when)
  await seen(first, 'listed', when + 500)
  await decide(first, 'approved', when + 1000)
  await use(first, when + 2000)
  await decide(first + 1, 'rejected', when + 1000)
  await desk.store.expireDue(when + 300_000, 10)
}

const both = () => ['approval_requests', 'approval_events', 'request_life'].map((table) => everyRow(desk.path, table))

describe('months that are due', () => {
  const zone = 'Asia/Seoul'
  test('are whole calendar months of the zone, over for so many days', () => {
    const due = (now: string, oldest = '2025-10-31T23:59', last?: string) =>
      monthsDue({ oldest: at(oldest), last, now: at(now), zone }, 31).map(({ month }) => month)
    expect(due('2025-12-31T23:59')).toEqual(['2025-10'])
    expect(due('2026-01-01T00:00')).toEqual(['2025-10', '2025-11'])
    expect(due('2026-01-01T00:00', '2025-11-01T00:00')).toEqual(['2025-11'])
    expect(due('2026-01-01T00:00', '2025-10-31T23:59', '2025-10')).toEqual(['2025-11'])
    expect(due('2025-11-30T23:59')).toEqual([])
    expect(nextMonth('2025-12')).toBe('2026-01')
    const [october] = monthsDue({ oldest: at('2025-10-05T00:00'), last: undefined, now: NOW, zone }, 31)
    expect(october!.until).toBe(at('2025-11-01T00:00'))
  })
})

describe('what is older than RETENTION_DAYS', () => {
  test('is in one file a month, all of it, byte for byte, and the chain goes on across the cut', async () => {
    await addUsers(desk.store, at('2026-08-01T00:00'))
    insertOld(900, '2026-07-24 09:00:00')
    recordAdoption(desk.db, '/backup', at('2026-08-01T00:01'))
    await busyDay(1, at('2026-08-31T23:50'))
    await busyDay(11, at('2026-09-01T00:00'))
    await busyDay(21, at('2026-11-01T00:00'))
    const before = both()
    const { head } = await audit(desk)
    expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
    expect(archiveFiles(desk.folder)).toEqual(['2026-07.db', '2026-08.db', '2026-09.db'])
    const [requests, events, life] = both()
    expect(requests).toEqual(before[0])
    expect(life).toEqual(before[2])
    expect(rowsOf(desk.path, 'request_life')).toHaveLength(1)
    expect(events).toHaveLength(before[1]!.length + 3)
    expect(before[1]!.every((row) => events!.includes(row))).toBe(true)
    expect(chainOf(desk.path).seq).toBe(events!.length)
    expect(rowsOf(`${desk.folder}/2026-08.db`, 'approval_requests')).toHaveLength(3)
    expect(rowsOf(desk.path, 'approval_requests')).toHaveLength(3)
    const result = await audit(desk, head!)
    expect(result).toMatchObject({ ok: true, problems: [], requests: 10, events: events!.length })
    expect(result.archives).toMatchObject({ verified: 3, missing: [] })
    // Once it is done, it is done.
    expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
    expect(both()[1]).toEqual(events)
  })

  test('stays when it is younger, and when the setting says never', async () => {
    await addUsers(desk.store, at('2026-09-01T00:00'))
    await busyDay(1, at('2026-09-30T12:00'))
    await moveOld(desk, at('2026-10-31T23:59'))
    await moveOld(desk, NOW, {}, null)
    expect(archiveFiles(desk.folder)).toEqual([])
    await moveOld(desk, at('2026-11-01T00:00'))
    expect(archiveFiles(desk.folder)).toEqual(['2026-09.db'])
  })

  test('opens with the sqlite3 shell’s statements, and tells what it is', async () => {
    await addUsers(desk.store, at('2026-09-01T00:00'))
    await busyDay(1, at('2026-09-30T12:00'))
    await moveOld(desk, NOW)
    const file = new Database(`${desk.folder}/2026-09.db`, { readonly: true })
    const runbook = "SELECT status, count(*) AS n FROM approval_requests WHERE requested_at >= '2026-09-30' GROUP BY 1"
    expect(file.prepare(runbook).all()).toEqual([
      { status: 'approved', n: 1 },
      { status: 'expired', n: 1 },
      { status: 'rejected', n: 1 },
    ])
    expect(file.prepare("SELECT value FROM archive WHERE key = 'until'").pluck().get()).toBe('2026-09-30 15:00:00')
    file.close()
  })

  test('is not cut in the middle of a request, nor while the gate was off: that waits for the next month', async () => {
    await addUsers(desk.store, at('2026-08-01T00:00'))
    await busyDay(1, at('2026-08-30T12:00'))
    const { seq } = (await desk.store.lastEvent())!
    await ask(5, at('2026-08-31T23:59'))
    await decide(5, 'approved', at('2026-09-01T00:01'))
    await busyDay(11, at('2026-09-15T12:00'))
    const off = (await note('gate_off', at('2026-09-20T12:00'))).seq
    await busyDay(21, at('2026-09-21T12:00'))
    await note('gate_on', at('2026-10-02T12:00'))
    await moveOld(desk, NOW)
    const ends = (await desk.store.archives()).map(({ month, last_seq }) => [month, last_seq])
    expect(ends).toEqual([
      ['2026-08', seq],
      ['2026-09', off - 1],
    ])
    expect(await audit(desk)).toMatchObject({ ok: true })
    await moveOld(desk, at('2026-12-22T00:00'))
    expect(archiveFiles(desk.folder)).toHaveLength(3)
    expect(await audit(desk)).toMatchObject({ ok: true })
  })

  test('of the old system goes by its time; what has none stays, and nothing of it is lost', async () => {
    await desk.store.close()
    rmSync(desk.path)
    const old = new Database(desk.path)
    old.exec(`CREATE TABLE approval_requests (request_id TEXT PRIMARY KEY, tool_name TEXT NOT NULL, user_id TEXT NOT NULL,
        role TEXT NOT NULL, request_data TEXT, status TEXT DEFAULT 'pending', requested_at TEXT, responded_at TEXT,
        responder_id TEXT, response_reason TEXT, expires_at TEXT, ticket BLOB);
      CREATE TABLE security_users (user_id TEXT PRIMARY KEY, username TEXT, role_id INTEGER, created_at TEXT,
        updated_at TEXT, is_active INTEGER DEFAULT 1)`)
    const insert =
      old.prepare(`INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status,
      requested_at, expires_at, ticket) VALUES (?, 't', 'u', 'r', CAST(? AS TEXT), ?, ?, ?, ?)`)
    const times = [
      '2026-07-01 00:00:00',
      '1969-01-01 00:00:00',
      '2026-08-02 00:00:00.5',
      '2026-08-03T00:00:00',
      'x',
      '',
    ]
    const all = [...times, null, '2099-01-01 00:00:00', '2026-11-01 00:00:00']
    // Bytes that are no UTF-8 stay the bytes that they are.
    for (const [n, time] of all.entries())
      insert.run(uuid(n), Buffer.from([0xff, 0, 65]), n % 2 ? 'timeout' : null, time, time, Buffer.from([n]))
    // Pending when it was taken over: the desk closes it, and its own event says so.
    insert.run(uuid(50), Buffer.from('{}'), 'pending', 'nonsense', '2026-07-01 00:00:00', null)
    insert.run(uuid(51), Buffer.from('{}'), 'pending', '2026-07-01 00:00:00', '2099-01-01 00:00:00', null)
    old.close()
    desk = await openDesk(desk.path, at('2026-08-10T00:00'))
    await addUsers(desk.store, at('2026-08-10T00:00'))
    await desk.store.expireDue(at('2026-08-10T00:02'), 100)
    await busyDay(100, at('2026-08-10T12:00'))
    await note('config_reloaded', NOW)
    const before = both()
    expect(await audit(desk)).toMatchObject({ ok: true })
    expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
    expect(both()[0]).toEqual(before[0])
    expect(chainOf(desk.path).seq).toBe(both()[1]!.length)
    expect(await audit(desk)).toMatchObject({ ok: true, problems: [] })
    const left = desk.db.prepare('SELECT request_id FROM approval_requests ORDER BY 1').pluck().all()
    expect(left).toEqual([3, 4, 5, 6, 7, 8, 51].map(uuid))
  })

  test('is not moved when it is not provable: the file is thrown away, and somebody is told', async () => {
    await addUsers(desk.store, at('2026-09-01T00:00'))
    await busyDay(1, at('2026-09-30T12:00'))
    desk.db.exec(`UPDATE approval_requests SET responder_id = 'mallory' WHERE request_id = '${uuid(1)}'`)
    const before = both()
    const { errors } = await moveOld(desk, NOW)
    expect(errors).toEqual([expect.stringContaining('cannot be proven')])
    expect(archiveFiles(desk.folder)).toEqual([])
    expect(both()).toEqual(before)
  })

  test('leaves while others ask and decide: each gets its answer, and the record is whole', async () => {
    await addUsers(desk.store, at('2026-08-01T00:00'))
    for (let n = 0; n < 150; n++) await busyDay(10_000 + 3 * n, at('2026-08-02T12:00') + n * 3_600_000)
    let isMoving = true
    const archiver = archiverChild(new AbortController().signal)
    const moved = moveOld(desk, NOW, { archiver }).finally(() => {
      isMoving = false
    })
    let n = 0
    for (; isMoving; n++) {
      expect((await ask(n + 1, NOW + n)).joined).toBe(false)
      await decide(n + 1, 'approved', NOW + n + 1)
      expect(await use(n + 1, NOW + n + 2)).toBeDefined()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await moved).toEqual({ errors: [] })
    expect(n).toBeGreaterThan(3)
    expect(await audit(desk)).toMatchObject({ ok: true, requests: 450 + n })
    expect(chainOf(desk.path).seq).toBe(both()[1]!.length)
  })

  test('keeps what was seen of a request after it was copied: nothing of its life is lost', async () => {
    await addUsers(desk.store, at('2026-09-01T00:00'))
    await busyDay(1, at('2026-09-30T12:00'))
    const store = {
      ...desk.store,
      async archive(...args: Parameters<typeof desk.store.archive>) {
        await seen(1, 'late', NOW)
        return desk.store.archive(...args)
      },
    }
    expect(await moveOld({ ...desk, store }, NOW)).toEqual({ errors: [] })
    expect(rowsOf(`${desk.folder}/2026-09.db`, 'request_life')).toHaveLength(1)
    expect(rowsOf(desk.path, 'request_life')).toHaveLength(1)
    expect(await audit(desk)).toMatchObject({ ok: true, problems: [] })
  })

  test('is known by name where somebody asks for it by a rollback’s result: it is not recorded again', async () => {
    await addUsers(desk.store, at('2026-09-01T00:00'))
    const rollback = (finished_at: string) =>
      desk.store.appendOnce({
        ...{ type: 'rollback', request_id: null, actor: 'server', at: at('2026-09-10T00:00') },
        data: { id: '20260910T091500Z-cli-x3f2', finished_at },
      })
    expect(await rollback('2026-09-10T00:00:00.000Z')).toBeDefined()
    await note('config_reloaded', NOW)
    await moveOld(desk, NOW)
    expect(await rollback('2026-09-10T00:00:00.000Z')).toBeUndefined()
    expect(await rollback('2026-11-10T00:00:00.000Z')).toBeDefined()
  })
})

describe('with archives the audit still finds it when', () => {
  // As in test/store.test.ts, with two months before it that were moved out.
  beforeEach(async () => {
    await addUsers(desk.store, at('2026-07-01T00:00'))
    insertOld(4, '2026-11-01 09:00:00')
    insertOld(5, '2026-07-01 09:00:00')
    recordAdoption(desk.db, '/backup', at('2026-07-01T00:01'))
    await busyDay(101, at('2026-07-02T00:00'))
    await busyDay(201, at('2026-08-02T00:00'))
    for (const n of [1, 2, 3]) await ask(n, NOW)
    await decide(2, 'approved', NOW + 1000)
    await decide(3, 'rejected', NOW + 1000)
    expect(await use(2, NOW + 2000)).toBeDefined()
    expect(await moveOld(desk, NOW + 3000)).toEqual({ errors: [] })
    expect(archiveFiles(desk.folder)).toEqual(['2026-07.db', '2026-08.db'])
    expect(await audit(desk)).toMatchObject({ ok: true, problems: [], requests: 11 })
  })

  const GUARDS = ['approval_events', 'approval_archives'].flatMap((table) =>
    ['no_update', 'no_delete', 'in_order'].map((what) => `${table}_${what}`),
  )
  function onTheFile(sql: string): void {
    const created = GUARDS.map((name) =>
      desk.db.prepare('SELECT sql FROM sqlite_master WHERE name = ?').pluck().get(name),
    )
    for (const name of GUARDS) desk.db.exec(`DROP TRIGGER ${name}`)
    desk.db.exec(sql)
    if (sql !== 'SELECT 1') for (const text of created) desk.db.exec(text as string)
  }

  // Live begins with the three askings: 18, 19, 20; then the answers 21, 22, the use 23 and the two archives 24, 25.
  test.each([
    ...tampering(19, 22),
    ['the newest archive was unmade', 'DELETE FROM approval_events WHERE seq = 25'],
    ['an archive was unmade in the table', "DELETE FROM approval_archives WHERE month = '2026-07'"],
    [
      'an archive was made up',
      "INSERT INTO approval_archives VALUES ('2026-09', '2026-09.db', 'x', '', 18, 20, 'y', 3, 0)",
    ],
    ['the table names another file', "UPDATE approval_archives SET sha256 = 'f' WHERE month = '2026-08'"],
    ['more was deleted than was moved', 'DELETE FROM approval_events WHERE seq < 20; DELETE FROM approval_requests'],
    [
      'a request of the past was put in',
      "INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at, created_seq) VALUES ('x', 't', 'u', 'r', 'approved', '', '', 5)",
    ],
    [
      'an event of the past was put in',
      "INSERT INTO approval_events VALUES (5, '', 'created', 'x', 'u', '{}', '', '')",
    ],
    [
      'an old row of the past was put in',
      "INSERT INTO approval_requests (request_id, tool_name, user_id, role, status, requested_at, expires_at) VALUES ('x', 't', 'u', 'r', 'approved', '2026-07-02 00:00:00', '')",
    ],
  ])('%s', async (_what, sql) => {
    expect(desk.db.prepare('SELECT min(seq), max(seq) FROM approval_events').raw().get()).toEqual([18, 25])
    onTheFile(sql)
    const result = await audit(desk)
    expect(result.problems.length).toBeGreaterThan(0)
    expect(result.ok).toBe(false)
  })

  const file = (month: string) => join(desk.folder, `${month}.db`)
  test.each([
    [
      'an archive was edited',
      () => new Database(file('2026-07')).exec("UPDATE approval_requests SET user_id = 'x'").close(),
    ],
    ['one byte of it was changed', () => writeFileSync(file('2026-08'), flipped(readFileSync(file('2026-08'))))],
    ['it was cut short', () => writeFileSync(file('2026-08'), readFileSync(file('2026-08')).subarray(0, 4096))],
    ['it is another program’s file', () => writeFileSync(file('2026-08'), 'hello')],
    [
      'two were swapped',
      () => {
        renameSync(file('2026-07'), file('x'))
        renameSync(file('2026-08'), file('2026-07'))
        renameSync(file('x'), file('2026-08'))
      },
    ],
    ['one poses as the other', () => copyFileSync(file('2026-07'), file('2026-08'))],
  ])('%s', async (_what, change) => {
    change()
    const { ok, problems } = await audit(desk)
    expect(ok).toBe(false)
    expect(problems.map(({ what }) => what).join()).toContain('archive 2026-0')
  })

  test('an archive was edited and everything that vouches for it rewritten: an earlier end of the record tells', async () => {
    const known = { seq: 9, hash: 'f'.repeat(64) }
    expect((await audit(desk, known)).problems[0]?.what).toContain('cut or rewritten')
    const july = new Database(file('2026-07'), { readonly: true })
    const { hash } = july.prepare('SELECT hash FROM approval_events WHERE seq = 9').get() as { hash: string }
    july.close()
    expect((await audit(desk, { seq: 9, hash })).ok).toBe(true)
  })

  test('a file that is not there is missing, which is no broken record', async () => {
    renameSync(file('2026-07'), file('elsewhere'))
    const result = await audit(desk, { seq: 9, hash: 'f'.repeat(64) })
    expect(result).toMatchObject({ ok: true, archives: { verified: 1, missing: ['2026-07.db'] } })
    mkdirSync(file('2026-07'))
    expect((await audit(desk)).ok).toBe(false)
  })

  test('without the folder nobody claims to have verified the archives', async () => {
    const { verifyAudit } = await import('../src/approval/audit.ts')
    const result = await verifyAudit(desk.store)
    expect(result).toMatchObject({
      ok: true,
      events: 8,
      archives: { verified: 0, missing: ['2026-07.db', '2026-08.db'] },
    })
  })

  test('the record refuses to lose what is not archived, and the table of archives refuses any change', () => {
    for (const sql of [
      'DELETE FROM approval_events WHERE seq = 18',
      "INSERT OR REPLACE INTO approval_events VALUES (5, '', '', NULL, '', '{}', '', '')",
      "UPDATE approval_archives SET last_seq = 99 WHERE month = '2026-08'",
      'DELETE FROM approval_archives',
      "INSERT OR REPLACE INTO approval_archives VALUES ('2026-08', 'x', 'x', '', 18, 99, 'y', 3, 0)",
    ]) {
      expect(() => desk.db.exec(sql), sql).toThrow('append-only')
    }
  })
})

/** With another bit in the middle. */
function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const middle = copy.length >> 1
  copy[middle] = copy[middle]! ^ 1
  return copy
}
