import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BACKUP_NAME } from '../src/backup/manifest.ts'
import { loadConfig, ROOT } from '../src/config.ts'
import { createContext } from '../src/context.ts'
import { type Attestation, attested, sign } from '../src/jobs/attestations.ts'
import { recentCopy } from '../src/jobs/preflight-backup.ts'
import { impostors, scheduled, environment as settingsEvidence } from '../src/jobs/preflight-checks.ts'
import { planOf, rehearsals } from '../src/jobs/preflight-programs.ts'
import { preflightCommand } from '../src/preflight-command.ts'
import { ko } from '../src/report/catalogue/preflight.ko.ts'
import { ITEMS, itemState, type PreflightData, STEPS } from '../src/report/preflight-data.ts'
import { openLedger } from '../src/store/ledger.ts'
import { realSystem } from '../src/system/real.ts'
import type { HttpResult } from '../src/system/system.ts'
import { backup, createDesk, NOW as TAKEN } from './support/backup.ts'
import { environment, type RunningServer, startServer, TSX, temporaryFolder, writeEnv } from './support/server.ts'

const NOW = Date.parse('2026-11-26T00:00:00Z')
const DAY = 86_400_000
const iso = (ms: number) => new Date(ms).toISOString()

const folder = temporaryFolder()
afterAll(folder.remove)
const at = (name: string) => join(folder.path, name)

function contextAt(now: number, env: NodeJS.ProcessEnv = environment(folder.path)) {
  const { settings } = loadConfig(env)
  const signal = new AbortController().signal
  return createContext({ settings, env, zone: 'Asia/Seoul', now, timeoutMs: 60_000, signal })
}

/** The list at the end of the team's guide, letter by letter. */
const GUIDE = `
- [ ] 환경 변수 설정 완료 (APPROVAL_WORKFLOW_ENABLED=true)
- [ ] 데이터베이스 백업 생성
- [ ] 롤백 절차 스크립트 준비
- [ ] 운영팀 전원 교육 완료
- [ ] approval_cli.py 도구 테스트 성공
- [ ] 로그 조회 쿼리 동작 확인
- [ ] 일일 점검 스크립트 설정
- [ ] 일일 보고 스크립트 설정
- [ ] 긴급 연락처 공유 완료
- [ ] 승인 워크플로우 활성화 최종 확인
`

test('the ten items stand in the words and the order of the guide', () => {
  expect(ITEMS.map((item) => `- [ ] ${ko[`item.${item}`]}`).join('\n')).toBe(GUIDE.trim())
})

test('an item is as good as the worst of its evidence; what was left out is unknown', () => {
  const states = (...all: Parameters<typeof itemState>[0][number]['state'][]) =>
    itemState(all.map((state) => ({ key: 'failed', state, facts: {}, at: null, next_command: null })))
  expect(states('ok', 'ok')).toBe('ok')
  expect(states('ok', 'skipped')).toBe('unknown')
  expect(states('not_configured')).toBe('unknown')
  expect(states('warning', 'ok', 'critical', 'unknown')).toBe('critical')
  expect(states()).toBe('unknown')
})

