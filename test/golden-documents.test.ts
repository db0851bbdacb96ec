import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Manifest } from '../src/backup/manifest.ts'
import { listReport, takenReport, verifyReport } from '../src/backup/report.ts'
import { restoredReport } from '../src/backup/restore-report.ts'
import { ROOT } from '../src/config.ts'
import { finding, iso } from '../src/jobs/check.ts'
import { contactFor, parseContacts } from '../src/jobs/contacts.ts'
import { proof } from '../src/jobs/preflight-checks.ts'
import { SITUATIONS } from '../src/report/contact.ts'
import { contactsReport } from '../src/report/contacts.ts'
import type { Report } from '../src/report/document.ts'
import { preflightDocument } from '../src/report/preflight.ts'
import {
  type Evidence,
  ITEMS,
  type ItemName,
  itemState,
  type PreflightData,
  STEPS,
} from '../src/report/preflight-data.ts'
import { displayWidth } from '../src/report/printable.ts'
import { render } from '../src/report/render.ts'

const NOW = Date.parse('2026-11-26T00:00:00Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const ago = (ms: number): string => iso(NOW - ms)!
const VIEW = { now: NOW, zone: 'Asia/Seoul' }

/** The morning before a deployment: some is proven, some failed, some nobody knows. */
const EVIDENCE: Readonly<Record<ItemName, readonly Evidence[]>> = {
  step_environment: [proof('environment.clean', 'ok', { keys: 34, file: '/srv/approval/.env' })],
  step_service: [
    finding('server.slow', 'warning', {
      ...{ slowest_millis: 812, uptime_ms: 26 * HOUR, version: '0.1.0', started_at: ago(26 * HOUR) },
    }),
  ].map(({ code, state, facts }) => ({
    key: `server.${code}` as 'server.slow',
    state,
    facts,
    at: null,
    next_command: 'npm run daily-check',
  })),
  step_function: [
    proof(
      'spoof.accepted',
      'critical',
      { what: 'X-User-ID', status: 200 },
      { next: 'grep -n APPROVAL_TRUST_USER_HEADER .env' },
    ),
  ],
  environment: [proof('environment.gate_on', 'ok', {})],
  backup: [proof('copy.old', 'warning', { taken_at: ago(30 * HOUR) }, { at: ago(30 * HOUR), next: 'npm run backup' })],
  rollbacks: [
    proof('plan.planned', 'ok', { scenario: 'disable' }),
    proof('rehearsal.passed', 'ok', { scenario: 'disable', apply_seconds: 3.2, undo_seconds: 4 }, { at: ago(9 * DAY) }),
    proof('rehearsal.never', 'unknown', { scenario: 'cli' }, { next: 'npm run rollback-cli -- --rehearse' }),
  ],
  training: [proof('attested.valid', 'ok', { by: '김지수', until: '2027-02-10' }, { at: ago(14 * DAY) })],
  cli: [proof('tool.works', 'ok', { open: 1, took_millis: 640 })],
  queries: [
    proof('sql.works', 'ok', { total: 41 }),
    proof('sql.no_shell', 'warning', {}, { next: 'apt-get install sqlite3' }),
  ],
  daily_check: [proof('schedule.alive', 'ok', { next_at: iso(NOW)! })],
  daily_report: [proof('schedule.unknown_job', 'unknown', {}, { next: 'npm run schedule -- status' })],
  contacts: [
    proof(
      'people.no_phone',
      'warning',
      { roles: ['Security Lead', 'Database Admin'] },
      { next: 'vi /srv/approval/contacts.json' },
    ),
    proof('attested.none', 'unknown', {}, { next: 'npm run preflight -- attest contacts --by NAME' }),
  ],
  gate: [proof('environment.gate_on', 'ok', {})],
}
const itemsOf = (names: readonly ItemName[]) =>
  names.map((item) => ({ item, state: itemState(EVIDENCE[item]), evidence: EVIDENCE[item] }))
const preflight: PreflightData = {
  ...{ now: iso(NOW)!, zone: VIEW.zone, verdict: 'critical' },
  ...{ steps: itemsOf(STEPS), items: itemsOf(ITEMS) },
}

const parsed = parseContacts(
  readFileSync(join(ROOT, 'contacts.json'), 'utf8')
    .replace(
      '"name": "", "phone": "", "channel": ""',
      '"name": "김지수", "phone": "010-1234-5678", "channel": "#on-call"',
    )
    .replace('"phone": ""', '"phone": "02-123-4567"'),
  'contacts.json',
)
const file = '/srv/approval/contacts.json'

const manifestOf = (name: string, taken: number, requests: number): Manifest => ({
  ...{ schema: 'ops.backup-manifest.v1', name, taken_at: iso(taken)!, took_ms: 840 },
  database: {
    ...{
      file: 'security.db',
      source: '/srv/approval/data/security.db',
      sha256: 'ab'.repeat(32),
      bytes: requests * 3000,
    },
    schema_sha256: 'cd'.repeat(32),
    tables: { approval_events: 3 * requests, approval_requests: requests, security_users: 6 },
    newest_request: '2026-11-25 18:29:41.118',
    chain_head: { seq: 3 * requests, hash: 'ef'.repeat(32) },
  },
  others: [],
  left_out: [],
})
const [OLD, DAMAGED, NEW] = [
  'security-20261123T183000.000Z',
  'security-20261124T183000.000Z',
  'security-20261125T183000.000Z',
]
const shelved = [
  { name: OLD!, manifest: manifestOf(OLD!, NOW - 53.5 * HOUR, 3981), problem: null },
  { name: DAMAGED!, manifest: null, problem: 'ENOENT: no such file or directory, manifest.json' },
  { name: NEW!, manifest: manifestOf(NEW!, NOW - 5.5 * HOUR, 4120), problem: null },
]

const taken = manifestOf(NEW!, NOW - 5.5 * HOUR, 4120)
const { schema_sha256, tables, newest_request, chain_head } = taken.database
const data = '/srv/approval/data'

const REPORTS: Readonly<Record<string, Report>> = {
  preflight: {
    ...{ schema: 'ops.preflight.v1', data: preflight },
    document: (lang) => preflightDocument(preflight, lang),
  },
  contacts: contactsReport({
    ...{ file, verdict: 'warning', situation: null, without_phone: ['Security Lead', 'Database Admin'] },
    contacts: SITUATIONS.map((situation) => contactFor(parsed, situation)),
  }),
  'contacts-one': contactsReport({
    ...{ file, verdict: 'ok', situation: 'service_down', without_phone: [] },
    contacts: [contactFor(parsed, 'service_down')],
  }),
  backup: takenReport({
    manifest: { ...taken, left_out: [{ file: '.env', reason: 'EACCES: permission denied' }] },
    ...{ folder: `${data}/backups/${NEW}`, removed: [OLD!], remove_failed: null },
  }),
  'backup-restored': restoredReport({
    ...{ backup: NEW!, taken_at: taken.taken_at, started_at: ago(9 * 60_000), finished_at: ago(9 * 60_000 - 4120) },
    ...{ by: 'kim (sudo root)', host: 'ops1', reason: '디스크 고장으로 데이터베이스가 손상됨' },
    ...{ lost: { requests: 17, events: 51 }, target: `${data}/security.db` },
    aside: `${data}/security.db.before-restore-20261125T235100.000Z`,
    holds: { schema_sha256, tables, newest_request, chain_head },
  }),
  'backup-list': listReport(shelved, VIEW),
  'backup-verify': verifyReport([
    { name: OLD!, problem: null },
    { name: DAMAGED!, problem: 'security.db has 4096 bytes, not 12360000' },
    { name: NEW!, problem: null },
  ]),
}

describe.each(Object.entries(REPORTS))('%s, whole', (name, report) => {
  test.each([
    ['ko', 'table', 'txt'],
    ['en', 'table', 'txt'],
    ['ko', 'markdown', 'md'],
    ['en', 'markdown', 'md'],
    ['ko', 'html', 'html'],
    ['en', 'html', 'html'],
  ] as const)('in %s as %s', async (lang, format, extension) => {
    const text = render(report, format, lang, { columns: 80, colour: false })
    if (format === 'table')
      for (const line of text.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    await expect(text).toMatchFileSnapshot(`golden/${name}.${lang}.${extension}`)
  })

  test('as JSON, the same in both languages', async () => {
    const text = render(report, 'json', 'ko', { columns: 80, colour: false })
    expect(render(report, 'json', 'en', { columns: 80, colour: false })).toBe(text)
    await expect(text).toMatchFileSnapshot(`golden/${name}.json`)
  })
})
