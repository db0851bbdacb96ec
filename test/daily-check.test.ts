import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../src/config.ts'
import { EXIT } from '../src/exit-codes.ts'
import type { DailyCheckData } from '../src/report/daily-check-data.ts'
import { displayWidth } from '../src/report/printable.ts'
import { sqlTime } from '../src/sql.ts'
import { openLedger } from '../src/store/ledger.ts'
import { awayFrom } from './support/away-from.ts'
import {
  environment,
  type RunningServer,
  startServer,
  TSX,
  temporaryFolder,
  until,
  writeEnv,
} from './support/server.ts'

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the ops file as cron does, in a folder that is not the product's. */
function dailyCheck(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, ['--import', TSX, join(ROOT, 'ops/daily-check.ts'), ...args], { env, cwd: '/' })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

/** Nobody listens here, and no server of another test is ever given it. */
const NOBODYS_PORT = 100

const stateOf = ({ checks }: DailyCheckData, name: string) => checks.find(({ check }) => check === name)
const codes = (data: DailyCheckData, ...names: string[]) =>
  names.map((name) => `${name} ${stateOf(data, name)?.state} ${stateOf(data, name)?.code}`)

async function look(env: NodeJS.ProcessEnv, ...args: string[]): Promise<DailyCheckData & { code: number | null }> {
  const { code, stdout } = await dailyCheck(env, '--format', 'json', ...args)
  return { ...JSON.parse(stdout), code }
}

