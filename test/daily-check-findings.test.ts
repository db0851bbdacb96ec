import { describe, expect, it } from 'vitest'
import { loadConfig, type Settings } from '../src/config.ts'
import { finding } from '../src/jobs/check.ts'
import { checkClock } from '../src/jobs/check-clock.ts'
import { openFinding } from '../src/jobs/check-desk.ts'
import { drillFinding } from '../src/jobs/check-drill.ts'
import { errorsFinding } from '../src/jobs/check-errors.ts'
import { gateFinding, policyFinding, settingRows, settingsFinding } from '../src/jobs/check-gate.ts'
import { gatewayFinding } from '../src/jobs/check-gateway.ts'
import { eveningFinding, jobsFinding, type LedgerFacts } from '../src/jobs/check-jobs.ts'
import type { Health } from '../src/jobs/check-server.ts'
import type { DrillProblem } from '../src/jobs/drill.ts'
import type { LogScan } from '../src/jobs/error-log.ts'
import { NO_ERRORS } from '../src/jobs/error-rows.ts'
import { ko } from '../src/report/catalogue/daily-check.ko.ts'
import { dailyCheckDocument } from '../src/report/daily-check.ts'
import {
  CHECKS,
  type CheckName,
  type DailyCheckData,
  type Fact,
  type Finding,
  inOrder,
  LIMITS,
  verdictOf,
} from '../src/report/daily-check-data.ts'
import { failureText } from '../src/report/daily-check-text.ts'
import { displayWidth } from '../src/report/printable.ts'
import { render } from '../src/report/render.ts'
import type { RollbackResult } from '../src/report/rollback-result.ts'

const NOW = Date.parse('2026-11-22T00:00:00Z')
const HOUR = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()

const config = (env: Record<string, string> = {}) => loadConfig({ APPROVAL_ENV_FILE: '/absent', ...env })

/** What a server says that was started with `env`. */
function healthOf(env: Record<string, string> = {}, over: Partial<Health> = {}): Health {
  const { given, settings } = config(env)
  const on = settings.APPROVAL_WORKFLOW_ENABLED && (settings.APPROVAL_DISABLED_UNTIL ?? 0) <= NOW
  const until = settings.APPROVAL_DISABLED_UNTIL
  return {
    ...{ status: 'ok', service: 'approval-ops', version: '0.1.0', pid: 4120, uptime_seconds: 60 },
    ...{ started_at: iso(NOW - 60_000), now: iso(NOW), open: 0, max_pending: 50, clock_behind_seconds: 0 },
    gate: {
      configured: settings.APPROVAL_WORKFLOW_ENABLED,
      effective: on,
      disabled_until: !on && settings.APPROVAL_WORKFLOW_ENABLED && until !== null ? iso(until) : null,
    },
    ...{ rbac: settings.RBAC_ENABLED, trust_user_header: settings.APPROVAL_TRUST_USER_HEADER },
    policy: { path: '/srv/policy.json', loaded_at: iso(NOW - 60_000), error: null },
    config: { loaded_at: iso(NOW - 60_000), error: null, effective: { ...given } },
    store: { ok: true },
    ...over,
  }
}