describe('on a desk at work', () => {
  let server: RunningServer
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    const contacts = readFileSync(join(ROOT, 'contacts.json'), 'utf8').replaceAll('"phone": ""', '"phone": "112"')
    writeFileSync(at('contacts.json'), contacts)
    writeEnv(folder.path, `CONTACTS_PATH=${at('contacts.json')}\n`)
    server = await startServer(folder.path)
    env = { ...environment(folder.path), APPROVAL_URL: server.url }
    const { ledger, close } = openLedger(at('ops.db'), Date.now())
    for (const job of ['daily-check', 'daily-report']) await ledger.knownSince(job, Date.now())
    await ledger.beat({ at: Date.now(), uptime: 1, boot: 'x', settleUntil: 0 })
    await close()
    mkdirSync(at('rollbacks'), { recursive: true })
    const now = iso(Date.now() - 1000)
    for (const scenario of ['disable', 'cli', 'env']) {
      const line = { at: now, scenario, ok: true, apply_seconds: 1, undo_seconds: 2, text: { ko: '', en: '' } }
      appendFileSync(at('rollbacks/rehearsals.jsonl'), `${JSON.stringify(line)}\n`)
    }
    for (const item of ['training', 'contacts']) expect(await attest(item, '--by', '김지수')).toMatchObject({ code: 0 })
  })
  afterAll(() => server.kill('SIGTERM'))

  async function attest(...argv: string[]) {
    const said = { stdout: '', stderr: '' }
    const code = await preflightCommand({
      ...{ argv: ['node', 'preflight', 'attest', ...argv], env: environment(folder.path) },
      stdout: { write: (text) => (said.stdout += text) },
      stderr: { write: (text) => (said.stderr += text) },
    })
    return { code, ...said }
  }

  async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const argv = ['--import', TSX, join(ROOT, 'ops/preflight.ts'), ...args]
    const child = spawn(process.execPath, argv, { env, cwd: '/' })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    return await new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
  }

  // Whoever opens a database that has a WAL makes these beside it.
  const files = () =>
    readdirSync(folder.path, { recursive: true, encoding: 'utf8' })
      .filter((name) => !/-(wal|shm)$/.test(name))
      .sort()

  test('every item has evidence, the verdict is the worst, and nothing is written', async () => {
    const before = files()
    const { code, stdout, stderr } = await run('--no-drill', '--format', 'json')
    const data: PreflightData & { schema: string } = JSON.parse(stdout)
    expect(data.schema).toBe('ops.preflight.v1')
    expect(data.steps.map(({ item }) => item)).toEqual(STEPS)
    expect(data.items.map(({ item }) => item)).toEqual(ITEMS)
    const states = Object.fromEntries([...data.steps, ...data.items].map(({ item, state }) => [item, state]))
    expect(states).toMatchObject({
      ...{ step_environment: 'ok', step_function: 'unknown', environment: 'ok', training: 'ok', cli: 'ok' },
      ...{ queries: 'ok', daily_check: 'ok', daily_report: 'ok', contacts: 'ok', gate: 'unknown', backup: 'critical' },
    })
    expect(data.verdict).toBe('critical')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/\. npm run backup\n$/)])
    const evidence = data.items.flatMap((item) => item.evidence)
    for (const key of ['plan.planned', 'rehearsal.passed', 'attested.valid', 'tool.works', 'sql.works'])
      expect(evidence.map((one) => one.key)).toContain(key)
    // A program that could not be asked at all would be unknown: here the working tree decides what the plans say.
    expect(evidence.filter(({ key }) => key.startsWith('plan.'))).toHaveLength(3)
    expect(files()).toEqual(before)
  })

  test('an impostor is refused; where the header is trusted, it is critical', async () => {
    expect(await impostors(contextAt(NOW, env))).toMatchObject({ key: 'spoof.refused', state: 'ok' })
    const other = temporaryFolder()
    const trusting = await startServer(other.path, { APPROVAL_TRUST_USER_HEADER: 'true' })
    const seen = await impostors(contextAt(NOW, { ...env, APPROVAL_URL: trusting.url }))
    await trusting.kill('SIGTERM')
    other.remove()
    expect(seen).toMatchObject({ key: 'spoof.accepted', state: 'critical', facts: { what: 'X-User-ID', status: 200 } })
  })

  test.each([
    [[]],
    [['nothing', '--by', 'Kim']],
    [['training']],
    [['training', '--by', '  ']],
    [['training', 'contacts', '--by', 'Kim']],
    [['training', '--by', 'Kim', '--valid-days', '0']],
    [['training', '--by', 'Kim', '--valid-days', '1e2']],
    [['training', '--by', 'Kim', '--lang', 'fr']],
    [['training', '--from', 'Kim']],
  ])('attest %j is 64 and records nothing', async (argv) => {
    const before = readFileSync(at('attestations.jsonl'), 'utf8')
    const { code, stdout, stderr } = await attest(...argv)
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toMatch(/\. npm run preflight -- attest .*\n$/)
    expect(readFileSync(at('attestations.jsonl'), 'utf8')).toBe(before)
  })
})

