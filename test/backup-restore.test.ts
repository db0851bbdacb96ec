import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { lockDatabase } from '../src/store/backup.ts'
import { whoHasOpen } from '../src/system/open-files.ts'
import { asked } from './store-contract.ts'
import { addUsers, moveOld, openDesk } from './support/archives.ts'
import { appendRequests, backup, createDesk, killedAt, NOW, REASON, RESTORE, soundRequests } from './support/backup.ts'
import { type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

const DAY = 86_400_000

let folder: ReturnType<typeof temporaryFolder>
let dir: string
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
})
afterEach(() => folder.remove())

const at = (...parts: string[]) => join(dir, ...parts)
const aside = () => readdirSync(dir).find((name) => /before-restore-[\dT.]+Z$/.test(name))

describe('with the real server', () => {
  let server: RunningServer
  afterEach(() => server.kill('SIGKILL'))
  const asked = async () => {
    const { json } = await server.call('GET', '/api/approvals/pending')
    return json.pending_approvals.map((request: { request_id: string }) => request.request_id).sort()
  }
  const start = () => startServer(dir, { APPROVAL_TIMEOUT: '86400' })

  test('backed up while it works; refused while it runs; restored after a crash; it starts, answers and records', async () => {
    server = await start()
    const kept = [await server.ask(), await server.ask()].map(({ request_id }) => request_id).sort()
    const taken = await backup(dir)
    expect([taken.code, taken.stderr]).toEqual([0, ''])
    const later = [...kept, (await server.ask()).request_id].sort()

    const live = await backup(dir, RESTORE)
    expect([live.code, live.stdout]).toEqual([2, ''])
    expect(live.stderr).toContain(`server.ts --no-scheduler (pid ${server.child.pid}). Nothing was changed. fuser -v `)
    expect((await backup(dir, ['restore', 'latest', '--dry-run'])).code).toBe(2)
    expect(await asked()).toEqual(later)
    expect(aside()).toBeUndefined()

    await server.kill('SIGKILL')
    expect(statSync(at('security.db-wal')).size).toBeGreaterThan(0)
    chmodSync(at('security.db'), 0o640)
    const done = await backup(dir, RESTORE)
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^OK: restored from security-\S+ and verified/)])
    expect(done.stderr).toContain('1 request and 1 event of the record are lost')
    expect((statSync(at('security.db')).mode & 0o777).toString(8)).toBe('640')
    for (const side of ['-wal', '-shm', '-journal']) expect(existsSync(at(`security.db${side}`))).toBe(false)
    const [line] = readFileSync(at('backups', 'restores.jsonl'), 'utf8').trim().split('\n')
    expect(JSON.parse(line!)).toMatchObject({ target: at('security.db'), aside: at(aside()!), reason: REASON })

    server = await start()
    expect(await asked()).toEqual(kept)
    // The tokens beside it still work, and the record goes on where the backup ended.
    const { status } = await server.call('POST', `/api/approvals/${kept[0]}/approve`, { reason: 'looks fine' })
    expect(status).toBe(200)
    const { json } = await server.call('GET', '/health')
    expect(json.status).toBe('ok')
    await server.kill('SIGTERM')
    const old = new Database(at(aside()!), { readonly: true })
    expect(old.prepare('SELECT count(*) FROM approval_requests').pluck().get(), 'what was there is kept').toBe(3)
    old.close()
  })

  test('does not start on a database that is being restored, and makes none in its place', async () => {
    server = await start()
    await server.ask()
    expect((await backup(dir)).code).toBe(0)
    await server.kill('SIGTERM')
    await killedAt(dir, 'moved db', RESTORE)
    await expect(start()).rejects.toThrow(/being restored from a backup, or that was cut off: npm run backup -- resume/)
    expect(existsSync(at('security.db'))).toBe(false)
    expect((await backup(dir, ['resume'])).code).toBe(1)
    server = await start()
    expect(await asked()).toHaveLength(1)
  })
})

