import type { RollbackResult } from '../../src/report/rollback-result.ts'
import type { Row } from './report-database.ts'

/** What went wrong in the five weeks of test/support/realistic-month.ts. */

/** The server was killed and nobody noticed for an hour. */
export const OUTAGE = { from: Date.parse('2026-11-12T05:10:00Z'), until: Date.parse('2026-11-12T06:25:30Z') }
/** Releases, on Wednesday evenings. */
export const RESTARTS = ['10-21', '10-28', '11-04', '11-11', '11-18'].map((day) => Date.parse(`2026-${day}T10:00:00Z`))
/** The gate was off: the approvers' page did not load, and a release could not wait. */
export const LEASES = [
  { at: Date.parse('2026-11-05T01:32:10Z'), until: Date.parse('2026-11-05T01:52:10Z') },
  { at: Date.parse('2026-11-23T02:20:00Z'), until: Date.parse('2026-11-23T02:50:00Z') },
]

const day = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '')

export function rollbackOf(at: number, until: number): RollbackResult {
  const end = new Date(until).toISOString()
  return {
    ...{ id: `${day(at - 4000)}-disable-k7qd`, scenario: 'disable', kind: 'apply', outcome: 'done', exit_code: 0 },
    started_at: new Date(at - 4000).toISOString(),
    finished_at: new Date(at + 8000).toISOString(),
    ...{ by: 'han.yuna', host: 'desk-1', reason: '승인 화면이 열리지 않아 긴급 배포가 막힘', until: end },
    ...{ target: '/srv/approval-ops/.env', runtime: 'process' },
    changes: [{ what: 'APPROVAL_DISABLED_UNTIL', from: '–', to: end }],
    summary: { ko: '게이트를 꺼 두었습니다.', en: 'The gate is off.' },
  }
}

/** What the old system left: no milliseconds, its own words, and a few rows that make no sense. */
export function legacyRows(): Row[] {
  const rows = Array.from({ length: 36 }, (_, n): Row => {
    const at = Date.parse('2026-10-12T00:20:00Z') + Math.floor(n / 8) * 86_400_000 + (n % 8) * 3_000_000
    const text = (ms: number) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
    const isAnswered = n % 6 !== 5
    return {
      request_id: `${(0xa0000000 + n).toString(16)}-1111-4111-8111-111111111111`,
      tool_name: ['execute_python', 'execute_bash', 'write_file'][n % 3]!,
      status: isAnswered ? (n % 9 === 4 ? 'rejected' : 'approved') : 'timeout',
      requested_at: text(at),
      responded_at: text(at + (isAnswered ? 20_000 + n * 3000 : 300_000)),
      responder_id: isAnswered ? 'admin_user' : 'system',
      expires_at: text(at + 300_000),
    }
  })
  const [first, second, third] = rows as [Row, Row, Row]
  rows[0] = { ...first, status: 'in_review' }
  rows[1] = { ...second, responded_at: '2026-10-11 23:00:00' }
  rows[2] = { ...third, expires_at: '2026-10-12 00:00:00' }
  return rows
}
