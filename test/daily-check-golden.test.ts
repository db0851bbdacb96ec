import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { finding, iso } from '../src/jobs/check.ts'
import { contactFor, parseContacts } from '../src/jobs/contacts.ts'
import { situationOf } from '../src/jobs/situation.ts'
import { dailyCheckDocument } from '../src/report/daily-check.ts'
import {
  CHECKS,
  type DailyCheckData,
  type Finding,
  inOrder,
  LIMITS,
  verdictOf,
} from '../src/report/daily-check-data.ts'
import type { Report } from '../src/report/document.ts'
import { displayWidth } from '../src/report/printable.ts'
import { render } from '../src/report/render.ts'

const NOW = Date.parse('2026-11-23T00:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ago = (ms: number) => iso(NOW - ms)

/** A bad morning: one finding of every check, in every state there is. */
const FINDINGS: Finding[] = [
  finding('server.slow', 'warning', {
    slowest_millis: 812,
    uptime_ms: 26 * HOUR,
    version: '0.1.0',
    started_at: ago(26 * HOUR),
  }),
  finding(
    'gate.leased',
    'warning',
    { configured: true, effective: false, off_ms: 47 * MINUTE, periods: 1, until_at: iso(NOW + HOUR) },
    { since: NOW - 47 * MINUTE, next: "npm run rollback-disable -- undo --reason '...'" },
  ),
  finding(
    'settings.weak_and_differ',
    'warning',
    { weak: ['RBAC_ENABLED=false'], differing: ['APPROVAL_TIMEOUT'] },
    { next: 'kill -HUP 4711' },
  ),
  finding(
    'policy.policy_error',
    'warning',
    { path: '/srv/policy.json', loaded_at: ago(3 * HOUR), error: 'tools.run_command: Invalid option' },
    { since: NOW - 3 * HOUR, next: 'vi /srv/policy.json && kill -HUP 4711' },
  ),
  finding(
    'rollbacks.cut_off',
    'critical',
    { id: '20261122T231500Z-env-x3f2', scenario: 'env', by: 'kim', started_at: ago(45 * MINUTE) },
    { since: NOW - 45 * MINUTE, next: 'npm run rollback-env -- resume' },
  ),
  finding('drill.skipped', 'skipped', {}),
  finding(
    'open.crowded',
    'warning',
    { open: 43, max: 50, oldest_at: ago(4 * MINUTE), least_ms: 12_000 },
    { since: NOW - 4 * MINUTE, next: 'npx approval list' },
  ),
  finding('zombies.none', 'ok', {}),
  finding('yesterday.numbers', 'ok', {
    date: '2026-11-22',
    total: 41,
    approved: 20,
    rejected: 9,
    unanswered: 10,
    cancelled: 1,
    open: 1,
  }),
  finding('rejections.mass', 'warning', { rejected: 9, decided: 29 }, { next: 'npm run daily-report' }),
  finding(
    'errors.some_since',
    'warning',
    { events: 14, kinds: 2, begins_at: ago(7 * HOUR), ends_at: ago(MINUTE), seen_ms: 7 * HOUR, window_ms: 24 * HOUR },
    { since: NOW - 6 * HOUR, next: 'tail -n 50 /srv/data/server.log' },
  ),
  finding(
    'database.unreadable',
    'critical',
    { cause: 'corrupt', path: '/srv/data/security.db', detail: 'database disk image is malformed' },
    { next: "sqlite3 /srv/data/security.db 'PRAGMA integrity_check'" },
  ),
  finding(
    'disk.low',
    'warning',
    { free_bytes: 640 * 1024 ** 2, total_bytes: 64 * 1024 ** 3, type: 'ext4', path: '/srv/data' },
    { next: 'df -h /srv/data' },
  ),
  finding(
    'archive.missing',
    'warning',
    { path: '/srv/data/archive', missing: 2, files: ['2025-08.db', '2025-09.db'] },
    { next: 'ls -l /srv/data/archive' },
  ),
  finding('audit.unmeasured', 'unknown', {}, { next: "sqlite3 /srv/data/security.db 'PRAGMA integrity_check'" }),
  finding(
    'evening.not_done',
    'warning',
    { nominal_at: ago(15 * HOUR), state: 'TIMED_OUT' },
    { since: NOW - 15 * HOUR, next: 'npm run daily-report' },
  ),
  finding('jobs.stopped', 'warning', { last_at: ago(2 * HOUR) }, { since: NOW - 2 * HOUR, next: 'npm start' }),
  finding('clock.agrees', 'ok', { difference_millis: 3 }),
  finding(
    'backup.old',
    'critical',
    { taken_at: ago(53.5 * HOUR), size_bytes: 12_345_678, age_ms: 53.5 * HOUR },
    { since: NOW - 53.5 * HOUR, next: 'npm run backup' },
  ),
  finding(
    'docker.some_recreated',
    'warning',
    {
      name: 'desk_server_1',
      events: 3,
      kinds: 1,
      begins_at: ago(6.8 * HOUR),
      seen_ms: 6.8 * HOUR,
      window_ms: 24 * HOUR,
    },
    { since: NOW - 5 * HOUR, next: `docker logs --timestamps --since ${ago(6.8 * HOUR)} desk_server_1` },
  ),
  finding('gateway.not_configured', 'not_configured', {}),
]

function data(): DailyCheckData {
  const filledIn = readFileSync(join(ROOT, 'contacts.json'), 'utf8')
    .replace('"name": "", "phone": ""', '"name": "김지수", "phone": "010-1234-5678"')
    .replaceAll('"phone": ""', '"phone": "02-123-4567"')
  const contacts = parseContacts(filledIn, 'contacts.json')
  const checks = inOrder(FINDINGS).map((one) => {
    const situation = situationOf(one)
    return situation === undefined ? one : { ...one, contact: contactFor(contacts, situation) }
  })
  const day = (date: string, total: number) => ({
    ...{ date, total, open: 1, unanswered: 10, cancelled: 1, decided: total - 12, approved: total - 21, rejected: 9 },
    ...{ unknown_status: 0, odd_rows: 0, p50_ms: 41_000, p90_ms: 190_000, p95_ms: 240_000 },
    ...{
      max_ms: 299_000,
      approval_rate: { k: total - 21, n: total - 12 },
      answered_rate: { k: total - 12, n: total - 2 },
    },
  })
  return {
    ...{ now: iso(NOW)!, zone: 'Asia/Seoul', verdict: verdictOf(FINDINGS), limits: LIMITS },
    checks,
    contacts_problem: null,
    settings: [
      { key: 'RBAC_ENABLED', configured: 'false', effective: 'false', state: 'warning' },
      { key: 'APPROVAL_TIMEOUT', configured: '300', effective: '120', state: 'warning' },
      { key: 'SANDBOX_ENABLED', configured: 'true', effective: null, state: 'unknown' },
    ],
    yesterday: { day: day('2026-11-22', 41), week_before: day('2026-11-15', 33), record_begins: null },
    errors: {
      groups: [
        {
          ...{ count: 12, first_at: ago(6 * HOUR), last_at: ago(HOUR), is_new: true },
          sample: 'commit failed: database is locked',
        },
        {
          count: 2,
          first_at: ago(5 * HOUR),
          last_at: ago(5 * HOUR),
          is_new: false,
          sample: 'ValueError: no such tool',
        },
      ],
      ...{ more_kinds: 0, more_events: 0 },
    },
    docker: {
      groups: [{ count: 3, first_at: ago(5 * HOUR), last_at: ago(4 * HOUR), is_new: null, sample: '<--- JS heap' }],
      ...{ more_kinds: 2, more_events: 7 },
    },
  }
}

function reportOf(): Report {
  const shown = data()
  return { schema: 'ops.daily-check.v1', data: shown, document: (lang) => dailyCheckDocument(shown, lang) }
}

describe('a bad morning, whole', () => {
  test('has a finding of every check', () => {
    expect(FINDINGS.map(({ check }) => check).sort()).toEqual([...CHECKS].sort())
  })

  test.each([
    ['ko', 'table', 'txt'],
    ['ko', 'markdown', 'md'],
    ['en', 'table', 'txt'],
    ['en', 'markdown', 'md'],
    ['ko', 'html', 'html'],
    ['en', 'html', 'html'],
  ] as const)('in %s as %s', async (lang, format, extension) => {
    const text = render(reportOf(), format, lang, { columns: 80, colour: false })
    if (format === 'table')
      for (const line of text.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    await expect(text).toMatchFileSnapshot(`golden/daily-check.${lang}.${extension}`)
  })

  test('as JSON, the same in both languages', async () => {
    const text = render(reportOf(), 'json', 'ko', { columns: 80, colour: false })
    expect(render(reportOf(), 'json', 'en', { columns: 80, colour: false })).toBe(text)
    await expect(text).toMatchFileSnapshot('golden/daily-check.json')
  })
})