describe('the gate, configured and effective', () => {
  const gate = (
    configured: Record<string, string>,
    health: Health | null,
    off: { from: number; until: number }[] | null = [],
    disabled: RollbackResult | null = null,
    began = NOW - 48 * HOUR,
  ) => {
    const { settings } = config(configured)
    return gateFinding({ settings, health, off, ran: 0, began, disabled, now: NOW, zone: 'Asia/Seoul' })
  }
  const OFF = { APPROVAL_WORKFLOW_ENABLED: 'false' }
  const LEASE = { APPROVAL_DISABLED_UNTIL: '2026-11-22T12:00:00+09:00' }

  it('on and on is fine', () => {
    expect(gate({}, healthOf())).toMatchObject({
      state: 'ok',
      code: 'on',
      facts: { configured: true, effective: true },
    })
  })

  it('on, in a record younger than a day, is not said to have been on before it', () => {
    expect(gate({}, healthOf(), [], null, NOW - HOUR)).toMatchObject({
      ...{ state: 'ok', code: 'on_since' },
      facts: { begins_at: iso(NOW - HOUR) },
    })
  })

  it('on, but off for some minutes in 24 hours, is a warning', () => {
    const off = [{ from: NOW - 3 * HOUR, until: NOW - 2.5 * HOUR }]
    expect(gate({}, healthOf(), off)).toMatchObject({
      ...{ state: 'warning', code: 'was_off', since: iso(NOW - 3 * HOUR) },
      facts: { off_ms: 1_800_000 },
    })
  })

  it('was off: the next command is the evening report that accounts for it', () => {
    // 09:00 in Seoul: from 18:00 of the day before on it is in the report of today.
    const command = (hours: number) =>
      gate({}, healthOf(), [{ from: NOW - hours * HOUR, until: NOW - hours * HOUR + 60_000 }]).next_command
    expect(command(1)).toBe('npm run daily-report -- --date 2026-11-22')
    expect(command(15)).toBe('npm run daily-report -- --date 2026-11-22')
    expect(command(16)).toBe('npm run daily-report -- --date 2026-11-21')
    const evening = {
      settings: config({}).settings,
      health: healthOf(),
      ran: 0,
      began: null,
      disabled: null,
      zone: 'Asia/Seoul',
    }
    const off = [{ from: NOW + 10 * HOUR, until: NOW + 11 * HOUR }]
    expect(gateFinding({ ...evening, off, now: NOW + 12 * HOUR }).next_command).toContain('--date 2026-11-22')
  })

  it('configured on, effective off is critical: nobody knows that it is open', () => {
    const found = gate({}, healthOf(OFF), [{ from: NOW - HOUR, until: NOW }])
    expect(found).toMatchObject({ state: 'critical', code: 'differs', since: iso(NOW - HOUR) })
    expect(found.next_command).toBe('kill -HUP 4120')
  })

  it('configured off, effective on is a warning, whose next command does not turn it off', () => {
    expect(gate(OFF, healthOf())).toMatchObject({
      ...{ state: 'warning', code: 'differs', next_command: 'npm run config -- compare' },
    })
  })

  it('turned off by a rollback, the next command undoes that one; by anybody else, it is the settings', () => {
    const UNDO = "npm run rollback-disable -- undo --reason '...'"
    const by = (more: Partial<RollbackResult>) => ({ id: 'x', scenario: 'disable', ...more }) as RollbackResult
    const next = (env: Record<string, string>, disabled: RollbackResult | null) =>
      gate(env, healthOf(env), [], disabled).next_command
    expect(next(LEASE, by({ until: '2026-11-22T03:00:00.000Z' }))).toBe(UNDO)
    expect(next(OFF, by({}))).toBe(UNDO)
    const edit = 'vi .env && kill -HUP 4120'
    for (const disabled of [null, by({ until: '2026-11-22T03:30:00.000Z' }), by({})]) {
      expect(next(LEASE, disabled)).toBe(edit)
    }
    expect(next(OFF, by({ until: '2026-11-22T03:00:00.000Z' }))).toBe(edit)
  })

  it('off until further notice is critical', () => {
    expect(gate(OFF, healthOf(OFF))).toMatchObject({ state: 'critical', code: 'off' })
  })

  it('off until an instant is a warning that names the instant', () => {
    expect(gate(LEASE, healthOf(LEASE))).toMatchObject({
      ...{ state: 'warning', code: 'leased' },
      facts: { until_at: '2026-11-22T03:00:00.000Z', configured: false },
    })
  })

  it('of a server that is silent is unknown, and the configured column stays', () => {
    expect(gate(OFF, null)).toMatchObject({ state: 'unknown', code: 'unmeasured', facts: { configured: false } })
  })

  it('whose record cannot be read is unknown, never fine', () => {
    expect(gate({}, healthOf(), null)).toMatchObject({ state: 'unknown', code: 'unrecorded' })
  })
})