describe('what people attest', () => {
  const file = at('said.jsonl')
  const keyFile = at('said.key')
  const KEY = 'a'.repeat(64)
  const said = { item: 'training', by: 'Kim', account: 'ops', at: iso(NOW - DAY), valid_until: iso(NOW + DAY) } as const
  const look = (now = NOW) => attested(realSystem, { file, keyFile }, 'training', { now, zone: 'Asia/Seoul' })
  const given = (...lines: (Attestation | string)[]) =>
    writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  beforeEach(() => {
    rmSync(file, { force: true })
    writeFileSync(keyFile, KEY)
  })

  test('counts until the very instant it ends, and is aged', async () => {
    expect(await look()).toMatchObject({ key: 'attested.none', state: 'critical' })
    given(sign(said, KEY))
    expect(await look()).toMatchObject({ key: 'attested.valid', state: 'ok', at: said.at, facts: { by: 'Kim' } })
    expect(await look(NOW + DAY - 1)).toMatchObject({ key: 'attested.valid' })
    expect(await look(NOW + DAY)).toMatchObject({ key: 'attested.expired', state: 'critical' })
    expect(await look(NOW - DAY - 1)).toMatchObject({ key: 'attested.edited', state: 'critical' })
  })

  test.each([
    ['by', { by: 'Lee' }],
    ['the end', { valid_until: iso(NOW + 300 * DAY) }],
    ['the beginning', { at: iso(NOW) }],
    ['the account', { account: 'root' }],
    ['the signature', { signature: 'f'.repeat(64) }],
    ['an added field', { note: 'ok' }],
  ])('does not count once %s was edited', async (_, edit) => {
    given({ ...sign(said, KEY), ...edit } as Attestation)
    expect(await look()).toMatchObject({ key: 'attested.edited', state: 'critical', facts: { line: 1 } })
  })

  test('of another item, or signed with another key, is none of it', async () => {
    given(sign({ ...said, item: 'contacts' }, KEY))
    expect(await look()).toMatchObject({ key: 'attested.none' })
    given({ ...sign({ ...said, item: 'contacts' }, KEY), item: 'training' })
    expect(await look()).toMatchObject({ key: 'attested.edited' })
    given(sign(said, 'b'.repeat(64)))
    expect(await look()).toMatchObject({ key: 'attested.edited' })
    rmSync(keyFile)
    expect(await look()).toMatchObject({ key: 'attested.no_key', state: 'unknown' })
  })

  test('is judged by its last line: a torn one hides nothing, and a new one heals', async () => {
    given(sign(said, KEY), '{"item":"trai')
    expect(await look()).toMatchObject({ key: 'attested.edited', facts: { line: 2 } })
    given('nonsense', sign(said, KEY), '')
    expect(await look()).toMatchObject({ key: 'attested.valid' })
  })
})

