import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { environment, request, TSX, temporaryFolder, until } from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let child: ChildProcess
let output = ''

beforeEach(() => {
  dir = temporaryFolder()
  output = ''
  const args = ['--import', TSX, `${ROOT}/src/server.ts`, '--no-scheduler']
  child = spawn(process.execPath, args, { env: environment(dir.path), cwd: dir.path })
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk) => (output += chunk))
})
afterEach(() => {
  child.kill('SIGKILL')
  dir.remove()
})

/** Before its first own line has run a process hears nothing: Node resets what it would inherit. */
const hears = () =>
  until('it hears SIGHUP', () => {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
    return (BigInt(`0x${caught?.[1] ?? '0'}`) & 1n) === 1n
  })
const database = () => `${dir.path}/security.db`
const record = (): string[] => {
  const db = new Database(database(), { readonly: true })
  const types = db.prepare('SELECT type FROM approval_events ORDER BY seq').pluck().all() as string[]
  db.close()
  return types
}

describe('a server that is starting', () => {
  test('comes up although it is told all the time to read its files again, and reads them then', async () => {
    await hears()
    expect(existsSync(database())).toBe(false)
    const url = () => /http:\/\/\S+:\d+/.exec(output)?.[0]
    await until('it is up', () => child.exitCode !== null || !child.kill('SIGHUP') || url() !== undefined)
    expect((await request(`${url()}/health`, 'GET', undefined)).json).toMatchObject({ status: 'ok', pid: child.pid })
    await until('it has read its files', () => record().includes('config_reloaded'))
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('and gets %s first of all has done nothing, and says 0', async (signal) => {
    await hears()
    child.kill(signal)
    expect(await once(child, 'close')).toEqual([0, null])
    expect([existsSync(database()), output]).toEqual([false, ''])
  })

  test('and is stopped with its database open says so on record, and says 0', async () => {
    await until('the record has begun', () => existsSync(database()) && existsSync(`${dir.path}/credentials.json`))
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([0, null])
    const types = record()
    expect(types.slice(types.indexOf('server_started'))).toEqual(
      expect.arrayContaining(['server_started', 'server_stopped']),
    )
    expect(types.at(-1)).toBe('server_stopped')
  })
})