describe('the tool servers behind the gateway', () => {
  const upstream = (name: string, over: object = {}) => {
    return {
      name,
      status: 'up' as const,
      since: iso(NOW - HOUR),
      error: null,
      tools: 3,
      own: { clients: 0, down: 0 },
      ...over,
    }
  }
  const look = (upstreams: ReturnType<typeof upstream>[], error: string | null = null) =>
    gatewayFinding(healthOf({}, { gateway: { path: '/srv/mcp.json', error, upstreams } }), '/srv/server.log')

  it('that are all up are fine, and none is no fault', () => {
    expect(look([upstream('a'), upstream('b')])).toMatchObject({ state: 'ok', code: 'up', facts: { tools: 6 } })
    expect(look([])).toMatchObject({ state: 'not_configured' })
    expect(gatewayFinding(healthOf(), '')).toMatchObject({ state: 'not_configured' })
  })

  it('of which one is down are a warning, with its reason, since when, and where to look', () => {
    const found = look([upstream('a'), upstream('b', { status: 'down', error: 'it ended with code 3' })])
    expect(found).toMatchObject({ state: 'warning', code: 'down', since: iso(NOW - HOUR) })
    expect(found.facts).toEqual({ up: 1, servers: 2, down: ['b (it ended with code 3)'] })
    expect(found.next_command).toBe(`grep '"upstream":"b"' /srv/server.log | tail -n 5`)
  })

  it('that are down for a client that has one to itself are a warning, though the shared one is up', () => {
    const found = look([
      upstream('a', { own: { clients: 2, down: 0 } }),
      upstream('b', { own: { clients: 3, down: 1 } }),
    ])
    expect(found).toMatchObject({ state: 'warning', code: 'own_down' })
    expect(found.facts).toEqual({ up: 2, servers: 2, down: ['b (1/3)'] })
    expect(found.next_command).toBe(`grep '"upstream":"b"' /srv/server.log | tail -n 5`)
  })

  it('whose mcp.json is broken are a warning, and a silent server is unknown', () => {
    expect(look([upstream('a')], 'not JSON')).toMatchObject({ state: 'warning', code: 'broken' })
    expect(gatewayFinding(null, '')).toMatchObject({ state: 'unknown', code: 'unmeasured' })
  })
})