describe('the evidence for', () => {
  const line = (over: object) =>
    JSON.stringify({ at: iso(NOW - DAY), scenario: 'cli', ok: true, text: { ko: '', en: 'why' }, ...over })
  test.each([
    ['nothing', [], 'never', 'critical'],
    ['a good one', [line({ apply_seconds: 1.25 })], 'passed', 'ok'],
    ['an old one', [line({ at: iso(NOW - 91 * DAY) })], 'old', 'critical'],
    ['one of 90 days', [line({ at: iso(NOW - 90 * DAY) })], 'passed', 'ok'],
    ['one that failed after a good one', [line({}), line({ ok: false })], 'failed', 'critical'],
    ['a good one after one that failed', [line({ ok: false }), line({})], 'passed', 'ok'],
    ['one of the future', [line({ at: iso(NOW + DAY) })], 'never', 'critical'],
    ['torn lines and other scenarios', ['{"at":', line({ scenario: 'disable' })], 'never', 'critical'],
  ] as const)('a rehearsal: %s', async (_, lines, code, state) => {
    const data = join(folder.path, 'rehearsed')
    mkdirSync(join(data, 'rollbacks'), { recursive: true })
    writeFileSync(join(data, 'rollbacks/rehearsals.jsonl'), lines.join('\n'))
    const seen = await rehearsals(contextAt(NOW, environment(data)))
    expect(seen.find(({ facts }) => facts.scenario === 'cli')).toMatchObject({ key: `rehearsal.${code}`, state })
    expect(seen).toHaveLength(3)
  })

  test('a schedule: somebody looked at it lately and knows the job', async () => {
    const data = join(folder.path, 'scheduled')
    const env = environment(data)
    const look = (now: number) => scheduled(contextAt(now, env), 'daily-check')
    expect(look(NOW)).toMatchObject({ key: 'schedule.never', state: 'critical' })
    mkdirSync(data)
    const { ledger, close } = openLedger(join(data, 'ops.db'), NOW)
    await ledger.beat({ at: NOW, uptime: 1, boot: 'x', settleUntil: 0 })
    expect(look(NOW)).toMatchObject({ key: 'schedule.unknown_job', state: 'critical' })
    await ledger.knownSince('daily-check', NOW)
    await close()
    // 09:00 in Seoul is this very instant: the next run is tomorrow's.
    expect(look(NOW)).toMatchObject({ key: 'schedule.alive', state: 'ok', facts: { next_at: iso(NOW + DAY) } })
    expect(look(NOW - 1)).toMatchObject({ facts: { next_at: iso(NOW) } })
    expect(look(NOW + 16 * 60_000)).toMatchObject({ key: 'schedule.stopped', state: 'critical', at: iso(NOW) })
    writeFileSync(join(data, 'ops.db'), 'no database at all, and long enough to be looked at')
    expect(look(NOW)).toMatchObject({ key: 'schedule.unmeasured', state: 'unknown' })
  })

  test('a backup: proven by a restore, of the last 24 hours', async () => {
    const data = join(folder.path, 'copied')
    mkdirSync(data)
    const look = (now: number) => recentCopy(contextAt(now, environment(data)))
    expect(await look(TAKEN)).toMatchObject({ key: 'copy.none', state: 'critical' })
    createDesk(data, 3).close()
    expect((await backup(data)).code).toBe(0)
    expect(await look(TAKEN + DAY)).toMatchObject({ key: 'copy.verified', state: 'ok', at: iso(TAKEN) })
    expect(await look(TAKEN + DAY + 1)).toMatchObject({ key: 'copy.old', state: 'critical', at: iso(TAKEN) })
    expect(await look(TAKEN - 1)).toMatchObject({ key: 'copy.none', state: 'critical' })
    const name = readdirSync(join(data, 'backups')).find((one) => BACKUP_NAME.test(one))!
    truncateSync(join(data, 'backups', name, 'security.db'), 100)
    expect(await look(TAKEN)).toMatchObject({ key: 'copy.none', state: 'critical' })
    writeFileSync(join(data, 'security.db.restore.json'), '{}')
    expect(await look(TAKEN)).toMatchObject({ key: 'copy.interrupted', state: 'critical' })
  })

  test('settings: duplicates and unknown keys are warnings with their lines', () => {
    const path = at('twice.env')
    writeFileSync(path, 'PORT=1\nPORT=2\nAPROVAL_TIMEOUT=3\n')
    const { warnings } = loadConfig({ APPROVAL_ENV_FILE: path })
    const seen = settingsEvidence({ path, isThere: true, warnings })
    expect(seen).toMatchObject({ key: 'environment.remarks', state: 'warning' })
    expect(seen.facts.remarks).toEqual([expect.stringContaining(':2: PORT'), expect.stringContaining(':3: APROVAL')])
    expect(settingsEvidence({ path, isThere: false, warnings: [] }).state).toBe('warning')
    expect(settingsEvidence({ path, isThere: true, warnings: [] }).state).toBe('ok')
  })

  test.each([
    [401, 'spoof.refused', 'ok'],
    [200, 'spoof.accepted', 'critical'],
    [503, 'spoof.unmeasured', 'unknown'],
    [null, 'spoof.unmeasured', 'unknown'],
  ] as const)('impostors: an answer of %s is %s', async (status, key, state) => {
    const answer: HttpResult =
      status === null
        ? { answered: false, failure: 'refused', message: 'refused', ms: 1 }
        : { answered: true, status, headers: {}, text: '', ms: 1 }
    const context = { ...contextAt(NOW), system: { ...realSystem, http: async () => answer } }
    expect(await impostors(context)).toMatchObject({ key, state })
  })

  test('a plan: refused is critical with its reason, no answer is unknown', async () => {
    const programs = { node: process.execPath, env: {} }
    const result = { signal: null, timedOut: false, stdout: '', output: '', ms: 1, stderr: 'noise\nwhy. next\n' }
    const ran = (over: object) => ({
      system: { ...realSystem, run: async () => ({ ...result, ok: false, code: 2, ...over }) },
    })
    expect(await planOf(ran({}), programs, 'cli')).toMatchObject({ state: 'critical', facts: { message: 'why. next' } })
    expect(await planOf(ran({ timedOut: true, code: null }), programs, 'cli')).toMatchObject({ state: 'unknown' })
    expect(await planOf(ran({ ok: true, code: 0 }), programs, 'cli')).toMatchObject({
      key: 'plan.planned',
      state: 'ok',
    })
  })
})