describe('what is put back', () => {
  test.each<[string, () => void]>([
    ['damaged beyond reading', () => writeFileSync(at('security.db'), 'x'.repeat(5000))],
    ['gone', () => {}],
  ])('takes the place of a database that is %s', async (how, damage) => {
    createDesk(dir, 20).close()
    await backup(dir)
    for (const side of ['', '-wal', '-shm']) rmSync(at(`security.db${side}`), { force: true })
    damage()
    const plan = await backup(dir, ['restore', 'latest', '--dry-run'])
    expect(plan.code).toBe(0)
    expect(plan.stdout).toContain(how === 'gone' ? 'does not exist now' : 'what is lost is unknown')
    expect((await backup(dir, RESTORE)).code).toBe(0)
    expect(soundRequests(at('security.db'))).toBe(20)
    if (how === 'gone') expect(aside()).toBeUndefined()
    else expect(readFileSync(at(aside()!), 'utf8')).toBe('x'.repeat(5000))
  })

  test('says of a record that does not continue the backup that these are two histories', async () => {
    createDesk(dir, 20).close()
    await backup(dir)
    for (const side of ['', '-wal', '-shm']) rmSync(at(`security.db${side}`), { force: true })
    const other = createDesk(dir, 0)
    other.exec(
      "INSERT INTO approval_events VALUES (1, '2026-11-26 00:00:00.000', 'server_started', NULL, 'server', '{}', '', 'ab')",
    )
    other.close()
    const plan = await backup(dir, ['restore', 'latest', '--dry-run'])
    expect(plan.stdout.replace(/\s+/g, ' ')).toContain('these are two different histories')
  })

  test('counts what is lost although months were moved out since, and calls it no other history', async () => {
    const desk = await openDesk(at('security.db'), NOW)
    const ask = async (n: number, asked_at: number) => {
      await desk.store.create(asked(n, { at: asked_at, expires_at: asked_at + 1 }), 20)
      await desk.store.expireDue(asked_at + 1, 20)
    }
    await addUsers(desk.store, NOW - 90 * DAY)
    for (const n of [1, 2, 3]) await ask(n, NOW - 90 * DAY + 10 * n)
    expect((await backup(dir)).code).toBe(0)
    for (const n of [4, 5]) await ask(n, NOW - 10 * n)
    expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
    await desk.store.close()
    const { stdout } = await backup(dir, ['restore', 'latest', '--dry-run'])
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/^WARNING: 2 requests and 5 events of the record are lost/)
  })

  test.each([
    ['placed', 1, 20],
    ['noted', 2, 33],
  ])('when it goes wrong at "%s" the old one comes back: exit %i', async (point, code) => {
    const db = createDesk(dir, 20)
    await backup(dir)
    appendRequests(db, 13)
    db.close()
    let holder: Database.Database | undefined
    const pause = async (moment: string) => {
      if (moment !== point) return
      if (point === 'placed') writeFileSync(at('security.db'), readFileSync(at('security.db')).fill(0x58, 8192, 40_000))
      else {
        // Somebody comes in between the plan and the first move, and does nothing but have it open.
        holder = new Database(at('security.db'))
        holder.prepare('SELECT count(*) FROM approval_requests').get()
      }
    }
    const ran = await backup(dir, RESTORE, { seams: { pause } })
    holder?.close()
    expect([ran.code, ran.stdout]).toEqual([code, ''])
    expect(ran.stderr).toMatch(code === 1 ? /is back in its place/ : /Somebody has the database open/)
    expect(soundRequests(at('security.db'))).toBe(33)
    expect(readdirSync(dir).filter((name) => /restor/.test(name))).toEqual([])
  })
})

describe('who has a database open', () => {
  test('is seen by the lock, also when it only reads and does nothing, and looking changes no byte', async () => {
    const path = at('security.db')
    const db = createDesk(dir, 5)
    const bytes = () => ['', '-wal'].map((side) => readFileSync(path + side).toString('base64'))
    const before = bytes()
    expect(lockDatabase(path)).toBe('open')
    const reader = new Database(path, { readonly: true })
    reader.prepare('SELECT count(*) FROM approval_requests').get()
    expect(bytes()).toEqual(before)
    db.close()
    expect(lockDatabase(path)).toBe('open')
    reader.close()
    const lock = lockDatabase(path)
    if (typeof lock === 'string') throw new Error(lock)
    const script = `new (require('better-sqlite3'))(${JSON.stringify(path)}, { timeout: 0 }).prepare('SELECT count(*) FROM approval_requests').get()`
    const other = spawn(process.execPath, ['-e', script], { cwd: ROOT })
    expect((await once(other, 'exit'))[0], 'nobody else gets in').not.toBe(0)
    lock.release()
    expect(lockDatabase(at('none.db'))).toBe('unknown')
    writeFileSync(at('none.db'), 'no database')
    expect(lockDatabase(at('none.db'))).toBe('unknown')
    expect(readdirSync(dir).filter((name) => /restore-lock/.test(name))).toEqual([])
  })

  test.skipIf(!existsSync('/proc/self/fd'))(
    'is seen by process, also through another name, and not where there is no /proc',
    async () => {
      writeFileSync(at('file'), '')
      const holder = spawn('sleep', ['60'], {
        stdio: [openSync(at('file'), 'r'), 'ignore', 'ignore'],
      })
      try {
        // A program has its words a moment after it was started.
        await until('it is sleep', () => readFileSync(`/proc/${holder.pid}/cmdline`, 'utf8') !== '')
        const seen = await whoHasOpen([at('file'), at('absent')])
        expect(seen?.holders).toEqual([{ pid: holder.pid, program: 'sleep 60' }])
        expect(await whoHasOpen([at('file')], at('no-proc'))).toBeNull()
        expect(await whoHasOpen([at('absent')])).toMatchObject({ holders: [] })
      } finally {
        holder.kill('SIGKILL')
        await once(holder, 'exit')
      }
    },
  )

  test('who cannot be looked at is said in the plan', async () => {
    createDesk(dir, 5).close()
    await backup(dir, [], { seams: { now: NOW } })
    expect((await backup(dir, ['restore', 'latest', '--dry-run'])).stdout).toMatch(
      /Nobody has it open \(exclusive lock taken/,
    )
    writeFileSync(at('security.db'), 'no database')
    expect((await backup(dir, ['restore', 'latest', '--dry-run'])).stdout.replace(/\s+/g, ' ')).toMatch(
      /too damaged to be locked/,
    )
  })
})
