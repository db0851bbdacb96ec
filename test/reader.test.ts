import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { reportQueries } from '../src/queries.ts'
import { type Query, ReaderError, sqlTime } from '../src/sql.ts'
import { openReader, type ReaderOptions, type Statement } from '../src/store/reader.ts'
import { createDatabase, createOldDatabase, insertRequests } from './support/report-database.ts'

const NOW = Date.parse('2026-11-22T09:00:00Z')
const all = Object.values<Statement>(reportQueries)
const everything = { from: '2026', until: '2027', now: sqlTime(NOW) }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reader-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = (name = 'security.db') => join(folder, name)
const row = { requested_at: '2026-11-22 08:00:00.000' }

function failure(path: string, options: ReaderOptions = {}): string {
  try {
    const reader = openReader(path, all, options)
    reader.read((tx) => tx.one(reportQueries.periodTotals, everything))
    reader.close()
    return 'none'
  } catch (error) {
    if (error instanceof ReaderError) return error.code
    throw error
  }
}

describe('a database that cannot be read', () => {
  test('is missing, and stays missing', () => {
    expect(failure(file())).toBe('missing')
    expect(failure(file('no/such/folder.db'))).toBe('missing')
    expect(readdirSync(folder)).toEqual([])
  })

  test('is empty when it has no bytes, and when it has no tables', () => {
    writeFileSync(file(), '')
    expect(failure(file())).toBe('empty')
    expect(readFileSync(file())).toHaveLength(0)
    new Database(file('bare.db')).exec('VACUUM').close()
    const bare = new Database(file('bare.db'))
    bare.pragma('user_version = 1')
    bare.close()
    expect(failure(file('bare.db'))).toBe('empty')
  })

  test('is not a database', () => {
    writeFileSync(file(), 'hello, this is a text file and nothing else\n'.repeat(100))
    expect(failure(file())).toBe('not_a_database')
    mkdirSync(file('folder.db'))
    expect(failure(file('folder.db'))).toBe('not_a_database')
  })

  test('is damaged', () => {
    const db = createDatabase(file(), { wal: false })
    insertRequests(
      db,
      Array.from({ length: 2000 }, () => row),
    )
    db.close()
    truncateSync(file(), 4096 * 20)
    expect(failure(file())).toBe('corrupt')
  })

  test('is of another schema: the old system, or one without our columns', () => {
    createOldDatabase(file())
    expect(failure(file())).toBe('schema')
    const db = new Database(file('other.db'))
    db.exec('CREATE TABLE notes (text TEXT)')
    db.close()
    expect(failure(file('other.db'))).toBe('schema')
  })

  test('is locked by somebody else, and it waits no longer than it was told', () => {
    const db = createDatabase(file(), { wal: false })
    db.exec('BEGIN EXCLUSIVE')
    expect(failure(file(), { busyMs: 30 })).toBe('locked')
    db.exec('COMMIT')
    expect(failure(file(), { busyMs: 30 })).toBe('none')
    db.close()
  })

  // root may read everything, so somebody else has to try.
  test.skipIf(process.getuid?.() !== 0)(
    'may not be read by this user, or lies in a folder that takes no WAL files',
    () => {
      createDatabase(file()).close()
      const asNobody = (path: string) => {
        const script = `
        import { openReader } from ${JSON.stringify(join(ROOT, 'src/store/reader.ts'))}
        try { openReader(${JSON.stringify(path)}, []).close(); console.log('none') }
        catch (error) { console.log(error.code) }`
        const { stdout } = spawnSync(process.execPath, ['--import', 'tsx/esm', '--input-type=module', '-e', script], {
          ...{ uid: 65534, gid: 65534, cwd: ROOT, encoding: 'utf8' },
          env: { PATH: process.env.PATH, TMPDIR: '/tmp', TSX_DISABLE_CACHE: '1' },
        })
        return stdout.trim()
      }
      chmodSync(folder, 0o755)
      expect(asNobody(file())).toBe('permission')
      chmodSync(file(), 0o600)
      expect(asNobody(file())).toBe('permission')
      chmodSync(folder, 0o700)
      expect(asNobody(file())).toBe('permission')
    },
  )
})

describe('a live database', () => {
  test('is read while the server writes: one read sees one instant', () => {
    const writer = createDatabase(file())
    insertRequests(writer, [row])
    const reader = openReader(file(), all)
    const count = (tx: {
      one: (query: typeof reportQueries.periodTotals, p: typeof everything) => { row_count: number } | undefined
    }) => tx.one(reportQueries.periodTotals, everything)!.row_count
    const seen = reader.read((tx) => {
      const before = count(tx)
      insertRequests(writer, [row, row])
      return [before, count(tx)]
    })
    expect(seen).toEqual([1, 1])
    expect(reader.read(count)).toBe(3)
    writer.exec('BEGIN EXCLUSIVE')
    expect(reader.read(count)).toBe(3)
    writer.exec('ROLLBACK')
    reader.close()
    writer.close()
  })

  test('is never written', () => {
    const db = createDatabase(file(), { wal: false })
    insertRequests(db, [row])
    db.close()
    const before = readFileSync(file())
    const insert = { file: 'x', sql: "INSERT INTO security_roles (role_name) VALUES ('x')" } as Query<object, never>
    const reader = openReader(file(), [...all, insert])
    expect(() => reader.read((tx) => tx.all(insert, {}))).toThrow()
    reader.close()
    expect(readFileSync(file()).equals(before)).toBe(true)
    expect(existsSync(file('security.db-journal'))).toBe(false)
  })

  test('hands rows over one by one, and stops between them when it is told to', () => {
    const db = createDatabase(file())
    insertRequests(
      db,
      Array.from({ length: 3000 }, () => row),
    )
    db.close()
    const ids = { file: 'ids', sql: 'SELECT request_id FROM approval_requests' } as Query<
      object,
      { request_id: string }
    >
    let rows = 0
    let checks = 0
    const check = () => {
      if (++checks > 2) throw new Error('enough')
    }
    const reader = openReader(file(), [ids], { check })
    const work = () =>
      reader.read((tx) => {
        for (const _ of tx.each(ids, {})) rows++
      })
    expect(work).toThrow('enough')
    expect(rows).toBeGreaterThan(0)
    expect(rows).toBeLessThan(3000)
    reader.close()
  })

  test('passes on a fault of the caller as it is', () => {
    createDatabase(file()).close()
    const reader = openReader(file(), [])
    expect(() => reader.read((tx) => tx.all(reportQueries.chainHead, {}))).toThrow('was not given to openReader')
    reader.close()
  })
})
