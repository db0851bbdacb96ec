import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { recordAdoption } from '../src/store/adoption.ts'
import { asked, uuid } from './store-contract.ts'
import {
  addUsers,
  archiveFiles,
  audit,
  chainOf,
  type Desk,
  everyRow,
  folderOf,
  moveOld,
  openDesk,
  rowsOf,
} from './support/archives.ts'
import { TSX, temporaryFolder } from './support/server.ts'

const OLD = Date.parse('2026-08-10T00:00:00Z')
const SEPTEMBER = Date.parse('2026-09-20T00:00:00Z')
const NOW = Date.parse('2026-11-22T00:00:00Z')
const admin = { user_id: 'admin_user', role: 'admin' } as const
const isRoot = process.getuid?.() === 0

let dir: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  dir = temporaryFolder()
})
afterEach(() => dir.remove())

/** Two old months of so many requests each, half of them decided, and one that waits now. */
async function fill({ store }: Desk, each: number): Promise<void> {
  await addUsers(store, OLD)
  for (const [month, from] of [OLD, OLD + 31 * 86_400_000].entries()) {
    const numbers = Array.from({ length: each }, (_, n) => 1000 * (month + 1) + n)
    await Promise.all(numbers.map((n) => store.create(asked(n, { at: from, expires_at: from + 1000 }), each + 1)))
    const half = numbers.filter((n) => n % 2 === 0)
    await store.transition(
      half.map((n) => ({ request_id: uuid(n), to: 'approved', at: from + 1, actor: 'admin_user', reason: 'r' })),
      admin,
    )
    await store.expireDue(from + 1000, each)
  }
  await store.create(asked(1, { at: NOW, expires_at: NOW + 1000 }), 10)
}

const rows = (path: string) => ({
  requests: everyRow(path, 'approval_requests'),
  events: everyRow(path, 'approval_events'),
  life: everyRow(path, 'request_life'),
})

describe('a server that is killed while it moves what is old', () => {
  let original: string
  let before: ReturnType<typeof rows>

  beforeEach(async () => {
    original = `${dir.path}/original.db`
    const desk = await openDesk(original, NOW)
    await fill(desk, 130)
    await desk.store.close()
    before = rows(original)
  })

  test.each([
    'copying',
    'copied',
    'before the file has its name',
    'before the record tells of it',
    'before anything was taken out',
    'requests taken out 1',
    'events taken out 1',
  ])('%s: loses nothing, and the next start completes it', async (step) => {
    mkdirSync(`${dir.path}/desk`)
    const path = `${dir.path}/desk/security.db`
    copyFileSync(original, path)
    const args = ['--import', TSX, join(ROOT, 'test/support/archive-victim.ts'), path, step, String(NOW)]
    const victim = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [, signal] = await once(victim, 'exit')
    expect(signal).toBe('SIGKILL')
    const desk = await openDesk(path, NOW)
    try {
      const missing = (from: string[], all: string[]) => from.filter((row) => !all.includes(row))
      expect(missing(before.requests, rows(path).requests)).toEqual([])
      expect(missing(before.events, rows(path).events)).toEqual([])
      expect(await moveOld(desk, NOW + 1)).toEqual({ errors: [] })
      expect(archiveFiles(desk.folder)).toEqual(['2026-08.db', '2026-09.db'])
      expect(rows(path)).toMatchObject({ requests: before.requests, life: before.life })
      expect(rows(path).events).toHaveLength(before.events.length + 2)
      expect(chainOf(path).seq).toBe(before.events.length + 2)
      expect(await audit(desk)).toMatchObject({ ok: true, problems: [], requests: 261, archives: { verified: 2 } })
    } finally {
      await desk.store.close()
    }
  })
})

