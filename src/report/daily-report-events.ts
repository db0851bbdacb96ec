import type { Voice } from './daily-report.ts'
import type { Act, DailyReportData, UnapprovedCall } from './daily-report-data.ts'
import { type Block, heading, paragraph, type Table } from './document.ts'
import { count, duration } from './numbers.ts'

/** Longer lists are cut for people, with the way to the rest; JSON has all of it. */
const MOST_ROWS = 20

/** When the gate was off, and every call that ran meanwhile without anybody's approval. */
export function gateBlocks(data: DailyReportData, voice: Voice): Block[] {
  const { say, lang, time } = voice
  const { off, calls, calls_total } = data.gate
  const items = off.map(({ from, until, ms }) => ({
    text: say('gate_period', { from: time(from), until: time(until), length: duration(ms, lang) }),
  }))
  return [
    heading(say('gate')),
    ...(off.length > 0 ? [{ kind: 'list' as const, items }] : []),
    ...gateUnlisted(data, voice),
    ...listed(
      calls_total,
      calls,
      (rows) => ({
        kind: 'table',
        caption: say('calls', { n: count(calls_total) }),
        head: [say('time'), say('user'), say('tool'), say('level'), say('digest')],
        rows: rows.map((call) => [...callCells(call, time), call.digest.slice(0, 12)]),
      }),
      { say, date: data.date },
    ),
  ]
}

/** When, who, what and at which level, of a call that ran without approval. */
export const callCells = ({ at, user_id, server, tool_name, level }: UnapprovedCall, time: Voice['time']): string[] => [
  time(at, 'MM-DD HH:mm:ss'),
  user_id,
  server === '' ? tool_name : `${server}/${tool_name}`,
  level,
]

/** What the record says of the time that is not listed, and no more than it does. */
function gateUnlisted({ gate, audit_head, since_last_report, today }: DailyReportData, { say, time }: Voice): Block[] {
  if (!audit_head) return [paragraph(say('gate_unknown'))]
  const { off, record_begins } = gate
  if (record_begins === null) return off.length > 0 ? [] : [paragraph(say('gate_on'))]
  const at = time(record_begins)
  const ends = [today.until, since_last_report.until].map((until) => Date.parse(until))
  if (Date.parse(record_begins) >= Math.max(...ends)) return [paragraph(say('gate_before_record', { at }))]
  return [paragraph(say(off.length > 0 ? 'gate_in_part' : 'gate_on_since', { at }))]
}

/** Rollbacks, users, tokens, settings, and the server's own comings and goings. */
export function actBlocks(data: DailyReportData, { say, time }: Voice): Block[] {
  const { administrative_acts: acts, administrative_acts_total: total } = data
  if (total === 0) return [heading(say('acts')), paragraph(say('acts_none'))]
  return [
    heading(say('acts')),
    ...listed(
      total,
      acts,
      (rows) => ({
        kind: 'table',
        caption: say('acts_table', { n: count(total) }),
        head: [say('time'), say('act'), say('actor'), say('about')],
        rows: rows.map((act) => [
          time(act.at, 'MM-DD HH:mm:ss'),
          actName(act, say),
          (act.rollback ?? act.restored)?.by ?? act.actor,
          aboutOf(act, say, time),
        ]),
      }),
      { say, date: data.date },
    ),
  ]
}

const ACTS = [
  'adopted',
  'archived',
  'config_reloaded',
  'rollback',
  'server_started',
  'server_stopped',
  'token_issued',
  'user_added',
  'user_disabled',
  'user_enabled',
] as const

function actName({ type }: Act, say: Voice['say']): string {
  if (type === 'restored') return say('restored_act')
  const known = ACTS.find((name) => name === type)
  if (known) return say(known)
  return type === 'changed_elsewhere' ? say('changed_elsewhere_act') : type
}

function aboutOf({ about, restored, rollback }: Act, say: Voice['say'], time: Voice['time']): string {
  if (restored) {
    const { taken_at, started_at, lost, reason } = restored
    return [
      say('restored_lost', { from: time(taken_at), until: time(started_at) }),
      lost
        ? say('restored_counts', { requests: count(lost.requests), events: count(lost.events) })
        : say('restored_unknown'),
      about,
      reason,
    ].join(', ')
  }
  if (rollback === null) return about
  const { scenario, kind, outcome, until, ticket, reason } = rollback
  return [
    `${scenario}${kind === 'undo' ? ' undo' : ''}: ${say(`rollback_${outcome}`)}`,
    until === null ? '' : say('rollback_until', { until: time(until) }),
    ticket ?? '',
    reason,
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function listed<T>(
  total: number,
  rows: readonly T[],
  table: (rows: readonly T[]) => Table,
  { say, date }: Pick<Voice, 'say'> & Pick<DailyReportData, 'date'>,
): Block[] {
  if (total === 0) return []
  const shown = rows.slice(0, MOST_ROWS)
  const more = total - shown.length
  return [table(shown), ...(more > 0 ? [paragraph(say('list_more', { n: count(more), date }))] : [])]
}

/** The end of the hash chain, so that this report, kept elsewhere, is a witness of it. */
export function auditBlocks({ audit_head: head }: DailyReportData, { say, time }: Voice): Block[] {
  if (!head) return [heading(say('audit')), paragraph(say('audit_none'))]
  return [
    heading(say('audit')),
    paragraph(say('audit_head', { seq: count(head.seq), at: time(head.at) })),
    paragraph(head.hash),
  ]
}
