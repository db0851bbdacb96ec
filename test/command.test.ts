import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { command, type Io } from '../src/command.ts'
import type { Args, JobContext, Outcome } from '../src/jobs/job.ts'
import { job } from '../src/jobs/job.ts'
import type { State } from '../src/report/document.ts'
import { ReaderError } from '../src/sql.ts'

const folder = mkdtempSync(join(tmpdir(), 'command-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FLAGS = {
  'no-drill': { type: 'boolean', help: { ko: '훈련 생략', en: 'skip the drill' } },
  date: { type: 'string', value: 'DATE', help: { ko: '날짜', en: 'day' } },
} as const
const NOW = Date.parse('2026-11-22T09:00:00Z')

const outcome = (verdict: State, data: object = {}): Outcome => ({
  verdict,
  report: {
    schema: 'ops.probe.v1',
    data: { verdict, ...data },
    document: (lang) => ({ lang, title: 'probe', verdict: { state: verdict, text: 'it' }, blocks: [] }),
  },
})

async function run(
  work: (context: JobContext, args: Args<typeof FLAGS>) => Promise<Outcome>,
  argv: readonly string[] = [],
  more: Partial<Io> = {},
) {
  const said = { stdout: '', stderr: '' }
  const probe = job({
    name: 'probe',
    summary: { ko: '시험', en: 'a probe' },
    timeoutSeconds: 30,
    flags: FLAGS,
    run: work,
  })
  const code = await command(probe, {
    argv: ['node', 'probe', ...argv],
    env: { APPROVAL_ENV_FILE: join(folder, 'none.env') },
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
    now: NOW,
    ...more,
  })
  return { code, ...said, last: said.stderr.trimEnd().split('\n').at(-1) ?? '' }
}

const ok = async () => outcome('ok')

describe('the exit code', () => {
  test.each([
    ['ok', 0],
    ['warning', 1],
    ['critical', 2],
    ['unknown', 3],
    ['not_configured', 3],
  ] as const)('of the verdict %s is %d', async (verdict, code) => {
    expect((await run(async () => outcome(verdict))).code).toBe(code)
  })

  test.each([
    [['--colour'], "Unknown option '--colour'"],
    [['--format', 'xml'], '--format'],
    [['--format'], '--format'],
    [['--lang', 'fr'], '--lang'],
    [['--tz', 'Asia/Soul'], '--tz'],
    [['--timeout', '0'], '--timeout'],
    [['--timeout', '1e3'], '--timeout'],
    [['--no-drill=yes'], '--no-drill'],
    [['now'], "Unexpected argument 'now'"],
  ])('of %j is 64, and nothing is run', async (argv, problem) => {
    const { code, stdout, last } = await run(() => Promise.reject(new Error('was run')), argv)
    expect([code, stdout]).toEqual([64, ''])
    expect(last).toContain(problem)
    expect(last).toMatch(/\. npm run probe -- --help$/)
  })

  test('of a wrong configuration is 78, with every problem on a line of its own', async () => {
    const env = { APPROVAL_ENV_FILE: join(folder, 'bad.env') }
    writeFileSync(env.APPROVAL_ENV_FILE, 'PORT=x\nBROKEN LINE\nRBAC_ENABLED=maybe\n')
    const { code, stdout, stderr, last } = await run(ok, ['--lang', 'en'], { env })
    expect([code, stdout]).toEqual([78, ''])
    expect(stderr.split('\n').filter((line) => line.startsWith(env.APPROVAL_ENV_FILE))).toHaveLength(3)
    expect(last).toBe('The configuration is wrong (3 problems above). Correct .env, then npm run probe')
    expect((await run(ok, [], { env: { APPROVAL_ENV_FILE: folder } })).code).toBe(78)
  })

  test('of a wrong configuration is told in the language that it names, by the process or by a good line', async () => {
    const env = { APPROVAL_ENV_FILE: join(folder, 'lang.env') }
    writeFileSync(env.APPROVAL_ENV_FILE, 'PORT=x\n')
    expect((await run(ok, [], { env })).last).toMatch(/^설정이 잘못되었습니다/)
    expect((await run(ok, [], { env: { ...env, OPS_LANG: 'en' } })).last).toMatch(/^The configuration is wrong/)
    writeFileSync(env.APPROVAL_ENV_FILE, 'PORT=x\nOPS_LANG=en\nOPS_LANG=fr\n')
    expect((await run(ok, [], { env })).last).toMatch(/^The configuration is wrong/)
    expect((await run(ok, [], { env: { ...env, OPS_LANG: 'ko' } })).last).toMatch(/^설정이 잘못되었습니다/)
  })

  test('of a run past its deadline is 124; what hangs on is ended', async () => {
    let ended: number | undefined
    let aborted = false
    const hang = (context: JobContext) => {
      context.signal.addEventListener('abort', () => (aborted = true))
      return new Promise<never>(() => {})
    }
    const { code, stdout, last } = await run(hang, ['--timeout', '1', '--lang', 'en'], {
      exit: (code) => (ended = code),
    })
    expect([code, stdout, aborted]).toEqual([124, '', true])
    expect(last).toBe('The deadline of 1 s has passed. npm run probe -- --timeout 2')
    while (ended === undefined) await sleep(20)
    expect(ended).toBe(124)
  })

  test('of a fault of ours is 3: the stack for the developer, then a sentence, and no result', async () => {
    const { code, stdout, stderr, last } = await run(() => Promise.reject(new Error('a\u001b[31mb')), ['--lang', 'en'])
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('    at ')
    expect(stderr).not.toContain('\u001b')
    expect(last).toBe('A fault in the program: a\\u001b[31mb. npm run probe -- --format json')
  })

  test.each([
    ['missing', 'npm start'],
    ['empty', 'npm start'],
    ['schema', 'npm start'],
    ['not_a_database', 'grep -n SECURITY_DB_PATH .env'],
    ['corrupt', "sqlite3 '/a b/s.db' 'PRAGMA integrity_check'"],
    ['locked', "fuser -v '/a b/s.db'"],
    ['permission', "ls -l '/a b/s.db'"],
    ['io', "df -h '/a b/s.db'"],
  ] as const)('of a database that is %s is 3, with a report that says so', async (failure, next) => {
    for (const lang of ['ko', 'en']) {
      const unreadable = () => Promise.reject(new ReaderError(failure, '/a b/s.db', 'SQLITE_X'))
      const { code, stdout, last } = await run(unreadable, ['--format', 'json', '--lang', lang])
      expect(code).toBe(3)
      const error = { code: failure, file: '/a b/s.db', detail: 'SQLITE_X', next_command: next }
      expect(JSON.parse(stdout)).toEqual({ schema: 'ops.probe.v1', verdict: 'unknown', error })
      expect(last).toContain('/a b/s.db')
      expect(last.endsWith(`. ${next}`)).toBe(true)
    }
  })
})

describe('the run', () => {
  test('gets one frozen instant, the zone and its own flags', async () => {
    let seen: unknown[] = []
    const look = async ({ now, zone }: JobContext, args: Args<typeof FLAGS>) => {
      seen = [now, zone, args]
      return outcome('ok')
    }
    await run(look, ['--no-drill', '--date', 'x', '--tz', 'UTC'])
    expect(seen).toEqual([NOW, 'UTC', { 'no-drill': true, date: 'x' }])
    await run(look)
    expect(seen).toEqual([NOW, 'Asia/Seoul', { 'no-drill': false, date: undefined }])
  })

  test('speaks the configured language unless told otherwise', async () => {
    const env = { APPROVAL_ENV_FILE: join(folder, 'none.env'), OPS_LANG: 'en' }
    expect((await run(ok)).stdout).toBe('정상: it\nprobe\n')
    expect((await run(ok, [], { env })).stdout).toBe('OK: it\nprobe\n')
    expect((await run(ok, ['--lang', 'ko'], { env })).stdout).toBe('정상: it\nprobe\n')
  })

  test('adds the last word of the job on stderr', async () => {
    const failing = async () => ({ ...outcome('critical'), failure: (lang: string) => `cause (${lang}). next` })
    expect(await run(failing)).toMatchObject({ code: 2, stderr: 'cause (ko). next\n' })
  })

  test('prints one JSON object that no terminal obeys', async () => {
    const { stdout } = await run(async () => outcome('ok', { name: 'a\u009b\u202e한글' }), ['--format', 'json'])
    expect(stdout).toContain('a\\u009b\\u202e한글')
    expect(JSON.parse(stdout).name).toBe('a\u009b\u202e한글')
  })

  test('helps in both languages, also when the configuration is wrong', async () => {
    const env = { APPROVAL_ENV_FILE: join(folder, 'bad.env') }
    writeFileSync(env.APPROVAL_ENV_FILE, 'PORT=x\n')
    for (const lang of ['ko', 'en']) {
      const { code, stdout, stderr } = await run(ok, ['--help', '--lang', lang], { env })
      expect([code, stderr]).toEqual([0, ''])
      for (const option of ['--no-drill', '--date DATE', '--help', '--format', '--lang', '--tz', '--timeout']) {
        expect(stdout).toContain(option)
      }
      expect(stdout).toContain('124')
    }
  })
})
