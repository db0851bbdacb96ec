import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockFile } from '../src/store/lock-file.ts'
import { realSystem } from '../src/system/real.ts'
import { apply, fingerprint, REASON, rollback, startVictim, undo } from './support/rollback.ts'
import { type RunningServer, startServer, temporaryFolder, until, writeEnv } from './support/server.ts'

const ORIGINAL = '\ufeff# 팀 설정\r\nexport APPROVAL_WORKFLOW_ENABLED = "true"   # 승인\r\nAPPROVAL_TIMEOUT=300'
let folder: ReturnType<typeof temporaryFolder>
let dir: string
let server: RunningServer | undefined

beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
  server = undefined
  writeEnv(dir, ORIGINAL)
  chmodSync(join(dir, '.env'), 0o640)
})
afterEach(async () => {
  await server?.kill('SIGKILL')
  folder.remove()
})

const env = () => readFileSync(join(dir, '.env'), 'utf8')
const health = async () => (await server!.call('GET', '/health', undefined, null)).json
const gate = async () => (await health()).gate
const records = () =>
  existsSync(join(dir, 'rollbacks')) ? readdirSync(join(dir, 'rollbacks')).filter((id) => id.includes('-disable-')) : []
const json = (text: string) => JSON.parse(text)

describe('with a running server', () => {
  beforeEach(async () => {
    server = await startServer(dir)
  })

  test('a dry run prints the plan and writes nothing', async () => {
    const before = fingerprint(dir)
    const { code, stdout } = await rollback(dir, ['--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toContain(`kill -HUP ${server!.child.pid}`)
    expect(stdout).toContain('WARNING: HIGH and CRITICAL tools run without approval until')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(fingerprint(dir)).toEqual(before)
    expect(await gate()).toMatchObject({ effective: true })
    const shown = (await rollback(dir, ['--dry-run', '--tz', 'America/New_York'])).stdout
    expect([/Asia\/Seoul/.test(stdout), shown]).toEqual([true, expect.stringContaining('America/New_York')])
    expect(shown).not.toContain('Asia/Seoul')
  })

  test('applies exactly the plan: one key in the file, the gate off until then, nothing else', async () => {
    const was = await health()
    const { code, stdout } = await apply(dir, '--for', '1h30m', '--format', 'json')
    expect(code).toBe(0)
    const { plan, result } = json(stdout)
    const lease = plan.changes.find(({ what }: { what: string }) => what.endsWith('APPROVAL_DISABLED_UNTIL')).to
    expect(env()).toMatch(new RegExp(`^\ufeff[^]*APPROVAL_TIMEOUT=300\r\n# .*\r\nAPPROVAL_DISABLED_UNTIL=${lease}$`))
    expect(env().startsWith(ORIGINAL)).toBe(true)
    const is = await health()
    expect(is).toMatchObject({ pid: was.pid, gate: { configured: true, effective: false, disabled_until: lease } })
    expect({ ...is.config.effective, APPROVAL_DISABLED_UNTIL: '' }).toEqual(was.config.effective)
    expect(result).toMatchObject({ outcome: 'done', exit_code: 0, reason: REASON, until: lease, runtime: 'process' })
    const ends = Date.parse(lease) - Date.parse(result.started_at)
    expect(ends).toBeGreaterThanOrEqual(90 * 60_000)
    expect(ends).toBeLessThanOrEqual(91 * 60_000)
  })

  test('keeps its records to itself', async () => {
    await apply(dir)
    const modes = Object.entries(fingerprint(join(dir, 'rollbacks'))).map(
      ([name, text]) => [name, Number(text.split(' ')[0]) & 0o777] as const,
    )
    for (const [name, mode] of modes) if (!name.startsWith('lock')) expect([0o600, 0o700], name).toContain(mode)
  })

  test('a second apply for the same reason changes nothing and is no failure', async () => {
    await apply(dir)
    const before = { ...fingerprint(dir) }
    const { code, stdout } = await apply(dir, '--for', '3h')
    expect([code, stdout]).toEqual([0, expect.stringContaining('off already until')])
    expect(fingerprint(dir)).toEqual(before)
  })

  test('is extended only for its own reason, which shows both ends; undo goes back to before the first', async () => {
    await apply(dir, '--for', '1h')
    const first = (await gate()).disabled_until
    const extended = await rollback(dir, [
      '--yes',
      '--for',
      '4h',
      '--reason',
      'the vendor needs more time',
      '--format',
      'json',
    ])
    expect(extended.code).toBe(0)
    const second = (await gate()).disabled_until
    const change = json(extended.stdout).result.changes.find(({ what }: { what: string }) =>
      what.endsWith('DISABLED_UNTIL'),
    )
    expect(change).toMatchObject({ from: first, to: second })
    const undone = await undo(dir, '--format', 'json')
    expect(undone.code).toBe(0)
    expect(json(undone.stdout).result.changes).toMatchObject([
      { what: 'gate (effective)', to: 'on' },
      { what: expect.stringContaining('APPROVAL_DISABLED_UNTIL'), from: second, to: '' },
    ])
    expect(env()).toBe(ORIGINAL)
    expect(await gate()).toMatchObject({ effective: true, disabled_until: null })
    expect((await undo(dir)).stdout).toContain('no rollback to undo')
    const by = json(undone.stdout).result.id
    const listed = (await rollback(dir, ['status'])).stdout.replaceAll(/\s+/g, ' ')
    for (const id of records().filter((name) => name !== by)) {
      expect(listed).toContain(`${id} done, and undone by ${by}: `)
      expect((await undo(dir, id)).stdout).toContain('is undone already')
      const one = (await rollback(dir, ['status', id])).stdout.replaceAll(/\s+/g, ' ')
      expect(one).toContain(`is undone already (${by})`)
    }
  })

  test('undo restores every byte and the mode, and is known to the record', async () => {
    await apply(dir)
    const ran = await undo(dir, '--format', 'json')
    expect(ran.code).toBe(0)
    expect(env()).toBe(ORIGINAL)
    expect(statSync(join(dir, '.env')).mode & 0o777).toBe(0o640)
    expect(await gate()).toMatchObject({ effective: true })
    const [id] = records()
    expect(json(ran.stdout).result).toMatchObject({ kind: 'undo', undoes: id, outcome: 'done' })
    const again = await undo(dir, id!)
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('is undone already')])
  })

  test('undo refuses a server that stands still: the file stays as it is, nothing is uncertain', async () => {
    await apply(dir)
    const before = fingerprint(dir)
    server!.child.kill('SIGSTOP')
    const ran = await undo(dir)
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/does not answer at .*\. npm run daily-check\n$/)])
    expect(fingerprint(dir)).toEqual(before)
    server!.child.kill('SIGCONT')
    expect((await undo(dir)).code).toBe(0)
    expect(env()).toBe(ORIGINAL)
  })

  test('undo refuses a file that was changed since', async () => {
    await apply(dir)
    writeFileSync(join(dir, '.env'), `${env()}\r\nOPS_LANG=en\r\n`)
    const now = env()
    const ran = await undo(dir)
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringMatching(/was changed since; .*\. diff \S+env\.after \S+\.env\n/),
    ])
    expect(env()).toBe(now)
  })

  test('until further notice needs a ticket, and is off without end', async () => {
    expect((await apply(dir, '--until-further-notice')).code).toBe(64)
    const { code } = await apply(dir, '--until-further-notice', '--ticket', 'OPS-7')
    expect(code).toBe(0)
    expect(env()).toContain('APPROVAL_WORKFLOW_ENABLED = "false"   # 승인')
    expect(await gate()).toMatchObject({ configured: false, effective: false, disabled_until: null })
    const more = await rollback(dir, ['--yes', '--reason', 'another good reason'])
    expect([more.code, more.stdout]).toEqual([0, expect.stringContaining('off already, until further notice')])
    expect((await undo(dir)).code).toBe(0)
    expect(env()).toBe(ORIGINAL)
  })

  test('follows a link to the file and leaves it a link', async () => {
    mkdirSync(join(dir, '설정 폴더'))
    const real = join(dir, '설정 폴더', 'env')
    writeFileSync(real, ORIGINAL, { mode: 0o600 })
    unlinkSync(join(dir, '.env'))
    symlinkSync(real, join(dir, '.env'))
    expect((await apply(dir)).code).toBe(0)
    expect(readFileSync(real, 'utf8')).toContain('APPROVAL_DISABLED_UNTIL=')
    expect((await undo(dir)).code).toBe(0)
    expect(readFileSync(real, 'utf8')).toBe(ORIGINAL)
    expect(statSync(real).mode & 0o777).toBe(0o600)
  })

  test('lists what waits for a decision', async () => {
    const { short_id } = await server!.ask()
    const { stdout } = await rollback(dir, ['--dry-run'])
    expect(stdout.replace(/\s+/g, ' ')).toContain(`${short_id} execute_python (CRITICAL, dev_user)`)
  })

  test('refuses a stale plan: the file changed between the plan and the lock', async () => {
    const system = {
      ...realSystem,
      async makeFolder(path: string) {
        if (path.endsWith('rollbacks')) writeFileSync(join(dir, '.env'), `${ORIGINAL}\r\n`)
        await realSystem.makeFolder(path)
      },
    }
    const ran = await rollback(dir, ['--yes', '--reason', REASON], { seams: { system } })
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('has changed since the plan')])
    expect(env()).toBe(`${ORIGINAL}\r\n`)
    expect(records()).toEqual([])
  })

  test('meets the lock of another rollback and says whose it is', async () => {
    mkdirSync(join(dir, 'rollbacks'))
    const holder = { by: 'kim', since: '2026-11-22T09:00:00.000Z', what: 'env', reason: 'something else', pid: 1 }
    writeFileSync(join(dir, 'rollbacks', 'lock.json'), JSON.stringify(holder))
    const release = lockFile(join(dir, 'rollbacks', 'lock.db'))!
    try {
      const ran = await apply(dir)
      expect([ran.code, ran.stderr]).toEqual([75, expect.stringMatching(/kim, since .*, env, reason: something else/)])
    } finally {
      release()
    }
    expect(env()).toBe(ORIGINAL)
    expect((await apply(dir)).code).toBe(0)
  })

  test.each(['locked', 'applying configure', 'verified configure'])(
    'of two operators at once the second is told who the first is, while that one is at "%s"',
    async (point) => {
      const first = startVictim(dir, [point], ['--yes', '--reason', REASON])
      expect(await first.reached()).toBe(point)
      const second = await rollback(dir, ['--yes', '--reason', 'the other operator'])
      expect([second.code, second.stderr]).toEqual([75, expect.stringContaining(`disable, reason: ${REASON}`)])
      first.release()
      expect(await first.ended).toBe(0)
      expect(records()).toHaveLength(1)
    },
  )

  test('a run that was cut off and whose lease is over by now is taken back, not finished', async () => {
    const victim = startVictim(dir, ['moment configure written'], ['--yes', '--reason', REASON])
    expect(await victim.reached()).toBe('moment configure written')
    victim.child.kill('SIGKILL')
    await victim.ended
    const [id] = records()
    const path = join(dir, 'rollbacks', id!, 'plan.json')
    const begun = json(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...begun, plan: { ...begun.plan, validUntil: '2020-01-01T00:00:00Z' } }))
    const dry = await rollback(dir, ['--dry-run'])
    expect([dry.code, dry.stderr]).toEqual([
      2,
      expect.stringMatching(/unfinished: .*\. npm run rollback-disable -- resume/),
    ])
    const ran = await rollback(dir, ['resume'])
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('its time was over')])
    expect(env()).toBe(ORIGINAL)
    expect(await gate()).toMatchObject({ effective: true })
    expect((await rollback(dir, ['status', id!])).stdout).toContain('taking-back')
  })

  test('a run whose own deadline passes is taken back', async () => {
    const victim = startVictim(dir, ['applied configure'], ['--yes', '--reason', REASON, '--timeout', '5'])
    // A machine that is slower than that does not get so far.
    const begun = (await victim.reached()) !== undefined
    await new Promise((later) => setTimeout(later, 5_000))
    victim.release()
    expect(begun ? [1] : [1, 124]).toContain(await victim.ended)
    await until('it says why', () => victim.text().includes('the deadline of 5 s has passed'))
    for (const id of records()) {
      expect(json(readFileSync(join(dir, 'rollbacks', id, 'result.json'), 'utf8'))).not.toHaveProperty('until')
    }
    expect(env()).toBe(ORIGINAL)
    expect(await gate()).toMatchObject({ effective: true })
  })

  test('refuses to bring other changes of the file into force unseen', async () => {
    writeFileSync(join(dir, '.env'), ORIGINAL.replace('300', '200'))
    const ran = await apply(dir)
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('APPROVAL_TIMEOUT: 300 -> 200')])
    expect((await apply(dir, '--accept-drift')).code).toBe(0)
    expect((await health()).config.effective.APPROVAL_TIMEOUT).toBe('200')
  })

  test('says what else becomes less safe by lines that were not read yet, and that an undo leaves them', async () => {
    writeFileSync(join(dir, '.env'), `${ORIGINAL}\r\nRBAC_ENABLED=false`)
    const { stdout } = await rollback(dir, ['--accept-drift', '--dry-run'])
    expect(stdout).toContain('WARNING: RBAC_ENABLED true -> false: roles are not checked')
    expect(stdout).toContain('RBAC_ENABLED: stays in force after an undo')
    expect((await apply(dir, '--accept-drift')).code).toBe(0)
    const { result } = json((await undo(dir, '--format', 'json')).stdout)
    expect((await health()).config.effective.RBAC_ENABLED).toBe('false')
    expect(JSON.stringify(result.changes)).not.toContain('RBAC_ENABLED')
  })

  test('refuses what the file cannot change: the server has it in its environment', async () => {
    await server!.kill('SIGTERM')
    server = await startServer(dir, { APPROVAL_DISABLED_UNTIL: '2020-01-01T00:00:00Z' })
    const ran = await apply(dir)
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('is set in the environment of the server')])
    expect(env()).toBe(ORIGINAL)
  })

  test('the lease ends by itself when the toolkit is gone', async () => {
    // Time enough to be seen off.
    const soon = new Date(Date.now() + 10_000).toISOString()
    writeFileSync(join(dir, '.env'), `${ORIGINAL}\r\nAPPROVAL_DISABLED_UNTIL=${soon}`)
    server!.child.kill('SIGHUP')
    await until('the gate is off', async () => !(await gate()).effective)
    await until('the gate is on again', async () => (await gate()).effective)
    const ran = await apply(dir)
    expect(ran.code).toBe(0)
    expect((await undo(dir)).code).toBe(0)
    expect(env()).toBe(`${ORIGINAL}\r\nAPPROVAL_DISABLED_UNTIL=${soon}`)
  })
})

