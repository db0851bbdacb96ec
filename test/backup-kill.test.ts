import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { appendRequests, backup, createDesk, killedAt, NOW, names, RESTORE, soundRequests } from './support/backup.ts'
import { temporaryFolder } from './support/server.ts'

let folder: ReturnType<typeof temporaryFolder>
let dir: string
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
})
afterEach(() => folder.remove())

const at = (...names: string[]) => join(dir, ...names)
const inBackups = () => readdirSync(at('backups')).filter((name) => name.startsWith('security-'))

describe('a backup that is killed', () => {
  test.each([
    ['begun', 0],
    ['copied security.db', 0],
    ['scratch copied', 0],
    ['manifest written', 0],
    ['named', 1],
    ['removing', 1],
  ])('at "%s" leaves nothing unproven under a name, and the next one is fine', async (point, more) => {
    createDesk(dir, 30).close()
    // So many of one day that the next one removes some.
    const before = point === 'removing' ? 5 : 1
    for (let n = 0; n < before; n++) await backup(dir, [], { seams: { now: NOW + n } })
    const had = names(dir)
    await killedAt(dir, point)
    const found = names(dir)
    expect(found.length).toBe(point === 'removing' ? had.length : had.length + more)
    for (const name of found) expect(soundRequests(at('backups', name, 'security.db'))).toBe(30)
    expect((await backup(dir, ['list'])).code, 'all that have a name are whole').toBe(0)
    const next = await backup(dir, [], { seams: { now: NOW + 1000 } })
    expect([next.code, next.stderr]).toEqual([0, ''])
    expect(inBackups(), 'leftovers are gone').toEqual(names(dir))
    expect((await backup(dir, ['verify'])).code).toBe(0)
  })
})

describe('a restore that is killed', () => {
  /** A database whose last 7 requests are in the WAL alone, as a killed server leaves it, and a backup before them. */
  async function crashedDesk(): Promise<void> {
    const db = createDesk(dir, 30)
    expect((await backup(dir)).code).toBe(0)
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.pragma('wal_autocheckpoint = 0')
    appendRequests(db, 7)
    for (const suffix of ['', '-wal', '-shm']) copyFileSync(at(`security.db${suffix}`), at(`kept${suffix}`))
    db.close()
    for (const suffix of ['', '-wal', '-shm']) copyFileSync(at(`kept${suffix}`), at(`security.db${suffix}`))
  }

  /** The old database with its WAL, the new one without any, or neither: never one with the WAL of the other. */
  function neverMixed(): void {
    const isNew = existsSync(at('security.db')) && bytes('security.db').equals(backedUp())
    if (isNew) expect(existsSync(at('security.db-wal')), 'the new one has no WAL of the old').toBe(false)
    else if (existsSync(at('security.db'))) expect(bytes('security.db-wal').equals(bytes('kept-wal'))).toBe(true)
  }
  const bytes = (name: string) => readFileSync(at(name))
  const backedUp = () => bytes(join('backups', names(dir)[0]!, 'security.db'))

  test.each([
    ['copied', 37],
    ['noted', 37],
    ['moved db', 37],
    ['moved -wal', 37],
    ['moved -shm', 37],
    ['placed', 37],
    ['verified', 37],
    ['decided', 30],
  ])(
    'at "%s": no mixed files, no server starts on it, and resume leaves one whole database',
    async (point, requests) => {
      await crashedDesk()
      await killedAt(dir, point, RESTORE)
      neverMixed()
      const cutOff = point !== 'copied'
      expect(existsSync(at('security.db.restore.json'))).toBe(cutOff)
      if (cutOff) {
        const refused = await backup(dir)
        expect(refused.code).toBe(2)
        expect(refused.stderr).toMatch(/was cut off\. npm run backup -- resume\n$/)
        expect((await backup(dir, RESTORE)).code).toBe(2)
      }
      const resumed = await backup(dir, ['resume'])
      expect([resumed.code, resumed.stderr]).toEqual([cutOff && requests === 37 ? 1 : 0, ''])
      expect(soundRequests(at('security.db'))).toBe(requests)
      expect((await backup(dir, ['resume'])).stdout).toContain('No restore was cut off')
      // And then the restore can be done.
      const again = await backup(dir, RESTORE, { seams: { now: NOW + 1000 } })
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('restored from')])
      expect(soundRequests(at('security.db'))).toBe(30)
      expect(readdirSync(dir).filter((name) => /restoring|restore-lock|restore\.json/.test(name))).toEqual([])
    },
  )

  test('and whose taking back is killed as well is taken back by the next resume', async () => {
    await crashedDesk()
    await killedAt(dir, 'placed', RESTORE)
    for (const point of ['new one removed', 'back -wal', 'back db']) {
      await killedAt(dir, point, ['resume'])
      neverMixed()
    }
    expect((await backup(dir, ['resume'])).code).toBe(1)
    expect(soundRequests(at('security.db'))).toBe(37)
  })

  test('where somebody has made a database of his own in the meantime: exit 3, and nothing is overwritten', async () => {
    await crashedDesk()
    await killedAt(dir, 'moved -shm', RESTORE)
    writeFileSync(at('security.db'), 'somebody else was here')
    const { code, stderr } = await backup(dir, ['resume'])
    expect([code, stderr]).toEqual([3, expect.stringMatching(/a human must look.*appeared during the restore/)])
    expect(readFileSync(at('security.db'), 'utf8')).toBe('somebody else was here')
    rmSync(at('security.db'))
    expect((await backup(dir, ['resume'])).code).toBe(1)
    expect(soundRequests(at('security.db'))).toBe(37)
  })
})

test('negative control: a database that is copied over the old one beside its WAL is not what was backed up', async () => {
  const db = createDesk(dir, 30)
  expect((await backup(dir)).code).toBe(0)
  appendRequests(db, 7)
  copyFileSync(at('backups', names(dir)[0]!, 'security.db'), at('security.db'))
  db.close()
  const naive = new Database(at('security.db'))
  let found: unknown
  try {
    found = naive.prepare('SELECT count(*) FROM approval_requests').pluck().get()
  } catch (error) {
    found = (error as Error).message
  }
  naive.close()
  expect(found).not.toBe(30)
})
