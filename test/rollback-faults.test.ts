import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import type { ServerFile } from '../src/rollback/process-runtime.ts'
import type { Seams } from '../src/rollback-command.ts'
import type { Ran } from './support/captured.ts'
import { apply, fingerprint, QUICK, REASON, rollback, undo } from './support/rollback.ts'
import {
  environment,
  type RunningServer,
  startServer,
  TSX,
  temporaryFolder,
  until,
  writeEnv,
} from './support/server.ts'

const ORIGINAL = 'APPROVAL_WORKFLOW_ENABLED=true\nAPPROVAL_TIMEOUT=300\n'
let folder: ReturnType<typeof temporaryFolder>
let dir: string

beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
  writeEnv(dir, ORIGINAL)
})
afterEach(() => folder.remove())

const env = () => readFileSync(join(dir, '.env'), 'utf8')
const records = () => readdirSync(join(dir, 'rollbacks')).filter((id) => id.includes('-disable-'))
const result = () => JSON.parse(readFileSync(join(dir, 'rollbacks', records().at(-1)!, 'result.json'), 'utf8'))

const disable = (seams: Seams = {}): Promise<Ran> =>
  rollback(dir, ['--yes', '--reason', REASON], {
    seams: { stability: { ...QUICK, withinMs: 8_000 }, ...seams },
  })

describe('a server that takes it badly', () => {
  let child: ChildProcess
  const serverFile = (): ServerFile => JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))

  async function start(how: string): Promise<void> {
    const argv = ['--import', TSX, join(ROOT, 'test/support/fake-server.ts'), how]
    child = spawn(process.execPath, argv, { env: environment(dir), cwd: dir, stdio: 'ignore' })
    await until('the fake server is up', () => existsSync(join(dir, 'server.json')))
  }
  afterEach(() => {
    for (const pid of [child.pid!, serverFile().process.pid]) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
  })

  const healthNow = async () =>
    (await (await fetch(`${serverFile().url}/health`)).json()) as { pid: number; gate: { effective: boolean } }

  test.each([
    ['deaf', 'did not read its configuration'],
    ['dies', 'ended when it was told to read'],
    ['crashes', 'the server has ended'],
    ['ill', 'says it is degraded'],
  ])('one that is %s: taken back, the gate on, a server alive, exit 1', async (how, says) => {
    await start(how)
    // One that has to be started again is given the time that a busy machine needs for that.
    const ran = await disable(how === 'dies' || how === 'crashes' ? { stability: QUICK } : {})
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(says)])
    expect(env()).toBe(ORIGINAL)
    expect((await healthNow()).gate.effective).toBe(true)
    expect(result()).toMatchObject({ outcome: 'restored', exit_code: 1 })
    expect(existsSync(join(dir, 'rollbacks', records()[0]!, 'snapshot', 'server-output.log'))).toBe(
      how === 'dies' || how === 'crashes',
    )
  })

  test('one that dies and does not come back: uncertain, exit 3, what it said is kept', async () => {
    await start('dies-for-good')
    const ran = await disable({ stability: QUICK })
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('a human must look')])
    expect(env()).toBe(ORIGINAL)
    const kept = join(dir, 'rollbacks', records()[0]!, 'snapshot', 'server-output.log')
    expect(readFileSync(kept, 'utf8')).toContain('cannot start')
    expect(result()).toMatchObject({ outcome: 'uncertain', exit_code: 3 })
  })

  test('one that stands still is not touched: exit 2', async () => {
    await start('deaf')
    child.kill('SIGSTOP')
    const before = fingerprint(dir)
    const ran = await disable()
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('does not answer')])
    expect(fingerprint(dir)).toEqual(before)
  })
})

describe('files and disks', () => {
  let server: RunningServer | undefined
  let mounted: string | undefined

  /** Of the test's folder: what lies on it comes along. */
  function mountTmpfs(path: string, options: string): void {
    mkdirSync(path, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
    mounted = path
  }
  const fill = (path: string) => {
    const { bavail, bsize } = statfsSync(path)
    writeFileSync(join(path, 'filler'), Buffer.alloc(bavail * bsize))
  }
  afterEach(async () => {
    await server?.kill('SIGKILL')
    server = undefined
    if (mounted) execFileSync('umount', ['-l', mounted])
    mounted = undefined
  })

  test('a file on a read-only disk: exit 2, nothing changed', async () => {
    const disk = join(dir, 'disk')
    mountTmpfs(disk, 'size=1m')
    writeFileSync(join(disk, '.env'), ORIGINAL)
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const ran = await rollback(dir, ['--yes', '--reason', REASON], { env: { APPROVAL_ENV_FILE: join(disk, '.env') } })
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('EROFS')])
    expect(readFileSync(join(disk, '.env'), 'utf8')).toBe(ORIGINAL)
    expect(existsSync(join(dir, 'rollbacks'))).toBe(false)
  })

  test('a full disk before it begins: exit 2, the file whole, no record', async () => {
    const disk = join(dir, 'disk')
    mountTmpfs(disk, 'size=1m')
    writeFileSync(join(disk, '.env'), ORIGINAL)
    fill(disk)
    const settings = { APPROVAL_ENV_FILE: join(disk, '.env') }
    const ran = await rollback(dir, ['--yes', '--reason', REASON], { env: settings })
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(new RegExp(`ENOSPC.*\\. df -h ${disk}\n$`))])
    expect(readdirSync(disk)).toEqual(['.env', 'filler'])
    expect(readFileSync(join(disk, '.env'), 'utf8')).toBe(ORIGINAL)
  })

  test.each(['folder made', 'begun', 'applying configure', 'applied configure'])(
    'a disk that is full from "%s" on: the file whole, and what happened is known',
    async (point) => {
      const disk = join(dir, 'disk')
      mountTmpfs(disk, 'size=2m')
      writeFileSync(join(disk, '.env'), ORIGINAL)
      server = await startServer(dir, { APPROVAL_ENV_FILE: join(disk, '.env') })
      const env = { APPROVAL_ENV_FILE: join(disk, '.env'), SECURITY_DB_PATH: join(disk, 'security.db') }
      // The server's database stays off the disk that fills up; only the toolkit's files share it.
      writeFileSync(join(disk, 'server.json'), readFileSync(join(dir, 'server.json')))
      const pause = async (moment: string) => {
        if (moment === point) fill(disk)
      }
      const seams = { pause, stability: QUICK }
      const ran = await rollback(dir, ['--yes', '--reason', REASON], { env, seams })
      const { gate } = (await server.call('GET', '/health', undefined, null)).json
      const isNew = readFileSync(join(disk, '.env'), 'utf8') !== ORIGINAL
      expect([ran.code, isNew, gate.effective], ran.stderr).toEqual(
        point === 'folder made'
          ? [2, false, true]
          : point === 'applied configure'
            ? [0, true, false]
            : [1, false, true],
      )
      const ids = readdirSync(join(disk, 'rollbacks')).filter((id) => id.includes('-disable-'))
      expect(ids.map((id) => existsSync(join(disk, 'rollbacks', id, 'result.json')))).toEqual(
        ran.code === 2 ? [] : [true],
      )
      rmSync(join(disk, 'filler'))
      expect((await rollback(dir, ['resume'], { env })).stdout).toContain('No rollback is unfinished')
    },
  )

  test('records that cannot be written: exit 2, nothing changed', async () => {
    mountTmpfs(join(dir, 'rollbacks'), 'size=1m,ro')
    const ran = await apply(dir)
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/nothing was changed/)])
    expect(env()).toBe(ORIGINAL)
    expect((await undo(dir)).code).toBe(0)
  })
})
