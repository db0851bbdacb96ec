import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkRollbacks, readRollbacks, rollbacksFinding } from '../src/jobs/check-rollbacks.ts'
import { itemOf } from '../src/report/daily-check-text.ts'
import type { RollbackResult } from '../src/report/rollback-result.ts'
import { realSystem } from '../src/system/real.ts'
import type { ProcessIdentity } from '../src/system/system.ts'
import { temporaryFolder } from './support/server.ts'

const NOW = Date.parse('2026-11-22T00:00:00Z')
const HOUR = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()
const folder = temporaryFolder()
afterAll(folder.remove)
let places = 0

interface Left {
  readonly hoursAgo: number
  readonly scenario?: 'disable' | 'cli' | 'env'
  readonly process?: ProcessIdentity
  readonly result?: Partial<RollbackResult>
}

const SELF = await realSystem.self()
const GONE: ProcessIdentity = { ...SELF, pid: spawnSync('true').pid, start: '1' }

/** The folder of rollbacks, as the engine leaves it, and what the check makes of it. */
async function check(...left: Left[]) {
  const root = join(folder.path, String(++places))
  for (const { hoursAgo, scenario = 'disable', process = GONE, result } of left) {
    const started_at = iso(NOW - hoursAgo * HOUR)
    const id = `${started_at.replace(/[-:]|\.\d+/g, '')}-${scenario}-x3f2`
    const about = { id, scenario, kind: 'apply', started_at, by: 'park', host: 'ops1', reason: 'every call waits' }
    mkdirSync(join(root, id), { recursive: true })
    writeFileSync(join(root, id, 'plan.json'), JSON.stringify({ ...about, process, plan: {} }))
    if (!result) continue
    const whole = {
      ...{ ...about, outcome: 'done', exit_code: 0, finished_at: started_at, target: '4120', runtime: 'process' },
      ...{ changes: [], summary: { ko: '완료', en: 'Done' } },
      ...result,
    }
    writeFileSync(join(root, id, 'result.json'), JSON.stringify(whole))
  }
  return rollbacksFinding(await readRollbacks(realSystem, root, NOW), NOW)
}

const said = (finding: Awaited<ReturnType<typeof check>>) => itemOf(finding, 'en', 'Asia/Seoul').text

