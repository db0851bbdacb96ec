import {
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Config, loadConfig } from '../src/config.ts'
import { createContext } from '../src/context.ts'
import { checkDisk, diskFinding } from '../src/jobs/check-database.ts'
import { readRecords, recordFindings } from '../src/jobs/check-records.ts'
import type { JobContext } from '../src/jobs/job.ts'
import { sqlTime } from '../src/sql.ts'
import { openDatabase } from '../src/store/database.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import type { FileFacts } from '../src/system/system.ts'
import { environment, temporaryFolder } from './support/server.ts'

const NOW = Date.parse('2026-11-22T00:00:00Z')
const HOUR = 3_600_000
const AROUND = { now: NOW, maxPending: 50, answers: true }

let folder: ReturnType<typeof temporaryFolder>
let config: Config
beforeEach(() => {
  folder = temporaryFolder()
  config = loadConfig(environment(folder.path))
})
afterEach(() => folder.remove())

const path = () => config.settings.SECURITY_DB_PATH
const context = (system: Partial<JobContext['system']> = {}): JobContext => {
  const { signal } = new AbortController()
  const base = createContext({ settings: config.settings, zone: 'Asia/Seoul', now: NOW, timeoutMs: 60_000, signal })
  return { ...base, system: { ...base.system, ...system } }
}

async function findings(over?: Partial<JobContext['system']>) {
  const records = await readRecords(context(over), 20_000)
  return Object.fromEntries(recordFindings(records, AROUND).map((finding) => [finding.check, finding]))
}

/** A desk with three events and whatever rows a test adds. */
async function desk(fill: (db: Database.Database) => void = () => {}): Promise<void> {
  const { db } = await openDatabase(path(), NOW - 48 * HOUR)
  const store = createSqliteStore(db)
  for (const [n, type] of (['server_started', 'config_reloaded', 'server_stopped'] as const).entries()) {
    await store.append({ type, request_id: null, actor: 'server', at: NOW - 48 * HOUR + n, data: {} })
  }
  fill(db)
  await store.close()
}

let serial = 0
function request(db: Database.Database, at: number, status: string, more: Record<string, unknown> = {}): string {
  const request_id = `${String(++serial).padStart(8, '0')}-0000-4000-8000-000000000000`
  const row = {
    ...{ request_id, tool_name: 'execute_python', user_id: 'dev_user', role: 'developer', request_data: '{}', status },
    ...{ requested_at: sqlTime(at), expires_at: sqlTime(at + 300_000), server: '', ...more },
  }
  const columns = Object.keys(row)
  const places = columns.map((column) => `:${column}`)
  db.prepare(`INSERT INTO approval_requests (${columns}) VALUES (${places})`).run(row)
  return request_id
}

