import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, test } from 'vitest'
import type { RollbackResult } from '../src/report/rollback-result.ts'
import { type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

const ID = '20261122T091500Z-cli-x3f2'
const folder = temporaryFolder()
const servers: RunningServer[] = []
let dirs = 0

async function start(dir: string): Promise<RunningServer> {
  const server = await startServer(dir)
  servers.push(server)
  return server
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill('SIGTERM')
  folder.remove()
})

function freshDir(): string {
  const dir = join(folder.path, String(dirs++))
  mkdirSync(dir, { recursive: true })
  return dir
}

const resultOf = (id: string, over: Partial<RollbackResult> = {}): RollbackResult => ({
  ...{
    id,
    scenario: 'cli',
    kind: 'apply',
    outcome: 'done',
    exit_code: 0,
    by: 'kim (sudo root)',
    host: 'ops1',
    reason: 'polling fails',
  },
  ...{ started_at: '2026-11-22T09:15:00.000Z', finished_at: '2026-11-22T09:15:09.000Z' },
  ...{ target: 'scripts/ai.py', runtime: 'none', changes: [{ what: 'scripts/ai.py', from: 'a1', to: 'b2' }] },
  summary: { ko: 'CLI 복원', en: 'CLI restored' },
  ...over,
})

/** As the engine leaves it: a whole file appears under its name. */
function leave(dir: string, id: string, text: string): void {
  const place = join(dir, 'rollbacks', id)
  mkdirSync(place, { recursive: true, mode: 0o700 })
  writeFileSync(join(place, 'result.tmp'), text)
  renameSync(join(place, 'result.tmp'), join(place, 'result.json'))
}
const leaveResult = (dir: string, result: RollbackResult, id = result.id) => leave(dir, id, JSON.stringify(result))

function recorded(dir: string): { actor: string; data: RollbackResult }[] {
  const db = new Database(join(dir, 'security.db'), { readonly: true, fileMustExist: true })
  try {
    const rows = db.prepare("SELECT actor, data FROM approval_events WHERE type = 'rollback' ORDER BY seq").all()
    return (rows as { actor: string; data: string }[]).map(({ actor, data }) => ({ actor, data: JSON.parse(data) }))
  } finally {
    db.close()
  }
}

const ids = (dir: string) => recorded(dir).map(({ data }) => data.id)
const log = (dir: string) => readFileSync(join(dir, 'server.log'), 'utf8')

describe('the result of a rollback', () => {
  test('that ended while no server ran is recorded at its start, once, however often it starts', async () => {
    const dir = freshDir()
    leaveResult(dir, resultOf(ID))
    for (let n = 0; n < 3; n++) {
      const server = await start(dir)
      // It prints its address just before it can be told to reload.
      await server.call('GET', '/health')
      server.child.kill('SIGHUP')
      await until('reloaded', () => log(dir).split('reading the configuration again').length === n + 2)
      await server.kill('SIGTERM')
    }
    expect(recorded(dir)).toEqual([{ actor: 'server', data: resultOf(ID) }])
  })

  test('is recorded while the server runs, and the record stays whole', async () => {
    const dir = freshDir()
    const server = await start(dir)
    const until1 = '2026-11-22T11:15:00.000Z'
    leaveResult(dir, resultOf(ID, { ticket: 'OPS-12', until: until1 }))
    await until('recorded', () => ids(dir).length === 1)
    expect(recorded(dir)[0]?.data).toMatchObject({ ticket: 'OPS-12', until: until1, reason: 'polling fails' })
    expect((await server.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, problems: [] })
  })

  test('of one that was uncertain and then resumed is recorded beside the first', async () => {
    const dir = freshDir()
    await start(dir)
    leaveResult(dir, resultOf(ID, { outcome: 'uncertain', exit_code: 3 }))
    await until('the first', () => ids(dir).length === 1)
    leaveResult(dir, resultOf(ID, { outcome: 'restored', exit_code: 1, finished_at: '2026-11-22T09:30:00.000Z' }))
    await until('the second', () => ids(dir).length === 2)
    expect(recorded(dir).map(({ data }) => data.outcome)).toEqual(['uncertain', 'restored'])
  })

  test('survives a server that is killed at once: recorded by the next one, not twice', async () => {
    const dir = freshDir()
    for (let n = 0; n < 4; n++) {
      const server = await start(dir)
      leaveResult(dir, resultOf(`20261122T0915${n}0Z-cli-x3f2`))
      await server.kill('SIGKILL')
    }
    await start(dir)
    expect(ids(dir)).toEqual([0, 1, 2, 3].map((n) => `20261122T0915${n}0Z-cli-x3f2`))
  })
})

describe('what is not the result of a rollback is left alone and logged once', () => {
  test('half a file, another id, a foreign shape, too much, a link, a pipe, a folder, and bytes that are no text', async () => {
    const dir = freshDir()
    const root = join(dir, 'rollbacks')
    const elsewhere = join(dir, 'elsewhere.json')
    const place = (n: number) => {
      const path = join(root, `20261122T09151${n}Z-cli-x3f2`)
      mkdirSync(path, { recursive: true })
      return join(path, 'result.json')
    }
    writeFileSync(place(0), JSON.stringify(resultOf(ID)).slice(0, 100))
    writeFileSync(place(1), JSON.stringify(resultOf(ID)))
    writeFileSync(place(2), JSON.stringify({ ...resultOf('20261122T091512Z-cli-x3f2'), outcome: 'fine' }))
    writeFileSync(place(3), JSON.stringify({ ...resultOf('20261122T091513Z-cli-x3f2'), more: 'x'.repeat(300_000) }))
    writeFileSync(elsewhere, JSON.stringify(resultOf('20261122T091514Z-cli-x3f2')))
    symlinkSync(elsewhere, place(4))
    execFileSync('mkfifo', [place(5)])
    mkdirSync(place(6))
    writeFileSync(place(7), Buffer.from([0x7b, 0xff, 0x7d]))
    // A link in the place of a whole rollback, and a name that no rollback has.
    mkdirSync(join(dir, 'outside'))
    writeFileSync(join(dir, 'outside', 'result.json'), JSON.stringify(resultOf('20261122T091518Z-cli-x3f2')))
    symlinkSync(join(dir, 'outside'), join(root, '20261122T091518Z-cli-x3f2'))
    mkdirSync(join(root, 'lost+found'))
    leaveResult(dir, resultOf(ID))

    const server = await start(dir)
    expect((await server.call('GET', '/health')).status).toBe(200)
    expect(ids(dir)).toEqual([ID])
    server.child.kill('SIGHUP')
    await until('reloaded', () => log(dir).includes('reading the configuration again'))
    expect((await server.call('GET', '/health')).status).toBe(200)
    expect(log(dir).match(/left alone/g)).toHaveLength(8)
  })

  test('a result that becomes readable later is recorded then', async () => {
    const dir = freshDir()
    leave(dir, ID, '{')
    await start(dir)
    expect(ids(dir)).toEqual([])
    leaveResult(dir, resultOf(ID))
    await until('recorded', () => ids(dir).length === 1)
  })

  test('a folder that is no folder stops nothing', async () => {
    const dir = freshDir()
    writeFileSync(join(dir, 'rollbacks'), 'not a folder')
    const server = await start(dir)
    expect((await server.call('GET', '/health')).status).toBe(200)
    expect(log(dir)).toContain('wait to be recorded')
    rmSync(join(dir, 'rollbacks'))
    leaveResult(dir, resultOf(ID))
    chmodSync(join(dir, 'rollbacks'), 0o700)
    await until('recorded', () => ids(dir).length === 1)
  })
})