describe('what was recorded as archived', () => {
  test('stays in the database while its file is missing or changed, and somebody is told', async () => {
    const desk = await openDesk(`${dir.path}/security.db`, NOW)
    try {
      await fill(desk, 10)
      const stop = new AbortController()
      const store = { ...desk.store, dropRequests: () => stop.abort(new Error('stopped')) as never }
      await moveOld({ ...desk, store }, NOW, { stopping: stop.signal })
      expect(archiveFiles(desk.folder)).toEqual(['2026-08.db'])
      const before = rows(desk.path)
      // Whoever audits now learns that the move is not over.
      expect((await audit(desk)).problems[0]?.what).toContain('belong into an archive')
      const file = `${desk.folder}/2026-08.db`
      copyFileSync(file, `${dir.path}/kept`)
      writeFileSync(file, 'x')
      expect((await moveOld(desk, NOW)).errors).toEqual([expect.stringContaining('was changed')])
      rmSync(file)
      expect((await moveOld(desk, NOW)).errors).toEqual([
        'the rows of 2026-08 stay in the database: 2026-08.db is missing',
      ])
      copyFileSync(`${dir.path}/kept`, file)
      expect(rows(desk.path)).toEqual(before)
      expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
      expect(await audit(desk)).toMatchObject({ ok: true, problems: [] })
    } finally {
      await desk.store.close()
    }
  })

  test('moved out again after a restore of an older backup does not replace what only the earlier file has', async () => {
    const path = `${dir.path}/security.db`
    let desk = await openDesk(path, NOW)
    try {
      const ask = async (n: number) => {
        await desk.store.create(asked(n, { at: SEPTEMBER + n, expires_at: SEPTEMBER + n + 1 }), 20)
        await desk.store.expireDue(SEPTEMBER + n + 1, 20)
      }
      await addUsers(desk.store, SEPTEMBER)
      await ask(10)
      desk.db.exec(`VACUUM INTO '${dir.path}/backup.db'`)
      await ask(20)
      await moveOld(desk, NOW)
      const had = rowsOf(`${desk.folder}/2026-09.db`, 'approval_requests')
      expect(had).toHaveLength(2)
      for (const times of [1, 2]) {
        await desk.store.close()
        for (const side of ['', '-wal', '-shm']) rmSync(path + side, { force: true })
        copyFileSync(`${dir.path}/backup.db`, path)
        desk = await openDesk(path, NOW)
        expect(await moveOld(desk, NOW), `${times}`).toEqual({ errors: [] })
        expect(await audit(desk)).toMatchObject({ ok: true, problems: [] })
      }
      const earlier = archiveFiles(desk.folder).filter((file) => file.startsWith('2026-09.db.before-'))
      expect(earlier).toHaveLength(1)
      expect(rowsOf(`${desk.folder}/${earlier[0]}`, 'approval_requests')).toEqual(had)
    } finally {
      await desk.store.close()
    }
  })

  test('is not recorded a second time by another server that copied the same month', async () => {
    const desk = await openDesk(`${dir.path}/security.db`, NOW)
    const other = await openDesk(desk.path, NOW)
    try {
      await fill(desk, 10)
      const alone = async <T>(work: () => Promise<T>) => {
        // While the first one has its copy ready, the second one is faster.
        expect(await moveOld(other, NOW)).toEqual({ errors: [] })
        return work()
      }
      expect(await moveOld(desk, NOW, { alone })).toEqual({ errors: [] })
      expect(archiveFiles(desk.folder)).toEqual(['2026-08.db', '2026-09.db'])
      expect(await audit(desk)).toMatchObject({ ok: true, problems: [], requests: 21 })
    } finally {
      await other.store.close()
      await desk.store.close()
    }
  })
})

test.runIf(isRoot)(
  'a full disk under the archives: nothing is moved or left over; with room again, all of it is',
  async () => {
    const desk = await openDesk(`${dir.path}/security.db`, NOW)
    const folder = folderOf(desk.path)
    mkdirSync(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder])
    try {
      await fill(desk, 130)
      writeFileSync(`${folder}/ballast`, Buffer.alloc(statfsSync(folder).bavail * statfsSync(folder).bsize - 32_768))
      const before = rows(desk.path).requests
      const { errors } = await moveOld(desk, NOW)
      expect(errors).toEqual([expect.stringMatching(/the archive of 2026-08: .*(full|disk I\/O)/)])
      expect(archiveFiles(folder)).toEqual(['ballast'])
      expect(rows(desk.path).requests).toEqual(before)
      expect((await desk.store.create(asked(2, { at: NOW, expires_at: NOW + 1 }), 10)).joined).toBe(false)
      execFileSync('mount', ['-o', 'remount,size=64m', folder])
      rmSync(`${folder}/ballast`)
      expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
      expect(await audit(desk)).toMatchObject({ ok: true, problems: [], archives: { verified: 2 } })
    } finally {
      await desk.store.close()
      execFileSync('umount', [folder])
    }
  },
)