describe('a sound database', () => {
  it('is read, and nothing is written', async () => {
    await desk()
    const before = readFileSync(path())
    const found = await findings()
    expect(found.database).toMatchObject({ state: 'ok', code: 'readable', facts: { db_bytes: before.length } })
    expect(found.audit).toMatchObject({ state: 'ok', code: 'intact', facts: { checked: 3, seq: 3 } })
    expect(found.open).toMatchObject({ state: 'ok', code: 'none' })
    expect(found.zombies).toMatchObject({ state: 'ok', code: 'none' })
    expect(found.yesterday).toMatchObject({ state: 'ok', code: 'none' })
    expect(readFileSync(path()).equals(before)).toBe(true)
  })

  it('tells open requests: how many, since when, how long', async () => {
    await desk((db) => {
      request(db, NOW - 120_000, 'pending')
      request(db, NOW - 60_000, 'pending')
      request(db, NOW - 60_000, 'pending', { server: 'ops-canary' })
    })
    const { open } = await findings()
    expect(open).toMatchObject({
      state: 'ok',
      code: 'some',
      facts: { open: 2, max: 50, oldest_at: '2026-11-21T23:58:00.000Z', least_ms: 180_000 },
    })
  })

  it('tells zombies of any age, drills included, but not what expired this moment', async () => {
    let old = ''
    await desk((db) => {
      old = request(db, NOW - 400 * 24 * HOUR, 'pending')
      request(db, NOW - HOUR, 'pending', { server: 'ops-canary' })
      request(db, NOW - 300_000 - 1000, 'pending')
    })
    const { zombies } = await findings()
    expect(zombies).toMatchObject({ state: 'warning', code: 'some', facts: { zombies: 2 } })
    expect(zombies?.since).toBe('2025-10-18T00:05:00.000Z')
    expect(zombies?.next_command).toBe(`npx approval show ${old.slice(0, 8)}`)
  })

  it("tells yesterday in the team's zone, beside the same weekday of the week before", async () => {
    const yesterday = Date.parse('2026-11-20T15:00:00Z')
    const answer = (at: number) => ({ responded_at: sqlTime(at + 9000), responder_id: 'admin_user' })
    await desk((db) => {
      request(db, yesterday - 1, 'approved', answer(yesterday - 1))
      request(db, yesterday, 'approved', answer(yesterday))
      request(db, yesterday + HOUR, 'rejected', answer(yesterday + HOUR + 1000))
      request(db, yesterday + 2 * HOUR, 'expired')
      request(db, yesterday + 3 * HOUR, 'timeout')
      request(db, yesterday + 4 * HOUR, 'cancelled')
      request(db, yesterday + 5 * HOUR, 'expired', { server: 'ops-canary' })
      request(db, yesterday + 24 * HOUR, 'cancelled')
      request(db, yesterday - 7 * 24 * HOUR, 'approved', answer(yesterday - 7 * 24 * HOUR))
    })
    const { yesterday: numbers } = await readRecords(context(), 20_000)
    expect(numbers?.day).toMatchObject({
      date: '2026-11-21',
      ...{ total: 5, open: 0, unanswered: 2, decided: 2, approved: 1, rejected: 1, cancelled: 1, odd_rows: 0 },
      ...{ approval_rate: { k: 1, n: 2 }, answered_rate: { k: 2, n: 4 }, p50_ms: 9000 },
      ...{ p90_ms: 10_000, p95_ms: 10_000, max_ms: 10_000 },
    })
    expect(numbers?.week_before).toMatchObject({ date: '2026-11-14', total: 1 })
    const facts = { total: 5, before: 1, before_date: '2026-11-14' }
    expect((await findings()).yesterday).toMatchObject({ state: 'ok', code: 'compared', facts })
  })

  it('compares with nothing before there was a desk, and a silent day with the one that was not', async () => {
    await desk((db) => request(db, NOW - 20 * HOUR, 'cancelled'))
    expect((await readRecords(context(), 20_000)).yesterday?.week_before).toBeNull()
    expect((await findings()).yesterday).toMatchObject({ state: 'ok', code: 'numbers', facts: { total: 1 } })
  })

  it('says of a day before its record begins that nothing is known of it, and does not call that OK', async () => {
    const { db } = await openDatabase(path(), NOW - HOUR)
    const store = createSqliteStore(db)
    await store.append({ type: 'server_started', request_id: null, actor: 'server', at: NOW - HOUR, data: {} })
    await store.close()
    const begins_at = new Date(NOW - HOUR).toISOString()
    const { yesterday, rejections } = await findings()
    expect(yesterday).toMatchObject({ state: 'skipped', code: 'before_record', facts: { begins_at } })
    expect(rejections).toMatchObject({ state: 'skipped', code: 'before_record', facts: { begins_at } })
    expect((await readRecords(context(), 20_000)).yesterday?.record_begins).toBe(begins_at)
  })

  it('says of a day without requests what the week before had', async () => {
    await desk((db) => request(db, NOW - 8 * 24 * HOUR, 'cancelled'))
    const facts = { total: 0, before: 1, before_date: '2026-11-14' }
    expect((await findings()).yesterday).toMatchObject({ state: 'ok', code: 'none_compared', facts })
  })

  it('counts and shows rows that make no sense', async () => {
    await desk((db) => {
      request(db, NOW - 20 * HOUR, 'weird')
      request(db, NOW - 20 * HOUR, 'approved')
    })
    expect((await findings()).yesterday).toMatchObject({ state: 'warning', code: 'odd', facts: { odd: 2 } })
  })

  it('tells how long the gate was off in 24 hours', async () => {
    const { db } = await openDatabase(path(), NOW - 48 * HOUR)
    const store = createSqliteStore(db)
    const note = (type: 'gate_off' | 'gate_on', at: number, data = {}) =>
      store.append({ type, request_id: null, actor: 'server', at, data })
    const until = new Date(NOW - 22 * HOUR).toISOString()
    await note('gate_off', NOW - 30 * HOUR, { until: null, cause: 'APPROVAL_WORKFLOW_ENABLED' })
    await note('gate_on', NOW - 23.5 * HOUR)
    await note('gate_off', NOW - 23 * HOUR, { until, cause: 'APPROVAL_DISABLED_UNTIL' })
    await store.close()
    expect((await readRecords(context(), 20_000)).gateOff).toEqual([
      { from: NOW - 24 * HOUR, until: NOW - 23.5 * HOUR },
      { from: NOW - 23 * HOUR, until: NOW - 22 * HOUR },
    ])
  })

  it('tells each call that ran without approval in 24 hours, drills excepted', async () => {
    const { db } = await openDatabase(path(), NOW - 48 * HOUR)
    const store = createSqliteStore(db)
    const ran = (at: number, tool: string, server = '') => {
      const data = { server, tool, level: 'CRITICAL', digest: 'a'.repeat(64), arguments: '{}' }
      return store.append({ type: 'bypassed', request_id: null, actor: 'dev_user', at, data })
    }
    await ran(NOW - 25 * HOUR, 'too_long_ago')
    await ran(NOW - 24 * HOUR, 'execute_python')
    await ran(NOW - HOUR, 'write_file', 'files')
    await ran(NOW - HOUR, 'execute_python', 'ops-canary')
    await store.close()
    expect((await readRecords(context(), 20_000)).unapproved).toMatchObject({
      calls_total: 2,
      calls: [
        { at: new Date(NOW - 24 * HOUR).toISOString(), user_id: 'dev_user', server: '', tool_name: 'execute_python' },
        { server: 'files', tool_name: 'write_file', level: 'CRITICAL' },
      ],
    })
  })

  it('whose record was changed is critical', async () => {
    await desk((db) => {
      db.exec("DROP TRIGGER approval_events_no_update; UPDATE approval_events SET actor = 'nobody' WHERE seq = 2")
    })
    expect((await findings()).audit).toMatchObject({ state: 'critical', code: 'broken', facts: { seq: 2 } })
  })

  it('whose record has a hole is critical', async () => {
    await desk((db) => db.exec('DROP TRIGGER approval_events_no_delete; DELETE FROM approval_events WHERE seq = 2'))
    expect((await findings()).audit).toMatchObject({ state: 'critical', code: 'broken', facts: { seq: 3 } })
  })

  it('with a request that the record does not know is critical', async () => {
    let id = ''
    await desk((db) => {
      id = request(db, NOW - HOUR, 'approved', { digest: 'a'.repeat(64) })
    })
    expect((await findings()).audit).toMatchObject({
      state: 'critical',
      code: 'unrecorded',
      facts: { id: id.slice(0, 8) },
    })
  })
})