describe('the other settings', () => {
  const look = (configured: Record<string, string>, health: Health | null) => {
    const settings: Settings = config(configured).settings
    const rows = settingRows({ settings, health })
    return { found: settingsFinding(rows, health), rows }
  }

  it('are fine as they come, written one way or another', () => {
    const { found, rows } = look({ RBAC_ENABLED: 'TRUE', SECURITY_DB_PATH: './data/../data/security.db' }, healthOf())
    expect(found).toMatchObject({ state: 'ok', code: 'effective' })
    expect(rows.map(({ state }) => state)).toEqual(rows.map(() => 'ok'))
  })

  it.each(['RBAC_ENABLED', 'SANDBOX_ENABLED', 'RATE_LIMIT_ENABLED'])('%s=false is a warning', (key) => {
    const env = { [key]: 'false' }
    expect(look(env, healthOf(env)).found).toMatchObject({
      ...{ state: 'warning', code: 'weak' },
      facts: { weak: [`${key}=false`] },
      next_command: 'vi .env && kill -HUP 4120',
    })
  })

  it('APPROVAL_TRUST_USER_HEADER=true is a warning', () => {
    const env = { APPROVAL_TRUST_USER_HEADER: 'true' }
    expect(look(env, healthOf(env)).found).toMatchObject({
      ...{ state: 'warning', code: 'weak' },
      facts: { weak: ['APPROVAL_TRUST_USER_HEADER=true'] },
      // A signal would not do: only a start reads it.
      next_command: 'vi .env && kill 4120 && npm start',
    })
  })

  it('that differ are listed, both columns shown; settings of the scripts alone do not count', () => {
    const env = { APPROVAL_TIMEOUT: '60', OPS_LANG: 'en', APPROVAL_URL: 'http://127.0.0.1:1' }
    const { found, rows } = look(env, healthOf())
    expect(found).toMatchObject({ state: 'warning', code: 'differ', facts: { differing: ['APPROVAL_TIMEOUT'] } })
    expect(found.next_command).toBe('kill -HUP 4120')
    expect(rows).toContainEqual({ key: 'APPROVAL_TIMEOUT', configured: '60', effective: '300', state: 'warning' })
  })

  it('that only a start reads ask for a start', () => {
    expect(look({ HOST: '::1' }, healthOf()).found.next_command).toBe('kill 4120 && npm start')
  })

  it('weak and different are both said', () => {
    expect(look({ RBAC_ENABLED: 'false' }, healthOf()).found).toMatchObject({ code: 'differ' })
    expect(look({}, healthOf({ RBAC_ENABLED: 'false' })).found).toMatchObject({
      ...{ state: 'warning', code: 'weak_and_differ' },
      facts: { weak: ['RBAC_ENABLED=false'], differing: ['RBAC_ENABLED'] },
    })
  })

  it.each([
    [{ RBAC_ENABLED: 'false' }, {}, 'npm run config -- compare'],
    [{ APPROVAL_WORKFLOW_ENABLED: 'false' }, {}, 'npm run config -- compare'],
    [{ APPROVAL_DISABLED_UNTIL: '2026-11-22T12:00:00+09:00' }, {}, 'npm run config -- compare'],
    [{ APPROVAL_TRUST_USER_HEADER: 'true' }, {}, 'npm run config -- compare'],
    [{}, { RBAC_ENABLED: 'false' }, 'kill -HUP 4120'],
    [{}, { APPROVAL_WORKFLOW_ENABLED: 'false' }, 'kill -HUP 4120'],
  ])('where .env says %j and the server does %j, the next command weakens nothing', (configured, effective, next) => {
    expect(look(configured, healthOf(effective)).found.next_command).toBe(next)
  })

  it('of a silent server are unknown', () => {
    expect(look({}, null).found).toMatchObject({ state: 'unknown', code: 'unmeasured' })
  })

  it('policy and configuration errors of the server are warnings', () => {
    const { policy, config: read } = healthOf()
    expect(policyFinding(healthOf()).state).toBe('ok')
    expect(policyFinding(healthOf({}, { policy: { ...policy, error: 'not JSON' } }))).toMatchObject({
      ...{ state: 'warning', code: 'policy_error' },
      facts: { error: 'not JSON' },
    })
    expect(policyFinding(healthOf({}, { config: { ...read, error: 'PORT: changed' } }))).toMatchObject({
      ...{ state: 'warning', code: 'config_error' },
    })
    expect(policyFinding(null).state).toBe('unknown')
  })
})

describe('open requests', () => {
  it.each([
    [39, 'ok', 'some'],
    [40, 'warning', 'crowded'],
    [49, 'warning', 'crowded'],
    [50, 'critical', 'full'],
  ])('%i of 50 is %s', (open, state, code) => {
    expect(openFinding({ open, oldest: NOW - 1000, soonest: NOW + 500 }, 50, NOW)).toMatchObject({ state, code })
  })

  it('never have a negative time left', () => {
    expect(openFinding({ open: 1, oldest: NOW, soonest: NOW - 5 }, 50, NOW).facts.least_ms).toBe(0)
  })
})

