import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { appendRequests, backup, createDesk, NOW, names, soundRequests } from './support/backup.ts'
import { TSX, until } from './support/server.ts'

const HOUR = 3_600_000
// In memory where there is such a place: what is tested is the copy, not the disk.
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'approval-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('200 backups under a writer: each holds one instant of the database, whole, and none is bad', async () => {
  createDesk(dir, 20).close()
  const path = join(dir, 'security.db')
  const writer = spawn(process.execPath, ['--import', TSX, join(ROOT, 'test/support/fake-writer.ts'), path])
  const source = new Database(path, { readonly: true })
  const written = () => source.prepare('SELECT max(seq) FROM approval_events').pluck().get() as number
  const hashOf = source.prepare('SELECT hash FROM approval_events WHERE seq = ?').pluck()
  try {
    await until('the writer writes', () => written() > 20)
    let least = 0
    let grew = 0
    for (let n = 0; n < 200; n++) {
      // A slow machine must not be given a database that grows without end.
      if (written() > 5000) writer.kill('SIGSTOP')
      const before = written()
      const ran = await backup(dir, ['--format', 'json'], { seams: { now: NOW + n * 4 * HOUR } })
      expect([ran.code, ran.stderr], `backup ${n}`).toEqual([0, ''])
      const { folder, manifest } = JSON.parse(ran.stdout)
      const count = soundRequests(join(folder, 'security.db'))
      expect(count).toBeGreaterThanOrEqual(before)
      expect(count).toBeLessThanOrEqual(written())
      expect(manifest.database.tables).toMatchObject({ approval_requests: count, approval_events: count })
      expect(manifest.database.chain_head).toEqual({ seq: count, hash: hashOf.get(count) })
      if (count > least) grew++
      least = count
    }
    // It did write meanwhile.
    expect(grew).toBeGreaterThan(5)
    expect(names(dir).length).toBeLessThan(20)
    expect(names(dir).length).toBeGreaterThan(7)
  } finally {
    source.close()
    writer.kill('SIGKILL')
    await once(writer, 'exit')
  }
})

test('negative control: a plain copy of the file beside its WAL is no backup', () => {
  const db = new Database(join(dir, 'security.db'))
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.pragma('wal_autocheckpoint = 0')
  appendRequests(db, 1)
  const copy = join(dir, 'naive.db')
  copyFileSync(join(dir, 'security.db'), copy)
  let found = -1
  try {
    found = soundRequests(copy)
  } catch {
    // Torn.
  }
  expect(found).not.toBe(db.prepare('SELECT count(*) FROM approval_requests').pluck().get())
  db.close()
})