/** All that needs the database says that it could not be measured; the database says why. */
async function expectUnread(state: string, code: string, facts: object, next: string | RegExp): Promise<void> {
  const found = await findings()
  expect(found.database).toMatchObject({ state, code, facts })
  expect(found.database?.next_command).toMatch(next)
  for (const check of ['open', 'zombies', 'audit', 'yesterday']) {
    expect(found[check]).toMatchObject({ state: 'unknown', code: 'unmeasured' })
  }
}

describe('a database that cannot be used', () => {
  it('because it is missing is not created', async () => {
    await expectUnread('unknown', 'unreadable', { cause: 'missing' }, 'npm start')
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('because it is empty stays empty', async () => {
    writeFileSync(path(), '')
    await expectUnread('unknown', 'unreadable', { cause: 'empty' }, 'npm start')
    expect(statSync(path()).size).toBe(0)
    expect(readdirSync(folder.path)).toEqual(['security.db'])
  })

  it('because it is a folder', async () => {
    mkdirSync(path())
    await expectUnread('unknown', 'no_file', {}, 'SECURITY_DB_PATH')
  })

  it('because it belongs to another program', async () => {
    new Database(path()).exec('CREATE TABLE songs (name)').close()
    const tables = ['approval_requests', 'approval_events', 'security_users']
    await expectUnread('unknown', 'foreign', { tables }, 'SECURITY_DB_PATH')
  })

  it('because it is still the old system\u2019s', async () => {
    new Database(path())
      .exec('CREATE TABLE approval_requests (request_id); CREATE TABLE security_users (user_id)')
      .close()
    await expectUnread('unknown', 'old', {}, 'npm start')
  })

  it('because its header is broken', async () => {
    await desk()
    writeSync(openSync(path(), 'r+'), 'x'.repeat(100), 0)
    await expectUnread('critical', 'unreadable', { cause: 'not_a_database' }, /integrity_check/)
  })

  it('because it was cut off', async () => {
    await desk()
    truncateSync(path(), 8192)
    await expectUnread('critical', 'unreadable', { cause: 'corrupt' }, /integrity_check/)
  })

  it('because another program holds it', async () => {
    await desk()
    const holder = new Database(path())
    holder.pragma('journal_mode = DELETE')
    holder.exec('BEGIN EXCLUSIVE')
    await expectUnread('unknown', 'unreadable', { cause: 'locked' }, /^fuser -v /)
    holder.close()
  })

  it('in a part only hides that part', async () => {
    await desk((db) => request(db, NOW - 20 * HOUR, 'expired'))
    const db = new Database(path(), { readonly: true })
    const { rootpage } = db
      .prepare("SELECT rootpage FROM sqlite_master WHERE name = 'approval_requests_report'")
      .get() as {
      rootpage: number
    }
    const size = db.pragma('page_size', { simple: true }) as number
    db.close()
    writeSync(openSync(path(), 'r+'), Buffer.alloc(size, 0xff), 0, size, (rootpage - 1) * size)
    const found = await findings()
    expect(found.database).toMatchObject({ state: 'critical', facts: { cause: 'corrupt' } })
    expect(found.yesterday?.state).toBe('unknown')
    const { gateOff } = await readRecords(context(), 20_000)
    expect(gateOff).toEqual([])
  })

  it('because its file system hangs is given up in time', async () => {
    await desk()
    const records = await readRecords(context({ stat: () => new Promise(() => {}) }), 200)
    expect(records.database).toMatchObject({ state: 'unknown', code: 'deadline', facts: { limit_millis: 200 } })
  })
})

describe('the WAL', () => {
  const MB = 1024 ** 2
  const file = (size: number): FileFacts => ({ kind: 'file', size, mtimeMs: 0, inode: 1, mode: 0o600, uid: 0 })
  const withSizes = async (db: number, wal: number) => {
    await desk()
    return (await findings({ stat: async (asked) => file(asked.endsWith('-wal') ? wal : db) })).database
  }

  it.each([
    ['of 64 MB is fine', 200 * MB, 64 * MB, 'ok'],
    ['above 64 MB is a warning', 200 * MB, 64 * MB + 1, 'warning'],
    ['above 512 MB is critical', 9000 * MB, 512 * MB + 1, 'critical'],
    ['larger than a database above 64 MB is critical', 65 * MB, 66 * MB, 'critical'],
    ['larger than a small database is no news', 1 * MB, 4 * MB, 'ok'],
  ])('%s', async (_, db, wal, state) => {
    expect((await withSizes(db, wal))?.state).toBe(state)
  })
})

describe('the disk', () => {
  const GB = 1024 ** 3
  it.each([
    ['with room', { free: 2 * GB, total: 9 * GB, type: 'ext4', remote: false }, 'ok', 'enough'],
    ['with less than 1 GB', { free: GB - 1, total: 9 * GB, type: 'ext4', remote: false }, 'warning', 'low'],
    ['with less than 100 MB', { free: 1000, total: 9 * GB, type: 'ext4', remote: false }, 'critical', 'low'],
    ['that is a Windows drive', { free: 2 * GB, total: 9 * GB, type: '9p', remote: true }, 'critical', 'remote'],
  ])('%s', (_, facts, state, code) => {
    expect(diskFinding(facts, '/data')).toMatchObject({ check: 'disk', state, code })
  })

  it('that is not there cannot be measured', async () => {
    config = loadConfig(environment(join(folder.path, 'absent')))
    expect(await checkDisk(context())).toMatchObject({ state: 'unknown', code: 'missing' })
  })
})
