import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { displayWidth } from '../src/report/printable.ts'
import { realSystem } from '../src/system/real.ts'
import { apply, compareIn, killedAt, rollbackEnv, undo } from './support/rollback-env.ts'
import { type RunningServer, request, startServer, temporaryFolder, until, writeEnv } from './support/server.ts'

const OLD = '\ufeff# 팀 설정\r\nAPPROVAL_TIMEOUT = "300"   # 5분\r\nRBAC_ENABLED=true\r\nAPPROVAL_MAX_PENDING=50'
const NEW = '\ufeff# 팀 설정\r\nAPPROVAL_TIMEOUT = "60"   # 1분\r\nRBAC_ENABLED=true\r\nAPPROVAL_MAX_PENDING=20'

let folder: ReturnType<typeof temporaryFolder>
let dir: string
let server: RunningServer | undefined

beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
  server = undefined
  writeEnv(dir, OLD)
})
afterEach(async () => {
  await server?.kill('SIGKILL')
  folder.remove()
})

const bytes = () => readFileSync(join(dir, '.env'), 'utf8')
const health = async () => (await server!.call('GET', '/health', undefined, null)).json
const effective = async (): Promise<Record<string, string>> => (await health()).config.effective
const records = () => readdirSync(join(dir, 'rollbacks')).filter((name) => /^\d{8}T/.test(name))