describe('whatever happened before', () => {
  const HOUR = 3_600_000
  const step = fc.record({
    kind: fc.constantFrom('ask', 'ask', 'ask', 'approve', 'reject', 'cancel', 'use', 'gate', 'user', 'move', 'wait'),
    hours: fc.oneof({ weight: 3, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(400) }),
  })
  const time = fc.oneof(
    fc
      .date({ min: new Date('2026-06-01'), max: new Date('2026-09-01'), noInvalidDate: true })
      .map((d) => d.toISOString().replace('T', ' ').slice(0, 19)),
    fc.constantFrom(
      null,
      '',
      'never',
      '2026-01-01',
      '2026-13-45 99:99:99',
      '0001-01-01 00:00:00',
      '9999-12-31 23:59:59',
    ),
  )
  const oldRow = fc.record({
    requested_at: time,
    expires_at: time,
    status: fc.constantFrom('pending', 'approved', 'timeout', 'weird', null),
    data: fc.uint8Array({ maxLength: 8 }),
  })

  test('the files and the database together have every row, byte for byte, and the record is whole', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(oldRow, { maxLength: 12 }),
        fc.array(step, { maxLength: 25, size: 'max' }),
        async (old, steps) => {
          const path = `${dir.path}/${++run}/security.db`
          mkdirSync(`${dir.path}/${run}`)
          let desk = await openDesk(path, OLD)
          for (const [n, { data, ...row }] of old.entries()) {
            const insert = `INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status,
            requested_at, expires_at) VALUES (?, 't', 'u', 'r', CAST(? AS TEXT), ?, ?, ?)`
            const { requested_at, expires_at, status } = row
            const values = [uuid(9000 + n), Buffer.from(data), status ?? '', requested_at ?? '', expires_at ?? 'x']
            desk.db.prepare(insert).run(values)
          }
          await desk.store.close()
          desk = await openDesk(path, OLD)
          try {
            await play(desk, steps)
            const end = OLD + 200 * 24 * HOUR
            await desk.store.append({ type: 'config_reloaded', request_id: null, actor: 'server', at: end, data: {} })
            const before = rows(path)
            expect(await moveOld(desk, end)).toEqual({ errors: [] })
            const after = rows(path)
            expect(after).toMatchObject({ requests: before.requests, life: before.life })
            const archived = (await desk.store.archives()).length
            expect(before.events.filter((row) => !after.events.includes(row))).toEqual([])
            expect(chainOf(path).seq).toBe(after.events.length)
            expect(archiveFiles(desk.folder)).toHaveLength(archived)
            expect((await audit(desk)).problems).toEqual([])
          } finally {
            await desk.store.close()
          }
        },
      ),
      { numRuns: 15, endOnFailure: true },
    )
  })

  async function play(desk: Desk, steps: readonly { kind: string; hours: number }[]): Promise<void> {
    const { store } = desk
    await addUsers(store, OLD)
    recordAdoption(desk.db, '/backup', OLD)
    let now = OLD
    let last = 0
    let gate = true
    const close = (to: 'approved' | 'rejected' | 'cancelled') => {
      const reason = to === 'cancelled' ? null : 'r'
      return store.transition([{ request_id: uuid(last), to, at: now, actor: 'admin_user', reason }], admin)
    }
    for (const [n, { kind, hours }] of steps.entries()) {
      now += hours * HOUR
      await store.expireDue(now, 1000)
      if (kind === 'wait' && last > 0) {
        const once = { request_id: uuid(last), who: 'admin_user', first_at: now, last_at: now }
        await store.recordLife([
          { ...once, what: 'listed' },
          { ...once, what: 'late' },
        ])
      }
      if (kind === 'ask') await store.create(asked(++last, { at: now, expires_at: now + 24 * HOUR }), 1000)
      if (kind === 'approve') await close('approved')
      if (kind === 'reject') await close('rejected')
      if (kind === 'cancel') await close('cancelled')
      if (kind === 'use' && last > 0) {
        const use = {
          request_id: uuid(last),
          digest: asked(last).digest,
          at: now,
          decidedAfter: OLD,
          actor: 'dev_user',
        }
        await store.consume(use, { user_id: 'dev_user', role: 'developer' })
      }
      if (kind === 'gate') {
        gate = !gate
        await store.append({
          type: gate ? 'gate_on' : 'gate_off',
          request_id: null,
          actor: 'server',
          at: now,
          data: {},
        })
      }
      if (kind === 'user') {
        const user = { user_id: `user${n}`, role: 'guest', username: null, token_sha256: `${n}` } as const
        await store.addUser(user, 'admin_user', now)
        await store.setActive(user.user_id, false, 'admin_user', now)
      }
      if (kind === 'move') expect(await moveOld(desk, now)).toEqual({ errors: [] })
    }
  }
})
