import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { createContext } from '../src/context.ts'
import { checkBackup } from '../src/jobs/check-backup.ts'
import { itemOf } from '../src/report/daily-check-text.ts'
import { backup, createDesk, NOW, names } from './support/backup.ts'
import { environment, temporaryFolder } from './support/server.ts'

const HOUR = 3_600_000
let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

async function found(now: number, desk: number | null = NOW - 1000 * HOUR): Promise<string> {
  const { settings } = loadConfig(environment(folder.path))
  const signal = new AbortController().signal
  const context = createContext({ settings, zone: 'Asia/Seoul', now, timeoutMs: 30_000, signal })
  const finding = await checkBackup(context, desk)
  // Every finding can be said in both languages.
  for (const lang of ['ko', 'en'] as const) expect(itemOf(finding, lang, 'Asia/Seoul').text).not.toBe('')
  return `${finding.state} ${finding.code}`
}

describe('the last verified backup', () => {
  test.each([
    [0, 'ok recent'],
    [26 * HOUR, 'ok recent'],
    [26 * HOUR + 1, 'warning old'],
    [50 * HOUR, 'warning old'],
    [50 * HOUR + 1, 'critical old'],
    [-1, 'warning future'],
  ])('%i ms old is %s', async (age, expected) => {
    createDesk(folder.path, 3).close()
    expect((await backup(folder.path)).code).toBe(0)
    expect(await found(NOW + age)).toBe(expected)
  })

  test.each([
    [NOW - 26 * HOUR, 'ok none_yet'],
    [NOW - 27 * HOUR, 'warning none'],
    [NOW - 51 * HOUR, 'critical none'],
    [null, 'unknown none'],
  ])('is missing, of a desk that began at %s: %s', async (desk, expected) => {
    expect(await found(NOW, desk)).toBe(expected)
  })

  test('counts only while its files are there, and one that is not whole is named', async () => {
    createDesk(folder.path, 3).close()
    await backup(folder.path, [], { seams: { now: NOW - 30 * HOUR } })
    await backup(folder.path)
    rmSync(join(folder.path, 'backups', names(folder.path)[1]!, 'security.db'))
    expect(await found(NOW)).toBe('warning old')
    expect(await found(NOW - 29 * HOUR)).toBe('warning broken')
    rmSync(join(folder.path, 'backups', names(folder.path)[0]!, 'manifest.json'))
    expect(await found(NOW)).toBe('critical none_whole')
  })

  test('is no comfort while a restore is cut off', async () => {
    createDesk(folder.path, 3).close()
    await backup(folder.path)
    writeFileSync(join(folder.path, 'security.db.restore.json'), '{}')
    expect(await found(NOW)).toBe('critical restore_cut_off')
  })
})