describe('rollback-env of a running server', () => {
  beforeEach(async () => {
    server = await startServer(dir)
  })

  test('does nothing where nothing differs', async () => {
    const loaded = (await health()).config.loaded_at
    const { code, stdout } = await apply(dir)
    expect([code, stdout]).toEqual([0, expect.stringContaining('does what')])
    expect((await health()).config.loaded_at).toBe(loaded)
    expect((await compareIn(dir)).code).toBe(0)
  })

  test('shows the plan and changes nothing in a dry run', async () => {
    writeEnv(dir, NEW)
    const was = await effective()
    const { code, stdout } = await rollbackEnv(dir, ['--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/APPROVAL_TIMEOUT\s+300\s+60/)
    expect(stdout).toContain(`kill -HUP ${server!.child.pid}`)
    for (const lang of ['ko', 'en']) {
      const { stdout: text } = await rollbackEnv(dir, ['--dry-run', '--lang', lang])
      expect(/[가-힣]/.test(text.replaceAll(/rollback plan: env/gi, ''))).toBe(lang === 'ko')
      for (const line of text.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    }
    expect(await effective()).toEqual(was)
    expect(readdirSync(dir)).not.toContain('rollbacks')
  })

  test('brings every setting into force by one reload, without touching the file, and once is enough', async () => {
    writeEnv(dir, NEW)
    const was = await health()
    const { mtimeMs, ino } = statSync(join(dir, '.env'))
    const { code, stdout } = await apply(dir, '--format', 'json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout).result).toMatchObject({
      ...{ outcome: 'done', scenario: 'env', runtime: 'process' },
      changes: [
        { what: 'APPROVAL_TIMEOUT', from: '300', to: '60' },
        { what: 'APPROVAL_MAX_PENDING', from: '50', to: '20' },
      ],
    })
    const is = await health()
    expect(is.pid).toBe(was.pid)
    expect(is.config.effective).toEqual({ ...was.config.effective, APPROVAL_TIMEOUT: '60', APPROVAL_MAX_PENDING: '20' })
    expect([bytes(), statSync(join(dir, '.env')).mtimeMs, statSync(join(dir, '.env')).ino]).toEqual([NEW, mtimeMs, ino])
    expect((await compareIn(dir)).code).toBe(0)

    const again = await apply(dir)
    expect(again.code).toBe(0)
    expect((await health()).config.loaded_at).toBe(is.config.loaded_at)
    expect(records()).toHaveLength(1)
  })

  test('undo: the server does what it did before, and the file has the same bytes and mode', async () => {
    writeEnv(dir, NEW)
    chmodSync(join(dir, '.env'), 0o640)
    const was = await effective()
    expect((await apply(dir)).code).toBe(0)
    expect((await undo(dir)).code).toBe(0)
    expect(await effective()).toEqual(was)
    expect([bytes(), statSync(join(dir, '.env')).mode & 0o777]).toEqual([NEW, 0o640])
    expect((await compareIn(dir)).code).toBe(1)
    expect((await undo(dir)).stdout).toMatch(/no rollback to undo|undone already/)
  })

  test('undo is refused when the file says something else by now: nothing is changed', async () => {
    writeEnv(dir, NEW)
    expect((await apply(dir)).code).toBe(0)
    const is = await effective()
    writeEnv(dir, `${NEW}\r\nAPPROVAL_HOLD=40`)
    const { code, stderr } = await undo(dir)
    expect([code, stderr]).toEqual([2, expect.stringContaining('was changed since')])
    expect([await effective(), bytes()]).toEqual([is, `${NEW}\r\nAPPROVAL_HOLD=40`])
  })

  test('undo through a link: the link stays, the file behind it has its bytes', async () => {
    const real = join(dir, 'config')
    mkdirSync(real)
    writeFileSync(join(real, 'desk.env'), NEW)
    const link = join(dir, '.env')
    await realSystem.remove(link)
    symlinkSync('config/desk.env', link)
    const was = await effective()
    expect((await apply(dir)).code).toBe(0)
    expect((await undo(dir)).code).toBe(0)
    expect(await effective()).toEqual(was)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(real, 'desk.env'), 'utf8')).toBe(NEW)
    expect(readdirSync(real)).toEqual(['desk.env'])
  })

  test('undo where the file is gone by design: nothing is left behind', async () => {
    await realSystem.remove(join(dir, '.env'))
    writeEnv(dir, 'APPROVAL_TIMEOUT=90\n')
    expect((await apply(dir)).code).toBe(0)
    await realSystem.remove(join(dir, '.env'))
    expect((await apply(dir)).code).toBe(0)
    expect((await effective()).APPROVAL_TIMEOUT).toBe('300')
    expect((await undo(dir)).code).toBe(0)
    expect((await effective()).APPROVAL_TIMEOUT).toBe('90')
    expect(readdirSync(dir)).not.toContain('.env')
  })

  test('refuses what makes the desk less safe until the key is accepted by name', async () => {
    const weak = 'RBAC_ENABLED=false\nSANDBOX_ENABLED=false\nAPPROVAL_EXECUTION_TTL=900\nAPPROVAL_TIMEOUT=600\n'
    writeEnv(dir, weak)
    const was = await effective()
    const refused = await apply(dir, '--accept', 'RBAC_ENABLED')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('--accept SANDBOX_ENABLED')
    expect(refused.stderr).toContain('APPROVAL_EXECUTION_TTL')
    expect(refused.stderr).not.toContain('APPROVAL_TIMEOUT')
    expect(await effective()).toEqual(was)
    const keys = ['RBAC_ENABLED', 'SANDBOX_ENABLED', 'APPROVAL_EXECUTION_TTL'].flatMap((key) => ['--accept', key])
    const accepted = await apply(dir, ...keys)
    expect(accepted.code).toBe(0)
    expect(accepted.stderr).toContain('roles are not checked')
    expect((await health()).rbac).toBe(false)

    // The way back from the safe side is the unsafe one, and its plan says so.
    writeEnv(dir, 'RBAC_ENABLED=true\nSANDBOX_ENABLED=false\nAPPROVAL_EXECUTION_TTL=900\nAPPROVAL_TIMEOUT=600\n')
    expect((await apply(dir)).code).toBe(0)
    const back = await rollbackEnv(dir, ['undo', '--dry-run'])
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('roles are not checked')])
  })

  test('a key that cannot be accepted is a mistake in the command', async () => {
    expect((await apply(dir, '--accept', 'NOT_A_KEY')).code).toBe(64)
  })

  test('names what can never take effect, and changes the rest', async () => {
    writeEnv(dir, `APPROVAL_TIMEOUT=60\nOPS_TIMEZONE=UTC\nSECURITY_DB_PATH=/elsewhere.db\nAPROVAL_HOLD=1\n`)
    const { code, stderr } = await apply(dir)
    expect(code).toBe(0)
    const text = stderr.replace(/\s+/g, ' ')
    expect(text).toContain('Not changed: OPS_TIMEZONE. Only a start of the server reads it')
    expect(text).toMatch(/Not changed: SECURITY_DB_PATH. The server's own environment .* wins over .env/)
    expect(text).toContain('Not changed: APROVAL_HOLD. No setting of approval-ops')
    expect(await effective()).toMatchObject({ APPROVAL_TIMEOUT: '60', OPS_TIMEZONE: 'Asia/Seoul' })
  })

  test('refuses when all that is left needs more than a reload', async () => {
    writeEnv(dir, `${OLD}\r\nOPS_TIMEZONE=UTC`)
    const start = await apply(dir)
    expect([start.code, start.stderr]).toEqual([2, expect.stringContaining('only a start')])
    writeEnv(dir, `${OLD}\r\nLOG_PATH=/elsewhere.log`)
    const never = await apply(dir)
    expect([never.code, never.stderr]).toEqual([2, expect.stringContaining('LOG_PATH')])
    writeEnv(dir, `${OLD}\r\nSOMEBODY_ELSES=1`)
    const stranger = await apply(dir)
    expect([stranger.code, stranger.stdout]).toEqual([0, expect.stringContaining('SOMEBODY_ELSES')])
  })

  test('a file that cannot be read is refused with its lines, and the comparison still works', async () => {
    writeEnv(dir, 'APPROVAL_TIMEOUT=60\nBROKEN LINE HERE\nAPPROVAL_HOLD=5m\n')
    const refused = await apply(dir)
    expect(refused.code).toBe(78)
    expect(refused.stderr).toMatch(/\.env:2: .*\n.*\.env:3: APPROVAL_HOLD/)
    const { code, stdout } = await compareIn(dir)
    expect(code).toBe(1)
    expect(stdout.replace(/\s+/g, ' ')).toContain('.env line 2: not KEY=value')
    expect((await effective()).APPROVAL_TIMEOUT).toBe('300')
  })

  test('a plan that is no longer true under the lock is refused', async () => {
    writeEnv(dir, NEW)
    const other = NEW.replace('"60"', '"90"')
    const system = {
      ...realSystem,
      async makeFolder(path: string) {
        if (path.endsWith('rollbacks')) writeEnv(dir, other)
        await realSystem.makeFolder(path)
      },
    }
    const { code, stderr } = await rollbackEnv(dir, ['--yes', '--reason', 'the settings do not match'], {
      seams: { system },
    })
    expect([code, stderr]).toEqual([2, expect.stringContaining('has changed since the plan')])
    expect(await effective()).toMatchObject({ APPROVAL_TIMEOUT: '300', APPROVAL_MAX_PENDING: '50' })
    expect([bytes(), records()]).toEqual([other, []])
  })

  test('a file that is edited after that is not brought into force', async () => {
    writeEnv(dir, NEW)
    const pause = async (moment: string) => {
      if (moment === 'locked') writeEnv(dir, OLD)
    }
    const changed = await rollbackEnv(dir, ['--yes', '--reason', 'the settings do not match'], { seams: { pause } })
    expect([changed.code, changed.stderr]).toEqual([
      1,
      expect.stringContaining('the earlier state is restored and verified'),
    ])
    expect(await effective()).toMatchObject({ APPROVAL_TIMEOUT: '300', APPROVAL_MAX_PENDING: '50' })
    expect(bytes()).toBe(OLD)
  })

  test('a server that dies of the reload is brought back as it was: exit 1', async () => {
    writeEnv(dir, NEW)
    const was = await effective()
    let told = 0
    const system = {
      ...realSystem,
      async signal(known: Parameters<typeof realSystem.signal>[0], signal: NodeJS.Signals) {
        return await realSystem.signal(known, signal === 'SIGHUP' && ++told === 1 ? 'SIGKILL' : signal)
      },
    }
    const { code, stderr } = await rollbackEnv(dir, ['--yes', '--reason', 'the settings do not match'], {
      seams: { system },
    })
    const { process: started, url } = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))
    try {
      expect(code, stderr).toBe(1)
      expect(stderr).toContain('the earlier state is restored and verified')
      const { json: is } = await request(`${url}/health`, 'GET', undefined)
      expect(is.pid).not.toBe(server!.child.pid)
      expect({ ...is.config.effective, PORT: '' }).toEqual({ ...was, PORT: '' })
      expect(bytes()).toBe(NEW)
    } finally {
      process.kill(started.pid, 'SIGKILL')
    }
  })
})

