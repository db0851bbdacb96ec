import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import stringWidth from 'string-width'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { onTerminal } from './support/cli.ts'
import { fingerprint, REASON, rollback } from './support/rollback.ts'
import {
  alive,
  environment,
  lines,
  type RunningServer,
  startServer,
  TSX,
  temporaryFolder,
  until,
  writeEnv,
} from './support/server.ts'

const ORIGINAL = 'APPROVAL_WORKFLOW_ENABLED=true\n'
const MAIN = join(ROOT, 'ops/rollback-disable.ts')
let folder: ReturnType<typeof temporaryFolder>
let dir: string
let server: RunningServer

beforeEach(async () => {
  folder = temporaryFolder()
  dir = folder.path
  writeEnv(dir, ORIGINAL)
  server = await startServer(dir)
})
afterEach(async () => {
  await server.kill('SIGKILL')
  folder.remove()
})

const gate = async () => (await server.call('GET', '/health', undefined, null)).json.gate

/** The real main, with the real patience. */
async function main(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const argv = ['--import', TSX, MAIN, '--runtime', 'process', ...args]
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, argv, { env: environment(dir), cwd: '/' })) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

describe('the real main', () => {
  test('watches the server for seven seconds, prints the result on stdout and all else on stderr', async () => {
    const started = performance.now()
    const { code, stdout, stderr } = await main('--yes', '--reason', REASON, '--lang', 'ko')
    expect(code).toBe(0)
    expect(performance.now() - started).toBeGreaterThan(7_000)
    expect(stdout.split('\n')[0]).toMatch(/^정상: 완료했고 효과를 확인했습니다/)
    expect(stderr).toContain('롤백 계획: disable')
    expect(await gate()).toMatchObject({ effective: false })
    expect((await main('status', '--format', 'json')).stdout).toContain('"schema": "ops.rollback-status.v1"')
  })

  test('prints help in both languages within 80 columns', async () => {
    for (const lang of ['ko', 'en']) {
      const { code, stdout } = await main('--help', '--lang', lang)
      expect([code, stdout]).toEqual([0, expect.stringContaining('--until-further-notice')])
      expect(stdout).toContain('75')
      expect(Math.max(...stdout.split('\n').map((line) => stringWidth(line)))).toBeLessThanOrEqual(80)
    }
  })

  test('asks on a terminal for the word, and does nothing for another one', async () => {
    const before = fingerprint(dir)
    const command = `'${process.execPath}' --import '${TSX}' '${MAIN}' --runtime process --lang en --reason '${REASON}'`
    const leaving = onTerminal(environment(dir), command)
    await leaving.sees('Type disable to go on')
    leaving.type('yes\r')
    await leaving.sees('Type disable, or Ctrl-C')
    leaving.type('\u0003')
    expect(await leaving.exit).toBe(2)
    const ending = onTerminal(environment(dir), command)
    await ending.sees('Type disable to go on')
    ending.type('\u0004')
    await ending.sees('Not confirmed; nothing was changed')
    expect(await ending.exit).toBe(2)
    expect(fingerprint(dir)).toEqual(before)

    const going = onTerminal(environment(dir), command)
    await going.sees('Type disable to go on')
    going.type('disable\r')
    await going.sees('its effect verified')
    expect(await going.exit).toBe(0)
    expect(await gate()).toMatchObject({ effective: false })
  })
})

test('a rehearsal goes there and back on a copy, touches nothing real, and is kept for the preflight', async () => {
  const { '.env': before } = fingerprint(dir)
  const { code, stdout, stderr } = await rollback(dir, ['--rehearse'])
  expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/Rehearsed: applied in [\d.]+ s, taken back in/)])
  expect(fingerprint(dir)['.env']).toBe(before)
  expect(await gate()).toMatchObject({ effective: true })
  const [kept] = lines(join(dir, 'rollbacks', 'rehearsals.jsonl')).map((line) => JSON.parse(line))
  expect(kept).toMatchObject({ scenario: 'disable', ok: true, apply_seconds: expect.any(Number) })
  const copy = /(\/\S+approval-rehearsal-[\w-]+)\/\.env/.exec(stderr)![1]!
  expect(existsSync(copy)).toBe(false)
  expect(readFileSync(join(dir, '.env'), 'utf8')).toBe(ORIGINAL)
})

test('a rehearsal that is killed takes the server of its copy with it', async () => {
  const TMPDIR = join(dir, 'tmp')
  mkdirSync(TMPDIR)
  const argv = ['--import', TSX, MAIN, '--runtime', 'process', '--rehearse']
  const rehearsing = spawn(process.execPath, argv, { env: environment(dir, { TMPDIR }), cwd: '/', stdio: 'ignore' })
  const serverFile = () =>
    readdirSync(TMPDIR, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('/server.json'))
  await until('the copy has its server', () => serverFile() !== undefined)
  const { process: own } = JSON.parse(readFileSync(join(TMPDIR, serverFile()!), 'utf8'))
  onTestFinished(() => void (alive(own.pid) && process.kill(own.pid, 'SIGKILL')))
  expect(alive(own.pid)).toBe(true)
  rehearsing.kill('SIGKILL')
  await until('it has ended', () => !alive(own.pid))
})