describe('refused before anything happens', () => {
  test.each([
    [['--yes'], 64, '--reason'],
    [['--yes', '--reason', 'too short'], 64, '10 characters'],
    [['--for', '25h', '--dry-run'], 64, '24h'],
    [['--for', '0m', '--dry-run'], 64, '30m, 2h, 1h30m'],
    [['--for', '1h', '--until-further-notice', '--ticket', 'X', '--dry-run'], 64, 'exclude'],
    [['--tz', 'Asia/Soul', '--dry-run'], 64, 'Asia/Soul'],
    [['destroy'], 64, 'Unknown command'],
    [['--unknown'], 64, 'unknown'],
    [['status', 'nothing'], 64, 'No such rollback'],
    [['--reason', REASON], 2, `npm run rollback-disable -- --lang en --runtime process --reason '${REASON}' --yes`],
    [['--dry-run', '--runtime', 'compose'], 2, 'compose'],
  ])('%j ends with %i', async (args, code, says) => {
    const before = fingerprint(dir)
    const ran = await rollback(dir, args)
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(says)])
    expect(ran.stderr.trim().split('\n').at(-1)).toMatch(/\. (npm run|ls )/)
    expect(fingerprint(dir)).toEqual(before)
  })

  test('a file that cannot be read in one way only is 78', async () => {
    writeEnv(dir, 'APPROVAL_TIMEOUT=five\n')
    const { code, stderr } = await apply(dir)
    const file = join(dir, '.env')
    expect([code, stderr.trim().split('\n').at(-1)]).toEqual([
      78,
      `The configuration is wrong (1 problem above). Correct ${file}. vi ${file}`,
    ])
  })

  test('nothing to undo and nothing to resume is no failure', async () => {
    expect((await undo(dir)).code).toBe(0)
    expect((await rollback(dir, ['resume'])).code).toBe(0)
    expect((await rollback(dir, ['status'])).stdout).toContain('No rollback has been run')
  })
})

describe('with no server', () => {
  test('edits the file, says that nothing runs, and proves how the next start will read it', async () => {
    const { code, stderr } = await apply(dir)
    expect([code, stderr]).toEqual([0, expect.stringContaining('No server runs: it takes effect at the next start')])
    server = await startServer(dir)
    expect(await gate()).toMatchObject({ configured: true, effective: false })
    expect((await undo(dir)).code).toBe(0)
    expect(await gate()).toMatchObject({ effective: true })
    expect(env()).toBe(ORIGINAL)
  })

  test('makes the file where there is none, and undo removes it', async () => {
    unlinkSync(join(dir, '.env'))
    expect((await apply(dir)).code).toBe(0)
    expect(env()).toContain('APPROVAL_DISABLED_UNTIL=')
    expect((await undo(dir)).code).toBe(0)
    expect(existsSync(join(dir, '.env'))).toBe(false)
  })
})