test('rehearses on a copy with a server of its own, and leaves the real file alone', async () => {
  const { code, stdout, stderr } = await rollbackEnv(dir, ['--rehearse', '--yes', '--reason', 'the monthly rehearsal'])
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/rehears/i)
  expect(bytes()).toBe(OLD)
})

test('without a server there is nothing to bring into force: refused', async () => {
  const { code, stderr } = await apply(dir)
  expect([code, stderr]).toEqual([2, expect.stringContaining('No server runs')])
  const compared = await compareIn(dir)
  expect([compared.code, compared.stderr]).toEqual([3, expect.stringContaining('does not answer')])
})

describe('killed at any moment, and resumed', () => {
  const kill = async (moment: string, ...args: string[]): Promise<void> => {
    expect((await killedAt(dir, moment, args)).ended, moment).toBe('SIGKILL')
  }

  test('there is no mixed state: the server does all of it or what it did, and the file has its bytes', async () => {
    server = await startServer(dir)
    const was = await effective()
    writeEnv(dir, NEW)
    const wanted = { ...was, APPROVAL_TIMEOUT: '60', APPROVAL_MAX_PENDING: '20' }
    const there = (await killedAt(dir, null, [])).moments
    const back = (await killedAt(dir, null, ['undo'])).moments
    expect(there.join('\n')).toMatch(/moment take-over taken over/)
    expect(back.join('\n')).toMatch(/earlier values written.*restored.*file put back/s)
    expect(await effective()).toEqual(was)

    for (const moment of there) {
      await kill(moment)
      const resumed = await rollbackEnv(dir, ['resume', '--yes', '--reason', 'the settings do not match'])
      expect(resumed.code, `${moment}: ${resumed.stderr}`).toBe(0)
      expect(bytes(), moment).toBe(NEW)
      const is = await effective()
      // Before the plan lies there, nothing has begun and nothing is resumed.
      const begun = there.indexOf(moment) >= there.indexOf('begun')
      expect(is, moment).toEqual(begun ? wanted : was)
      if (begun) expect((await undo(dir)).code).toBe(0)
    }
    for (const moment of back) {
      expect((await apply(dir)).code).toBe(0)
      await kill(moment, 'undo')
      const resumed = await rollbackEnv(dir, ['resume', '--yes', '--reason', 'the settings do not match'])
      expect(resumed.code, `${moment}: ${resumed.stderr}`).toBe(0)
      expect(bytes(), moment).toBe(NEW)
      const begun = back.indexOf(moment) >= back.indexOf('begun')
      expect(await effective(), moment).toEqual(begun ? was : wanted)
      if (!begun) expect((await undo(dir)).code).toBe(0)
    }
    await until('nothing is unfinished', async () => (await rollbackEnv(dir, ['--dry-run'])).code === 0)
  }, 1_800_000)

  test('told to end, it takes back what it has begun, or has finished it', async () => {
    server = await startServer(dir)
    const was = await effective()
    writeEnv(dir, NEW)
    const wanted = { ...was, APPROVAL_TIMEOUT: '60', APPROVAL_MAX_PENDING: '20' }
    const inside = (moments: readonly string[]) => moments.filter((moment) => /^(moment|applied)/.test(moment))
    const there = inside((await killedAt(dir, null, [])).moments)
    const back = inside((await killedAt(dir, null, ['undo'])).moments)
    expect([there.length, back.length].every((n) => n > 1)).toBe(true)
    const ended = async (n: number, moment: string, args: readonly string[], before: object, after: object) => {
      const signal = n % 2 ? 'SIGHUP' : 'SIGTERM'
      const { ended: code, text } = await killedAt(dir, moment, args, signal)
      expect([0, 1], `${signal} at ${moment}: ${text}`).toContain(code)
      expect(await effective(), `${signal} at ${moment}`).toEqual(code === 0 ? after : before)
      expect(bytes(), moment).toBe(NEW)
      expect((await rollbackEnv(dir, ['resume'])).stdout).toContain('No rollback is unfinished')
      return code === 0
    }
    for (const [n, moment] of there.entries()) {
      if (await ended(n, moment, [], was, wanted)) expect((await undo(dir)).code).toBe(0)
    }
    expect((await apply(dir)).code).toBe(0)
    for (const [n, moment] of back.entries()) {
      if (await ended(n, moment, ['undo'], wanted, was)) expect((await apply(dir)).code).toBe(0)
    }
  }, 1_800_000)
})
