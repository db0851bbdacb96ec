import { shortId } from '../approval/request.ts'
import type { Block, Chart, Table } from './document.ts'
import { count, duration, ratio } from './numbers.ts'
import type { Voice } from './timeout-diagnosis.ts'
import { type Case, REASONS, type Reasons, type Tally, type Unanswered } from './unanswered.ts'

const TOP = 5
/** A Monday. */
const MONDAY = Date.UTC(2026, 10, 23)
const DAY = 86_400_000

/** Every reason that there was, and how often. */
export function reasonsBlocks({ reasons, total }: Unanswered, { say }: Voice): Block[] {
  return [
    {
      kind: 'table',
      caption: say('summary', { n: count(total) }),
      head: [say('reason'), say('unanswered'), say('share')],
      align: ['left', 'right', 'right'],
      rows: REASONS.filter((reason) => reasons[reason] > 0).map((reason) => [
        say(reason),
        count(reasons[reason]),
        ratio(reasons[reason], total),
      ]),
    },
  ]
}

/** The latest, one by one, each with its reason and who was concerned. */
export function casesBlocks({ latest, total }: Unanswered, days: number, voice: Voice): Block[] {
  const { say, time } = voice
  const more = total - latest.length
  return [
    {
      kind: 'table',
      caption: say('latest', { n: count(latest.length) }),
      head: [say('id'), say('asked'), say('tool'), say('requester'), say('reason')],
      rows: latest.map((one) => [
        shortId(one.request_id),
        time(one.requested_at),
        one.tool_name,
        one.user_id,
        detailOf(one, voice),
      ]),
    },
    ...(more > 0
      ? [
          {
            kind: 'paragraph',
            text: say('latest_more', { n: count(more), days, limit: Math.min(total, 1000) }),
          } as const,
        ]
      : []),
  ]
}

function detailOf({ reason, late, left_at, opened, notified }: Case, { say, lang, time }: Voice): string {
  const name = say(reason)
  if (reason === 'too_late' && late) {
    return say('detail_late', { reason: name, who: late.user_id, late: duration(late.ms, lang) })
  }
  if (reason === 'caller_gone' && left_at) return say('detail_left', { reason: name, time: time(left_at, 'HH:mm:ss') })
  const who = reason === 'opened' ? opened : reason === 'notified' ? notified : []
  return who.length === 0 ? name : say('detail_who', { reason: name, who: who.join(', ') })
}

/** By tool, requester, hour and weekday. */
export function sumsBlocks(unanswered: Unanswered, voice: Voice): Block[] {
  const { say, lang } = voice
  const { by_tool, by_requester, by_hour, by_weekday } = unanswered
  const weekday = new Intl.DateTimeFormat(lang, { weekday: 'short', timeZone: 'UTC' })
  return [
    ...topBlocks(say('by_tool'), say('tool'), by_tool, voice),
    ...topBlocks(say('by_requester'), say('requester'), by_requester, voice),
    barChart(say('by_hour'), by_hour.map(bar(twoDigits)), voice, (hour) => say('hour', { hour })),
    barChart(say('by_weekday'), by_weekday.map(bar((day) => weekday.format(MONDAY + (day - 1) * DAY))), voice),
  ]
}

function topBlocks(caption: string, name: string, tallies: readonly Tally<string>[], { say }: Voice): Block[] {
  const [top, rest] = [tallies.slice(0, TOP), tallies.slice(TOP)]
  const table: Table = {
    kind: 'table',
    caption,
    head: [name, say('unanswered'), say('most_frequent')],
    align: ['left', 'right', 'left'],
    rows: top.map(({ key, unanswered, reasons }) => [key, count(unanswered), say(mostFrequent(reasons))]),
  }
  if (rest.length === 0) return [table]
  const more = rest.reduce((sum, { unanswered }) => sum + unanswered, 0)
  const text = say('more_rows', { n: count(rest.length), unanswered: count(more) })
  return [table, { kind: 'paragraph', text }]
}

/** Of equals the one that is asked for first. */
const mostFrequent = (reasons: Reasons) =>
  REASONS.reduce((most, reason) => (reasons[reason] > reasons[most] ? reason : most))

const twoDigits = (hour: number): string => String(hour).padStart(2, '0')

const bar =
  (label: (key: number) => string) =>
  ({ key, unanswered }: Tally<number>): Bar => ({ label: label(key), count: unanswered })

export interface Bar {
  readonly label: string
  readonly count: number
}

/**
 * Counts to look at, and all that are not zero in words.
 * @param named the label as it stands in a sentence
 */
export function barChart(
  caption: string,
  bars: readonly Bar[],
  { say }: Voice,
  named: (label: string) => string = (label) => label,
): Chart {
  const most = bars.reduce((best, one) => (one.count > best.count ? one : best))
  const n = bars.reduce((sum, one) => sum + one.count, 0)
  const some = bars.filter((one) => one.count > 0)
  const each = some.map((one) => `${named(one.label)} (${count(one.count)})`).join(', ')
  return {
    ...{ kind: 'chart', shape: 'bars', caption, labels: bars.map(({ label }) => label) },
    words: say('chart_words', { n: count(n), label: named(most.label), most: count(most.count), each }),
    series: [{ name: caption, points: bars.map(({ count: value }) => ({ value, text: count(value) })) }],
  }
}