describe('the error log', () => {
  const scan = (over: Partial<LogScan>): LogScan => ({
    ...{ events: 0, groups: [], ungrouped: 0, lines: 10, begins: NOW - 23 * HOUR, ends: NOW - 1000 },
    ...{ fromTheStart: true, cutShort: false, ...over },
  })
  const look = (over: Partial<LogScan>, desk: number | null = NOW - 100 * HOUR) =>
    errorsFinding(scan(over), '/var/log/desk.log', { from: NOW - 24 * HOUR, to: NOW }, desk)

  it('without errors is fine', () => {
    expect(look({})).toMatchObject({ state: 'ok', code: 'none' })
  })

  it('with errors is a warning since the first of them', () => {
    const group = { fingerprint: 'x', count: 2, first: NOW - HOUR, last: NOW, sample: 'x' }
    expect(look({ events: 2, groups: [group] })).toMatchObject({
      state: 'warning',
      code: 'some',
      since: iso(NOW - HOUR),
    })
  })

  it('that begins within the window says how much of it was seen', () => {
    const begins = NOW - 6.8 * HOUR
    expect(look({ begins, fromTheStart: false })).toMatchObject({
      ...{ state: 'warning', code: 'incomplete' },
      facts: { begins_at: iso(begins), seen_ms: 6.8 * HOUR },
    })
    expect(look({ begins, fromTheStart: false }, begins - 1000)).toMatchObject({ state: 'ok', code: 'none_since' })
  })

  it('that was not read to its end is unknown, never fine', () => {
    expect(look({ cutShort: true })).toMatchObject({ state: 'unknown', code: 'cut' })
  })

  it('that is silent is unknown, unless older lines show that it is the log', () => {
    expect(look({ begins: null, lines: 0, fromTheStart: false })).toMatchObject({ state: 'unknown', code: 'silent' })
    expect(look({ begins: null, lines: 0 })).toMatchObject({ state: 'ok', code: 'none' })
  })
})

describe('the job ledger', () => {
  const due = Date.parse('2026-11-21T09:00:00Z')
  const run = (state: string, over = {}) => ({
    ...{ job: 'daily-report', date: '2026-11-21', state, finished: null, exitCode: null, missedCount: null },
    ...over,
  })
  const ledger = (over: Partial<LedgerFacts>): LedgerFacts => ({
    ...{ runs: [], evening: null, eveningKnown: due - HOUR, known: due - HOUR, heartbeat: NOW - 60_000, ...over },
  })
  const evening = (over: Partial<LedgerFacts>, desk: number | null = null) =>
    eveningFinding(ledger(over), { date: '2026-11-21', at: due }, desk)
  const KEEP = 'npm run daily-report -- --date 2026-11-21 --keep'

  it("says whether yesterday's evening report is done", () => {
    const done = run('DONE', { finished: due + 4000, exitCode: 0 })
    expect(evening({ evening: done })).toMatchObject({ state: 'ok', code: 'done' })
  })

  it.each(['MISSED', 'FAILED', 'TIMED_OUT', 'ABANDONED', 'OVERLAP', 'RUNNING', 'CLAIMED'])(
    'an evening report that is %s is a warning',
    (state) => {
      expect(evening({ evening: run(state) })).toMatchObject({
        ...{ state: 'warning', code: 'not_done', facts: { state }, next_command: KEEP },
      })
    },
  )

  it('without a row is a warning, unless none was due yet', () => {
    expect(evening({})).toMatchObject({ state: 'warning', code: 'absent', next_command: KEEP })
    expect(evening({ eveningKnown: due + 1 })).toMatchObject({ state: 'ok', code: 'not_due' })
    expect(evening({ eveningKnown: null }, due + 1)).toMatchObject({ state: 'ok', code: 'not_due' })
    expect(evening({ eveningKnown: null })).toMatchObject({ state: 'warning' })
  })

  it('lists what failed, was missed, timed out or was abandoned', () => {
    const runs = [run('DONE'), run('FAILED', { exitCode: 7 }), run('MISSED', { job: 'daily-check', missedCount: 3 })]
    expect(jobsFinding(ledger({ runs }), NOW)).toMatchObject({
      ...{ state: 'warning', code: 'bad' },
      facts: { bad: ['daily-report 2026-11-21 FAILED (7)', 'daily-check 2026-11-21 MISSED x3'], runs: 3 },
    })
    expect(jobsFinding(ledger({ runs: [run('DONE')] }), NOW)).toMatchObject({ state: 'ok', code: 'fine' })
  })

  it('that nobody has looked at for a while is a warning', () => {
    const heartbeat = NOW - HOUR
    expect(jobsFinding(ledger({ runs: [run('DONE')], heartbeat }), NOW)).toMatchObject({
      ...{ state: 'warning', code: 'stopped', since: iso(heartbeat) },
    })
  })

  it('with nothing in a day is a warning once it is older than a day', () => {
    expect(jobsFinding(ledger({ known: NOW - HOUR }), NOW)).toMatchObject({ state: 'ok', code: 'none' })
    expect(jobsFinding(ledger({ known: NOW - 25 * HOUR }), NOW)).toMatchObject({ state: 'warning', code: 'none' })
    expect(jobsFinding(ledger({ known: null }), NOW)).toMatchObject({ state: 'warning', code: 'none' })
  })
})