describe('rollbacks in the daily check', () => {
  test('none at all, none in 24 hours, and a folder that never changed anything are fine', async () => {
    expect(await check()).toMatchObject({ state: 'ok', code: 'none' })
    expect(await check({ hoursAgo: 25, result: {} })).toMatchObject({ state: 'ok', code: 'none' })
    const root = join(folder.path, String(++places))
    mkdirSync(join(root, '20261121T230000Z-env-x3f2', 'snapshot'), { recursive: true })
    writeFileSync(join(root, 'lock.db'), '')
    expect(await readRollbacks(realSystem, root, NOW)).toEqual([])
  })

  test('where there is no data folder at all nobody can say so', async () => {
    const found = await checkRollbacks(realSystem, join(folder.path, 'absent', 'rollbacks'), NOW)
    expect(found).toMatchObject({ finding: { state: 'unknown', code: 'unmeasured' }, disabled: null })
  })

  test('one of the last 24 hours is a warning: who, why, and until when', async () => {
    const until = iso(NOW + HOUR)
    const found = await check({ hoursAgo: 1, result: { until, reason: 'every call waits for ever' } })
    expect(found).toMatchObject({ state: 'warning', code: 'leased', facts: { by: 'park', until_at: until } })
    expect(said(found)).toContain('disable by park, until 11-22 10:00. Reason: every call waits for ever')
    expect(await check({ hoursAgo: 3, result: { until: iso(NOW - HOUR) } })).toMatchObject({ code: 'done' })
    expect(await check({ hoursAgo: 3, result: { kind: 'undo' } })).toMatchObject({ code: 'undone' })
    expect(await check({ hoursAgo: 3, result: { outcome: 'restored', exit_code: 1 } })).toMatchObject({
      ...{ state: 'warning', code: 'restored' },
    })
  })

  test('tell which one turned the gate off and was not undone', async () => {
    const root = join(folder.path, String(++places))
    const leave = (id: string, more: Partial<RollbackResult>) => {
      mkdirSync(join(root, id), { recursive: true })
      const at = iso(NOW - HOUR)
      const whole = {
        ...{ id, scenario: 'disable', kind: 'apply', outcome: 'done', exit_code: 0, started_at: at, finished_at: at },
        ...{ by: 'park', host: 'ops1', reason: 'every call waits', target: '4120', runtime: 'process', changes: [] },
        ...{ summary: { ko: '완료', en: 'Done' }, ...more },
      }
      writeFileSync(join(root, id, 'result.json'), JSON.stringify(whole))
    }
    const disabled = async () => (await checkRollbacks(realSystem, root, NOW)).disabled?.id
    const [first, failed, other] = [1, 2, 3].map((n) => `20261121T23000${n}Z-disable-x3f2`) as [string, string, string]
    mkdirSync(root)
    expect(await disabled()).toBeUndefined()
    leave(first, {})
    leave(failed, { outcome: 'restored', exit_code: 1 })
    leave(other.replace('disable', 'env'), { scenario: 'env' })
    expect(await disabled()).toBe(first)
    leave('20261121T230004Z-disable-x3f2', { kind: 'undo', undoes: first, outcome: 'uncertain', exit_code: 3 })
    expect(await disabled()).toBe(first)
    leave('20261121T230005Z-disable-x3f2', { kind: 'undo', undoes: first })
    expect(await disabled()).toBeUndefined()
  })

  test('counts a result that came alone, from a rollback outside of the container', async () => {
    const root = join(folder.path, String(++places))
    const id = '20261121T230000Z-disable-x3f2'
    mkdirSync(join(root, id), { recursive: true })
    const result: RollbackResult = {
      ...{ id, scenario: 'disable', kind: 'apply', outcome: 'uncertain', exit_code: 3, by: 'park', host: 'ops1' },
      ...{ started_at: iso(NOW - HOUR), finished_at: iso(NOW - HOUR), reason: 'every call waits', changes: [] },
      ...{ target: 'container x', runtime: 'compose', summary: { ko: '불확실', en: 'Uncertain' } },
    }
    writeFileSync(join(root, id, 'result.json'), JSON.stringify(result))
    expect(rollbacksFinding(await readRollbacks(realSystem, root, NOW), NOW)).toMatchObject({ code: 'uncertain' })
  })

  test('one that was cut off is critical, however long ago, with the command that ends it', async () => {
    const cut = { hoursAgo: 300, scenario: 'env' } as const
    expect(await check(cut, { hoursAgo: 1, result: {} })).toMatchObject({
      ...{ state: 'critical', code: 'cut_off', next_command: 'npm run rollback-env -- resume' },
    })
  })

  test('one that runs is a warning, until no rollback can run that long', async () => {
    expect(await check({ hoursAgo: 0.1, process: SELF })).toMatchObject({ state: 'warning', code: 'running' })
    const elsewhere = { ...SELF, host: 'another-machine' }
    expect(await check({ hoursAgo: 0.1, process: elsewhere })).toMatchObject({ code: 'running' })
    expect(await check({ hoursAgo: 3, process: elsewhere })).toMatchObject({ state: 'critical', code: 'cut_off' })
  })

  test('one whose end is uncertain is critical, until a later one of its kind ends well', async () => {
    const uncertain = { hoursAgo: 50, result: { outcome: 'uncertain', exit_code: 3 } } as const
    const found = await check(uncertain, { hoursAgo: 1, scenario: 'cli', result: {} })
    expect(found).toMatchObject({ state: 'critical', code: 'uncertain' })
    expect(found.next_command).toBe(`npm run rollback-disable -- status ${found.facts.id}`)
    expect(await check(uncertain, { hoursAgo: 2, result: { outcome: 'restored', exit_code: 1 } })).toMatchObject({
      code: 'uncertain',
    })
    expect(await check(uncertain, { hoursAgo: 30, result: {} })).toMatchObject({ state: 'ok', code: 'none' })
  })

  test('a result that cannot be read is an error: it may hide anything', async () => {
    const root = join(folder.path, String(++places), '20261121T230000Z-env-x3f2')
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'plan.json'), '{"process":{}}')
    writeFileSync(join(root, 'result.json'), '{')
    await expect(readRollbacks(realSystem, join(root, '..'), NOW)).rejects.toThrow()
  })
})
