import { contactWords } from './contact.ts'
import type { DailyCheckData, DayNumbers, ErrorRow, ErrorRows } from './daily-check-data.ts'
import { itemOf, texts, verdictText } from './daily-check-text.ts'
import { callCells } from './daily-report-events.ts'
import type { Block, Document, Lang } from './document.ts'
import { count, duration, ratio } from './numbers.ts'
import { instantText, localTime, zoneName } from './period.ts'
import { common } from './state.ts'
import type { Rate } from './statistics.ts'

/** The document of the daily check: the verdict, a line for each check, and the numbers behind three of them. */
export function dailyCheckDocument(data: DailyCheckData, lang: Lang): Document {
  const say = texts(lang)
  const { checks, verdict, zone } = data
  const now = Date.parse(data.now)
  return {
    lang,
    title: `${say('title')}, ${say('as_of', { now: localTime(now, zone), zone: zoneName(now, zone) })}`,
    verdict: { state: verdict, text: verdictText(checks, lang) },
    blocks: [
      { kind: 'list', items: checks.map((finding) => itemOf(finding, lang, zone)) },
      ...contactsProblem(data, lang),
      ...unapprovedTable(data, lang),
      ...settingsTable(data, lang),
      ...yesterdayTable(data, lang),
      ...errorsTable(data.errors, say('errors_table'), data.zone, lang),
      ...errorsTable(data.docker, say('docker_table'), data.zone, lang),
    ],
  }
}

function contactsProblem({ contacts_problem: problem }: DailyCheckData, lang: Lang): Block[] {
  if (problem === null) return []
  return [{ kind: 'paragraph', state: 'unknown', text: contactWords(lang)('contact_broken', { problem }) }]
}

/** Longer lists are cut for people, with the way to the rest. */
const MOST_CALLS = 20

function unapprovedTable({ unapproved, zone }: DailyCheckData, lang: Lang): Block[] {
  if (unapproved === null || unapproved.calls_total === 0) return []
  const say = texts(lang)
  const { calls, calls_total: n } = unapproved
  const shown = calls.slice(0, MOST_CALLS)
  const rest = n - shown.length
  return [
    {
      kind: 'table',
      caption: say('unapproved_table', { n: count(n) }),
      head: [say('unapproved_time'), say('unapproved_user'), say('unapproved_tool'), say('unapproved_level')],
      rows: shown.map((call) => callCells(call, (iso, pattern) => instantText(iso, zone, pattern))),
    },
    ...(rest > 0 ? [{ kind: 'paragraph' as const, text: say('unapproved_more', { n: count(rest) }) }] : []),
  ]
}

function settingsTable({ settings }: DailyCheckData, lang: Lang): Block[] {
  if (settings.length === 0) return []
  const say = texts(lang)
  return [
    {
      kind: 'table',
      caption: say('settings_table'),
      head: [say('settings_key'), say('settings_configured'), say('settings_effective')],
      rows: settings.map(({ key, configured, effective, state }) => [
        key,
        configured,
        state === 'ok' ? (effective ?? '–') : { text: effective ?? common(lang)('unknown'), state },
      ]),
    },
  ]
}

function yesterdayTable({ yesterday }: DailyCheckData, lang: Lang): Block[] {
  if (yesterday === null) return []
  const { day, week_before: before } = yesterday
  if (day.total === 0 && (before?.total ?? 0) === 0) return []
  const say = texts(lang)
  const row = (title: string, of: (day: DayNumbers) => string) => [title, of(day), before === null ? '–' : of(before)]
  const rate = ({ k, n }: Rate) => ratio(k, n)
  const time = (ms: number | null) => (ms === null ? '–' : duration(ms, lang))
  return [
    {
      kind: 'table',
      caption: say('yesterday_table'),
      head: ['', day.date, before?.date ?? say('yesterday_no_week')],
      rows: [
        row(say('yesterday_total'), ({ total }) => count(total)),
        row(say('yesterday_open'), ({ open }) => count(open)),
        row(say('yesterday_unanswered'), ({ unanswered }) => count(unanswered)),
        row(say('yesterday_decided'), ({ decided }) => count(decided)),
        row(say('yesterday_cancelled'), ({ cancelled }) => count(cancelled)),
        row(say('yesterday_approval'), ({ approval_rate }) => rate(approval_rate)),
        row(say('yesterday_answered'), ({ answered_rate }) => rate(answered_rate)),
        row(say('yesterday_p50'), ({ p50_ms }) => time(p50_ms)),
        row(say('yesterday_p90'), ({ p90_ms }) => time(p90_ms)),
        row(say('yesterday_p95'), ({ p95_ms }) => time(p95_ms)),
        row(say('yesterday_max'), ({ max_ms }) => time(max_ms)),
      ],
      align: ['left', 'right', 'right'],
    },
  ]
}

function errorsTable(errors: ErrorRows, caption: string, zone: string, lang: Lang): Block[] {
  const { groups, more_events: events, more_kinds: kinds } = errors
  if (groups.length === 0) return []
  const say = texts(lang)
  const time = (iso: string | null) => (iso === null ? '–' : localTime(Date.parse(iso), zone, 'MM-DD HH:mm'))
  const isNew = ({ is_new }: ErrorRow) => (is_new === null ? '?' : say(is_new ? 'errors_is_new' : 'errors_is_known'))
  const more: Block[] =
    events > 0 ? [{ kind: 'paragraph', text: say('errors_more', { kinds: count(kinds), events: count(events) }) }] : []
  return [
    {
      kind: 'table',
      caption,
      head: [say('errors_count'), say('errors_first'), say('errors_last'), say('errors_new'), say('errors_sample')],
      rows: groups.map((group) => [
        count(group.count),
        time(group.first_at),
        time(group.last_at),
        isNew(group),
        group.sample,
      ]),
      align: ['right', 'left', 'left', 'left', 'left'],
    },
    ...more,
  ]
}