describe('the clock', () => {
  const seen = (health: Health | null) => ({
    health,
    delay: 2,
    seenAt: NOW,
    finding: finding('zombies.none', 'ok', {}),
  })

  it.each([
    [0, 'ok', 'agrees'],
    [5000, 'ok', 'agrees'],
    [5010, 'warning', 'differs'],
    [-3_600_000, 'warning', 'differs'],
  ])('%i ms apart is %s', (apart, state, code) => {
    expect(checkClock(seen(healthOf({}, { now: iso(NOW - 2 - apart) })), NOW - 1000)).toMatchObject({ state, code })
  })

  it('that went back is a warning', () => {
    expect(checkClock(seen(healthOf({}, { clock_behind_seconds: 90 })), null)).toMatchObject({
      ...{ state: 'warning', code: 'behind', facts: { behind_ms: 90_000 } },
    })
  })

  it('behind the newest event is a warning', () => {
    expect(checkClock(seen(healthOf()), NOW + HOUR)).toMatchObject({ state: 'warning', code: 'future' })
  })

  it('of a silent server is unknown', () => {
    expect(checkClock(seen(null), null)).toMatchObject({ state: 'unknown', code: 'unmeasured' })
  })
})

describe('the drill', () => {
  const gate = finding('gate.on', 'ok', { configured: true, effective: true })
  const leased = finding('gate.leased', 'warning', {
    configured: false,
    effective: false,
    off_ms: 1,
    ran: 0,
    until_at: null,
  })
  const steps = (problem: DrillProblem['kind'] | null) =>
    (['approve', 'reject', 'expire'] as const).map((step, n) => ({
      step,
      ...(problem && n === 1
        ? { ms: null, problem: { kind: problem, detail: 'so' } }
        : { ms: 12.4 + n, problem: null }),
    }))

  it('prints the three times', () => {
    expect(drillFinding(steps(null), gate)).toMatchObject({
      ...{ state: 'ok', code: 'passed', facts: { approve_millis: 12, reject_millis: 13, expire_millis: 14 } },
    })
  })

  it.each([
    ['wrong', 'critical', 'failed'],
    ['bypassed', 'critical', 'open_door'],
    ['not_required', 'warning', 'not_required'],
    ['queue_full', 'warning', 'busy'],
    ['rate_limited', 'warning', 'busy'],
    ['unauthenticated', 'unknown', 'refused'],
    ['role', 'unknown', 'refused'],
    ['no_answer', 'unknown', 'no_answer'],
  ] as const)('%s is %s', (kind, state, code) => {
    expect(drillFinding(steps(kind), gate)).toMatchObject({ state, code })
  })

  it('through a gate that is off for a while is no worse than the gate', () => {
    expect(drillFinding(steps('bypassed'), leased)).toMatchObject({ state: 'warning', code: 'open_door' })
  })
})

