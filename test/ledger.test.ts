import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Claim, Ledger } from '../src/schedule/ledger.ts'
import { openLedger } from '../src/store/ledger.ts'
import { realSystem } from '../src/system/real.ts'
import { DAY, dead } from './support/scheduler.ts'
import { temporaryFolder } from './support/server.ts'
import { startTogether, type Together } from './support/together.ts'

const NOW = Date.parse('2026-11-22T00:00:00Z')
let dir: ReturnType<typeof temporaryFolder>
let path: string

beforeEach(() => {
  dir = temporaryFolder()
  path = `${dir.path}/new/ops.db`
})
afterEach(() => dir.remove())

const claim = async (job = 'morning'): Promise<Claim> => ({
  job,
  slot: { date: '2026-11-22', due: NOW },
  trigger: 'cron',
  holder: await realSystem.self(),
  now: NOW + 1,
})

async function withLedger<T>(work: (ledger: Ledger, warning: string | null) => Promise<T>): Promise<T> {
  const { ledger, warning, close } = openLedger(path, NOW)
  try {
    return await work(ledger, warning)
  } finally {
    close()
  }
}

describe('the file of the ledger', () => {
  it('is made with its folder, in WAL mode, and keeps what is written', async () => {
    await withLedger(async (ledger, warning) => {
      expect(warning).toBeNull()
      expect(await ledger.claim(await claim())).toBe(true)
    })
    const db = new Database(path, { readonly: true })
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    db.close()
    await withLedger(async (ledger, warning) => {
      expect(warning).toBeNull()
      expect(await ledger.find('morning', '2026-11-22')).toMatchObject({ state: 'CLAIMED', claimedAt: NOW + 1 })
    })
  })

  it.each([
    [
      'garbage',
      () => writeFileSync(path, 'this is no database, and long enough to be read as a header of one'.repeat(20)),
    ],
    ['a header and nothing behind it', () => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
    ['pages that were overwritten', () => writeFileSync(path, readFileSync(path).fill(0x5a, 4096, 20_000))],
  ])('is moved aside when it holds %s, and a new one is made with a warning', async (_, damage) => {
    await withLedger(async (ledger) => ledger.claim(await claim()))
    damage()
    const bytes = readFileSync(path)
    await withLedger(async (ledger, warning) => {
      expect(warning).toContain(`${path} was damaged`)
      expect(await ledger.history(null, 10)).toEqual([])
      // What may have been lost is tried again: a check that runs twice is better than none.
      expect(await ledger.knownSince('morning', NOW)).toBe(NOW - DAY)
    })
    const aside = readdirSync(`${dir.path}/new`).find((name) => name.startsWith('ops.db.damaged-20261122T000000Z'))
    expect(readFileSync(`${dir.path}/new/${aside}`).equals(bytes)).toBe(true)
    await withLedger(async (_ledger, warning) => expect(warning).toBeNull())
  })

  it('is missed aloud when it is gone but the output of its runs is there', async () => {
    mkdirSync(`${dir.path}/new/runs`, { recursive: true })
    writeFileSync(`${dir.path}/new/runs/morning-2026-11-21.log`, '')
    await withLedger(async (_, warning) => expect(warning).toContain('was gone'))
  })

  it('that belongs to another program, or to a newer version, is refused and left as it is', async () => {
    mkdirSync(`${dir.path}/new`)
    const other = new Database(path)
    other.exec('CREATE TABLE notes (text)')
    other.close()
    const bytes = readFileSync(path)
    expect(() => openLedger(path, NOW)).toThrow('another program')
    expect(readFileSync(path).equals(bytes)).toBe(true)
    rmSync(path)
    await withLedger(async () => {})
    const newer = new Database(path)
    newer.pragma('user_version = 99')
    newer.close()
    expect(() => openLedger(path, NOW)).toThrow('newer')
  })

  it('may be empty, as a killed start leaves it', async () => {
    mkdirSync(`${dir.path}/new`)
    writeFileSync(path, '')
    await withLedger(async (ledger) => expect(await ledger.claim(await claim())).toBe(true))
  })
})

describe('a claim', () => {
  it('is given once per job and date', async () => {
    await withLedger(async (ledger) => {
      expect(await ledger.claim(await claim())).toBe(true)
      expect(await ledger.claim(await claim())).toBe(false)
      expect(await ledger.claim(await claim('evening'))).toBe(true)
    })
  })

  it('is not given while another date of the job is active', async () => {
    await withLedger(async (ledger) => {
      await ledger.claim(await claim())
      const next = { ...(await claim()), slot: { date: '2026-11-23', due: NOW + DAY } }
      expect(await ledger.claim(next)).toBe(false)
      expect(await ledger.find('morning', '2026-11-23')).toBeNull()
      const run = (await ledger.find('morning', '2026-11-22'))!
      await ledger.finished(run, { state: 'DONE', exitCode: 0, outputTail: 'x', note: null, now: NOW + 2 })
      expect(await ledger.claim(next)).toBe(true)
    })
  })

  it('that was taken over can neither be started nor ended by its first holder', async () => {
    await withLedger(async (ledger) => {
      await ledger.claim({ ...(await claim()), holder: await dead() })
      const lost = (await ledger.find('morning', '2026-11-22'))!
      const ending = { state: 'ABANDONED', exitCode: null, outputTail: null, note: 'gone', now: NOW + 2 } as const
      expect(await ledger.finished(lost, ending)).toBe(true)
      expect(await ledger.finished(lost, ending)).toBe(false)
      const abandoned = (await ledger.find('morning', '2026-11-22'))!
      expect(await ledger.claimAgain(await claim(), abandoned)).toBe(true)
      expect(await ledger.claimAgain(await claim(), abandoned)).toBe(false)
      expect(await ledger.started(lost, await dead(), 'x.log', NOW + 3)).toBe(false)
      expect(await ledger.finished(lost, { ...ending, state: 'DONE' })).toBe(false)
      expect(await ledger.find('morning', '2026-11-22')).toMatchObject({ state: 'CLAIMED', attempt: 2, note: 'gone' })
    })
  })
})

describe('eight processes', () => {
  let together: Together | undefined
  afterEach(() => together?.kill())

  it('may open a ledger that does not exist yet in the same moment, two hundred times over', async () => {
    together = await startTogether(8, new URL('support/at-once.ts', import.meta.url))
    for (let n = 0; n < 200; n++) {
      const order = { work: 'openLedger', path: `${dir.path}/${n}/ops.db`, at: Date.now() + 3 }
      expect(await together.all(order)).toEqual(Array(8).fill('opened'))
    }
  })

  it('at the same slot make exactly one run of it, ten times over, from a ledger that does not exist yet', async () => {
    together = await startTogether(8, new URL('support/schedule-racer.ts', import.meta.url), `${dir.path}/race`)
    for (let day = 0; day < 10; day++) {
      const instant = new Date(Date.parse('2026-11-21T00:00:00.500Z') + day * DAY).toISOString()
      expect((await together.all(instant)).sort()).toEqual(['ran', ...Array(7).fill('taken')])
    }
    expect(readFileSync(`${dir.path}/race/ran`, 'utf8').trim().split('\n')).toHaveLength(10)
    expect(existsSync(`${dir.path}/race/ops.db.lock`)).toBe(false)
    expect(statSync(`${dir.path}/race/runs/morning-2026-11-30.log`).size).toBeGreaterThan(0)
  })
})
