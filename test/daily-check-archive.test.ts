import { copyFileSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command, type Io } from '../src/command.ts'
import { loadConfig } from '../src/config.ts'
import { createContext } from '../src/context.ts'
import { checkArchive } from '../src/jobs/check-archive.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'
import type { Flags, Job } from '../src/jobs/job.ts'
import { weeklySummary } from '../src/jobs/weekly-summary.ts'
import { asked } from './store-contract.ts'
import { addUsers, type Desk, moveOld, openDesk } from './support/archives.ts'
import { environment, temporaryFolder } from './support/server.ts'

const at = (text: string): number => Date.parse(`${text}+09:00`)
const NOW = at('2026-11-22T09:00')

let dir: ReturnType<typeof temporaryFolder>
let desk: Desk

beforeEach(async () => {
  dir = temporaryFolder()
  desk = await openDesk(`${dir.path}/security.db`, NOW)
  await addUsers(desk.store, at('2026-08-10T00:00'))
  for (const [n, when] of ['2026-08-11T12:00', '2026-09-11T12:00', '2026-10-10T12:00'].entries()) {
    await desk.store.create(asked(n, { at: at(when), expires_at: at(when) + 1000 }), 10)
    await desk.store.expireDue(at(when) + 1000, 10)
  }
})
afterEach(async () => {
  await desk.store.close()
  dir.remove()
})

const look = (days: string, now = NOW) => {
  const { settings } = loadConfig(environment(dir.path, { RETENTION_DAYS: days }))
  const { signal } = new AbortController()
  return checkArchive(createContext({ settings, zone: 'Asia/Seoul', now, timeoutMs: 60_000, signal }))
}

async function report<F extends Flags>(job: Job<F>, ...argv: string[]) {
  let [stdout, stderr] = ['', '']
  const io: Io = {
    argv: ['node', job.name, ...argv],
    env: environment(dir.path, { OPS_TIMEZONE: 'Asia/Seoul' }),
    stdout: { isTTY: false, columns: 80, write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    now: NOW,
  }
  return { code: await command(job, io), stdout, stderr }
}

test('the morning check says what was archived, what waits too long, and what is missing', async () => {
  expect(await look('400')).toMatchObject({ state: 'ok', code: 'none' })
  expect(await look('0')).toMatchObject({ state: 'not_configured', code: 'not_configured' })
  const waiting = { state: 'warning', code: 'waiting', facts: { months: 2, first: '2026-08', days: 31 } }
  expect(await look('31')).toMatchObject(waiting)
  // On the day on which it is due, and on the next, it may still be on its way.
  expect(await look('31', at('2026-10-02T23:59'))).toMatchObject({ state: 'ok' })
  expect(await look('31', at('2026-10-04T00:00'))).toMatchObject({ code: 'waiting', facts: { months: 1 } })
  expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
  expect(await look('31')).toMatchObject({ state: 'ok', code: 'kept', facts: { archives: 2, last: '2026-09' } })
  const file = `${desk.folder}/2026-08.db`
  copyFileSync(file, `${dir.path}/kept`)
  rmSync(file)
  const missing = { state: 'warning', code: 'missing', facts: { missing: 1, files: ['2026-08.db'] } }
  expect(await look('31')).toMatchObject(missing)
  expect(await look('0')).toMatchObject(missing)
})

test('the evening report of an archived day says so, in every format: it has no figures, which is not zero', async () => {
  expect((await report(dailyReport, '--date', '2026-08-11')).code).not.toBe(3)
  expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
  const ko = await report(dailyReport, '--date', '2026-08-11')
  expect(ko.code).toBe(3)
  expect(ko.stdout).toContain('보관 파일로 옮겨져')
  expect(ko.stderr).toContain(`sqlite3 -readonly ${desk.folder}/2026-08.db`)
  const json = JSON.parse((await report(dailyReport, '--date', '2026-08-11', '--format', 'json')).stdout)
  expect(json).toMatchObject({ verdict: 'unknown', error: { code: 'archived' } })
  expect((await report(dailyReport, '--date', '2026-09-11', '--lang', 'en')).stderr).toContain('2026-09.db')
})

test('the weekly summary says archived of a week that was moved out, and the risks of such days are refused', async () => {
  const weekly = async (...argv: string[]) => report(weeklySummary, ...argv, '--date', '2026-10-12')
  expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
  const { weeks } = JSON.parse((await weekly('--format', 'json')).stdout)
  const states = weeks.map(({ state, totals, record_begins }: Record<string, unknown>) => [
    state,
    totals,
    record_begins,
  ])
  expect(states.slice(0, 2)).toEqual(Array(2).fill(['archived', null, null]))
  expect(states[2]).toEqual(['complete', expect.objectContaining({ total: 0 }), '2026-09-30T15:00:00.000Z'])
  expect((await weekly('--lang', 'ko')).stdout).toContain('(보관됨,')
  expect((await weekly('--risk', '--days', '3')).code).toBe(0)
  expect((await weekly('--risk', '--days', '20', '--lang', 'en')).stderr).toContain('2026-09.db')
})

test('a week before that was archived is not compared with', async () => {
  const lastWeek = async () =>
    JSON.parse((await report(dailyReport, '--date', '2026-10-05', '--format', 'json')).stdout)
  expect((await lastWeek()).same_day_last_week).not.toBeNull()
  expect(await moveOld(desk, NOW)).toEqual({ errors: [] })
  expect((await lastWeek()).same_day_last_week).toBeNull()
})