describe('nothing is there: no server, no database, no log', () => {
  const folder = temporaryFolder()
  afterAll(folder.remove)
  const env = environment(join(folder.path, 'data'), {
    PORT: String(NOBODYS_PORT),
    APPROVAL_ENV_FILE: join(folder.path, '.env'),
  })

  it('is critical, says what to do, and creates nothing', async () => {
    const { code, stdout, stderr } = await dailyCheck(env)
    expect(code).toBe(EXIT.CRITICAL)
    expect(stdout.split('\n')[0]).toMatch(/^위험: \d+건 - 서버 응답/)
    expect(stderr.trimEnd().split('\n')).toEqual([
      `위험: 서버 응답: http://127.0.0.1:${NOBODYS_PORT}에서 서버가 실행되고 있지 않습니다. npm start`,
    ])
    for (const line of stdout.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('is said in English, as JSON, Markdown and HTML alike', async () => {
    expect((await dailyCheck(env, '--lang', 'en')).stdout).toMatch(/^CRITICAL: \d+ - Server/)
    expect((await dailyCheck(env, '--format', 'markdown')).stdout).toMatch(/^\*\*위험: /)
    expect((await dailyCheck(env, '--format', 'html')).stdout).toContain('위험: ')
    const data = await look(env)
    expect(data).toMatchObject({ schema: 'ops.daily-check.v1', verdict: 'critical', code: EXIT.CRITICAL })
    const measured = data.checks.filter(({ state }) => state === 'ok')
    expect(measured).toEqual([])
  })

  it('an unknown option is refused', async () => {
    expect((await dailyCheck(env, '--drill')).code).toBe(EXIT.USAGE)
  })
})

/** A machine under load may answer a probe slowly, which is a warning of its own: the verdict is then not OK. */
const SLOW = /^(WARNING|주의): \d+건? - (Server|서버 응답)/

describe('a desk at work', () => {
  const folder = temporaryFolder()
  let server: RunningServer
  let env: NodeJS.ProcessEnv
  const database = () => new Database(join(folder.path, 'security.db'))

  beforeAll(async () => {
    writeEnv(folder.path, '')
    server = await startServer(folder.path)
    env = { ...environment(folder.path), APPROVAL_URL: server.url }
    const { ledger, close } = openLedger(join(folder.path, 'ops.db'), Date.now())
    await ledger.knownSince('daily-report', Date.now())
    await ledger.knownSince('daily-check', Date.now())
    await close()
  })
  afterAll(async () => {
    await server.kill('SIGKILL')
    folder.remove()
  })

  it('is all right: exit code 0, nothing on stderr, three times of the drill', async () => {
    const { code, stdout, stderr } = await dailyCheck(env, '--lang', 'en')
    if (SLOW.test(stdout)) expect(stdout).toMatch(/^WARNING: 1 - Server\n[\s\S]*the slowest took/)
    else expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: '' })
    if (code === EXIT.OK) expect(stdout).toMatch(/^OK: 17 checks passed\n/)
    expect(stdout).toMatch(/\[OK] Drill: approve [\d,]+ ms, reject [\d,]+ ms, expire [\d,]+ ms/)
    expect(stdout).toContain('[NOT CONFIGURED] Gateway')
    for (const line of stdout.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
  })

  it('the drill leaves nothing open and counts nowhere', async () => {
    const data = await look(env)
    expect(codes(data, 'drill', 'open', 'zombies', 'yesterday')).toEqual([
      'drill ok passed',
      'open ok none',
      'zombies ok none',
      'yesterday skipped before_record',
    ])
    const db = database()
    const canaries = db.prepare(
      "SELECT status, count(*) AS n FROM approval_requests WHERE server = 'ops-canary' GROUP BY 1",
    )
    expect(canaries.all()).toEqual([
      { status: 'approved', n: 2 },
      { status: 'expired', n: 2 },
      { status: 'rejected', n: 2 },
    ])
    db.close()
  })

  it('--no-drill leaves it out, and does not call that OK', async () => {
    const data = await look(env, '--no-drill')
    expect(codes(data, 'drill')).toEqual(['drill skipped skipped'])
    expect(data.code).toBe(codes(data, 'server')[0] === 'server ok answers' ? EXIT.OK : EXIT.WARNING)
  })

  it('an error in its log is a warning, shown without its secret', async () => {
    const line = { level: 50, time: new Date().toISOString(), pid: 1, msg: 'upstream refused: Bearer 0123456789abcdef' }
    appendFileSync(join(folder.path, 'server.log'), `${JSON.stringify(line)}\n`)
    const { code, stdout } = await dailyCheck(env, '--no-drill')
    expect(code).toBe(EXIT.WARNING)
    expect(stdout.split('\n')[0]).toMatch(/^주의: (1건 - |2건 - 서버 응답, )오류 로그$/)
    expect(stdout).toContain('upstream refused: Bearer [redacted]')
    expect(stdout).not.toContain('0123456789abcdef')
    const path = join(folder.path, 'server.log')
    writeFileSync(path, readFileSync(path, 'utf8').replace(`${JSON.stringify(line)}\n`, ''))
  })

  it('says the same twice', async () => {
    // Midnight in Seoul would make today yesterday.
    await awayFrom(15 * 3_600_000)
    // What measures time, or the machine, differs.
    const findings = async () =>
      (await look(env, '--no-drill')).checks.filter(({ check }) => !/^(server|clock|errors|disk|docker)$/.test(check))
    expect(await findings()).toEqual(await findings())
  })

  it('a configuration that has not taken effect is told, key by key', async () => {
    writeEnv(folder.path, 'APPROVAL_WORKFLOW_ENABLED=false\nAPPROVAL_TIMEOUT=60\n')
    const data = await look(env, '--no-drill')
    expect(codes(data, 'gate', 'settings')).toEqual(['gate warning differs', 'settings warning differ'])
    expect(stateOf(data, 'gate')?.facts).toMatchObject({ configured: false, effective: true })
    expect(data.settings).toContainEqual({
      key: 'APPROVAL_TIMEOUT',
      configured: '60',
      effective: '300',
      state: 'warning',
    })
  })

  it('a gate that is off is critical, and the drill finds the door open', async () => {
    server.child.kill('SIGHUP')
    await until('the gate is off', async () => !(await server.call('GET', '/health')).json.gate.effective)
    await server.ask()
    const data = await look(env)
    expect(codes(data, 'gate', 'drill')).toEqual(['gate critical off', 'drill critical open_door'])
    expect(stateOf(data, 'gate')?.facts.ran).toBe(1)
    expect(data.unapproved?.calls).toMatchObject([{ user_id: 'dev_user', tool_name: 'execute_python' }])
    expect(data.code).toBe(EXIT.CRITICAL)
    writeEnv(folder.path, '')
    server.child.kill('SIGHUP')
    await until('the gate is on', async () => (await server.call('GET', '/health')).json.gate.effective)
    const after = await look(env)
    expect(codes(after, 'gate', 'drill', 'settings')).toEqual([
      'gate warning was_off',
      'drill ok passed',
      'settings ok effective',
    ])
  })

  it('without the tokens of the drill it is unknown, exit code 3', async () => {
    const path = join(folder.path, 'credentials.json')
    const tokens = readFileSync(path)
    rmSync(path)
    const data = await look(env)
    expect(codes(data, 'drill')).toEqual(['drill unknown no_credentials'])
    expect(data.code).toBe(EXIT.UNKNOWN)
    // Whoever lacks the administrator's token cannot ask the server for another one.
    const { admin_user, ...others } = JSON.parse(String(tokens))
    writeFileSync(path, JSON.stringify(others))
    const lacking = await look(env)
    expect(codes(lacking, 'drill')).toEqual(['drill unknown no_token'])
    expect(lacking.checks.find(({ check }) => check === 'drill')?.next_command).toBe(
      'npm start -- --new-token admin_user',
    )
    writeFileSync(path, tokens)
  })

  it('a damaged ledger is unknown, and hides nothing else', async () => {
    const path = join(folder.path, 'ops.db')
    const whole = readFileSync(path)
    writeFileSync(path, 'this is no database, and long enough to be looked at as one'.repeat(20))
    const data = await look(env, '--no-drill')
    expect(codes(data, 'jobs', 'evening', 'audit', 'database')).toEqual([
      'jobs unknown unmeasured',
      'evening unknown unmeasured',
      'audit ok intact',
      'database ok readable',
    ])
    writeFileSync(path, whole)
  })

  it('a server that stands still is critical within the time, and the rest is still told', async () => {
    server.child.kill('SIGSTOP')
    try {
      const data = await look(env)
      expect(codes(data, 'server', 'drill', 'gate', 'database', 'audit')).toEqual([
        'server critical silent',
        'drill unknown no_answer',
        'gate unknown unmeasured',
        'database ok readable',
        'audit ok intact',
      ])
    } finally {
      server.child.kill('SIGCONT')
    }
  })

  it('a server that was killed leaves zombies, which are told', async () => {
    await server.kill('SIGKILL')
    const db = database()
    db.prepare(
      `INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status, requested_at, expires_at)
       VALUES ('00000000-0000-4000-8000-000000000000', 'x', 'dev_user', 'developer', '{}', 'pending', :from, :until)`,
    ).run({ from: sqlTime(Date.now() - 7_200_000), until: sqlTime(Date.now() - 3_600_000) })
    db.close()
    const data = await look(env)
    expect(codes(data, 'server', 'zombies', 'open')).toEqual([
      'server critical refused',
      'zombies warning some',
      'open ok none',
    ])
    expect(stateOf(data, 'zombies')?.next_command).toBe('npm start')
  })
})

describe('a database that is not there, beside a server that is', () => {
  const folder = temporaryFolder()
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer(folder.path)
  })
  afterAll(async () => {
    await server.kill('SIGKILL')
    folder.remove()
  })

  it('is unknown, exit code 3, and is not created', async () => {
    const path = join(folder.path, 'elsewhere', 'security.db')
    const data = await look({ ...server.env, APPROVAL_URL: server.url, SECURITY_DB_PATH: path }, '--no-drill')
    expect(codes(data, 'database', 'zombies', 'gate')).toEqual([
      'database unknown unreadable',
      'zombies unknown unmeasured',
      'gate unknown unrecorded',
    ])
    expect(data.code).toBe(EXIT.UNKNOWN)
    expect(existsSync(join(folder.path, 'elsewhere'))).toBe(false)
  })
})
