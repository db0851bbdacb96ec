import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verifyAudit } from '../src/approval/audit.ts'
import { lockDatabase } from '../src/store/backup.ts'
import { openDatabase } from '../src/store/database.ts'
import { lockFile } from '../src/store/lock-file.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import { whoHasOpen } from '../src/system/open-files.ts'
import { createOldDatabase } from './support/report-database.ts'
import { temporaryFolder, until } from './support/server.ts'
import { startTogether, type Together } from './support/together.ts'

let dir: string
let remove: () => void
let together: Together | undefined
beforeEach(() => {
  const folder = temporaryFolder()
  dir = folder.path
  remove = folder.remove
})
afterEach(() => {
  together?.kill()
  remove()
})

const start = async (count: number): Promise<(work: string, path: string) => Promise<unknown[]>> => {
  const started = await startTogether(count, new URL('support/at-once.ts', import.meta.url))
  together = started
  return async (work, path) => (await started.all({ work, path, at: Date.now() + 5 })).sort()
}

describe('two processes in the same moment', () => {
  test('never shut each other out of a lock: one has it', async () => {
    const both = await start(2)
    for (let n = 0; n < 10; n++) {
      const path = `${dir}/${n}.db`
      lockFile(path)!()
      expect(await both('lock', path)).toEqual(['held', 'taken'])
    }
  })

  test('make a new database once', async () => {
    const both = await start(2)
    for (let n = 0; n < 20; n++) {
      expect(await both('openDatabase', `${dir}/${n}/security.db`)).toEqual(['made', 'opened'])
    }
  })

  test('adopt a database of the old system once, after one verified backup', async () => {
    const both = await start(2)
    for (let n = 0; n < 20; n++) {
      mkdirSync(`${dir}/${n}`)
      createOldDatabase(`${dir}/${n}/security.db`)
      expect(await both('openDatabase', `${dir}/${n}/security.db`)).toEqual(['adopted', 'opened'])
      expect(readdirSync(`${dir}/${n}/backups`)).toEqual([expect.stringMatching(/-before-adoption-.*Z\.db$/)])
    }
  })

  test('each find their token in the credentials file', async () => {
    const both = await start(2)
    for (let n = 0; n < 50; n++) {
      const path = `${dir}/${n}.json`
      expect(await both('saveToken', path)).toEqual(['done', 'done'])
      expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toHaveLength(2)
    }
  })

  test('keep the report of a day once, whole', async () => {
    const both = await start(2)
    for (let n = 0; n < 50; n++) {
      const folder = `${dir}/${n}`
      expect(await both('keepReport', folder)).toEqual(['kept', 'the same'])
      expect(readdirSync(folder).sort()).toEqual(['html', 'json', 'md'].map((ending) => `2026-11-22-daily.${ending}`))
    }
  })
})

test('an adoption is on record although the process that made it was killed when it had done nothing more', async () => {
  const path = `${dir}/security.db`
  createOldDatabase(path)
  const old = new Database(path)
  old.exec(`INSERT INTO security_users (user_id) VALUES ('dev_user');
    INSERT INTO approval_requests (request_id, tool_name, user_id, role) VALUES ('1', 'old', 'dev_user', 'developer')`)
  old.close()
  together = await startTogether(1, new URL('support/at-once.ts', import.meta.url))
  expect(await together.all({ work: 'openAndDie', path, at: Date.now() })).toEqual(['ended with null'])
  const { db, adopted } = await openDatabase(path, Date.now())
  const store = createSqliteStore(db)
  expect(adopted).toBeNull()
  expect(await verifyAudit(store)).toMatchObject({ ok: true, requests: 1, problems: [] })
  const [event, ...more] = await store.events(0, 10)
  expect(more).toEqual([])
  expect(event).toMatchObject({
    type: 'adopted',
    actor: 'server',
    data: { requests: 1, users: [{ user_id: 'dev_user' }] },
  })
  expect(existsSync(join(dir, String(event!.data.backup)))).toBe(true)
  await store.close()
})

test('a database that is moved aside while its opening waits for a lock is not taken for the one that lies there', async () => {
  const path = `${dir}/security.db`
  for (const one of [`${dir}/fresh.db`, path]) (await openDatabase(one, Date.now())).db.close()
  const lock = lockDatabase(path)
  if (typeof lock === 'string') throw new Error(lock)
  together = await startTogether(1, new URL('support/at-once.ts', import.meta.url))
  const answer = together.all({ work: 'openDatabase', path, at: Date.now() })
  await until('it has the file open', async () => (await whoHasOpen([path]))!.holders.length > 0)
  renameSync(path, `${path}.aside`)
  renameSync(`${dir}/fresh.db`, path)
  lock.release()
  expect(await answer).toEqual([`${path} was replaced while it was being opened. Try again`])
})

test('a database that somebody reads for ever is not waited for for ever', async () => {
  const path = `${dir}/security.db`
  createOldDatabase(path)
  const reader = new Database(path)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM approval_requests').get()
  await expect(openDatabase(path, Date.now())).rejects.toThrow(`${path}: database is locked`)
  reader.close()
})