describe('the report', () => {
  const at = (check: CheckName, state: Finding['state'], code: string, facts = {}): Finding => ({
    ...{ check, state, code, facts, since: null, next_command: null },
  })
  const dataOf = (findings: readonly Finding[]): DailyCheckData => ({
    ...{ now: iso(NOW), zone: 'Asia/Seoul', verdict: verdictOf(findings), limits: LIMITS, checks: inOrder(findings) },
    ...{
      contacts_problem: null,
      settings: [],
      unapproved: null,
      yesterday: null,
      errors: NO_ERRORS,
      docker: NO_ERRORS,
    },
  })
  const rendered = (data: DailyCheckData, lang: 'ko' | 'en') =>
    render(
      { schema: 'ops.daily-check.v1', data, document: (l) => dailyCheckDocument(data, l) },
      ...(['table', lang, { columns: 80, colour: false }] as const),
    )
  const docker = at('docker', 'not_configured', 'not_configured')
  const skipped = at('drill', 'skipped', 'skipped')

  it('begins with the verdict, and puts the worst first', () => {
    const data = dataOf([
      at('audit', 'ok', 'empty'),
      at('zombies', 'warning', 'some', { zombies: 3, ids: ['a'] }),
      at('clock', 'unknown', 'unmeasured'),
      docker,
    ])
    expect(rendered(data, 'ko').split('\n')[0]).toBe('확인 불가: 2건 - 시계, 만료 처리')
    expect(rendered(data, 'en').split('\n')[0]).toBe('UNKNOWN: 2 - Clock, Expiry')
    expect(data.checks.map(({ check }) => check)).toEqual(['clock', 'zombies', 'audit', 'docker'])
  })

  it('what is not configured or skipped is never OK and changes no verdict', () => {
    expect(verdictOf([at('audit', 'ok', 'empty'), docker, skipped])).toBe('ok')
    const text = rendered(dataOf([at('audit', 'ok', 'empty'), docker, skipped]), 'en')
    expect(text.split('\n')[0]).toBe('OK: 1 check passed')
    expect(text).toContain('- [NOT CONFIGURED] Docker')
    expect(text).toContain('- [SKIPPED] Drill')
  })

  it('unknown outranks warning, critical outranks all', () => {
    const states = (...all: Finding['state'][]) => verdictOf(all.map((state) => at('audit', state, 'empty')))
    expect(states('ok', 'warning')).toBe('warning')
    expect(states('warning', 'unknown', 'ok')).toBe('unknown')
    expect(states('critical', 'unknown')).toBe('critical')
  })

  it('the last line on stderr is the gravest cause and what to type', () => {
    const zombies = finding('zombies.some', 'warning', { zombies: 3, ids: ['a1b2c3d4'] }, { next: 'npx approval list' })
    const text = failureText([at('audit', 'ok', 'empty'), zombies], 'en', 'Asia/Seoul')
    expect(text).toBe('WARNING: Expiry: 3 still pending past the deadline: a1b2c3d4. npx approval list')
  })

  const EXAMPLES: Readonly<Record<string, Fact>> = { cause: 'locked', path: '/srv/data/security.db', detail: 'x' }
  const example = (name: string): Fact => {
    if (EXAMPLES[name] !== undefined) return EXAMPLES[name]
    if (name.endsWith('_at')) return iso(NOW)
    return /_(ms|millis|bytes)$/.test(name) ? 1_234_567 : 'example'
  }
  const findings = Object.entries(ko)
    .filter(([key]) => CHECKS.some((check) => key.startsWith(`${check}.`)))
    .map(([key, text]) => {
      const [check, code] = key.split('.') as [CheckName, string]
      const names = [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name!)
      const facts = Object.fromEntries([...names, ...Object.keys(EXAMPLES)].map((name) => [name, example(name)]))
      return { ...at(check, 'warning', code, facts), since: iso(NOW), next_command: 'npm start' }
    })

  it.each(['ko', 'en'] as const)('every sentence can be said, in %s, in 80 columns', (lang) => {
    expect(findings.length).toBeGreaterThan(80)
    const text = rendered(dataOf(findings), lang)
    expect(text).not.toMatch(/[{}]|undefined|NaN|Invalid/)
    for (const line of text.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
  })
})
