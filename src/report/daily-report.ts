import { en } from './catalogue/daily-report.en.ts'
import { ko } from './catalogue/daily-report.ko.ts'
import type { Action, DailyReportData } from './daily-report-data.ts'
import { accountedBlocks, qualityBlocks } from './daily-report-details.ts'
import { actBlocks, auditBlocks, gateBlocks } from './daily-report-events.ts'
import { numbersBlocks } from './daily-report-numbers.ts'
import { type Block, type Document, heading, type Item, type Lang, paragraph } from './document.ts'
import { count } from './numbers.ts'
import { dateIn, instantText, zoneName } from './period.ts'
import { fill, words } from './words.ts'

const texts = words(ko, en)
const MOST_ACTIONS = 5

/** What every section of the report needs to say something. */
export interface Voice {
  readonly say: ReturnType<typeof texts>
  readonly lang: Lang
  readonly zone: string
  /** An instant (ISO 8601) on the wall of the report's zone. */
  readonly time: (iso: string, pattern?: string) => string
}

/** The evening report for people: the summary, what needs action, the numbers, then the details. */
export function dailyReportDocument(data: DailyReportData, lang: Lang): Document {
  const say = texts(lang)
  const { now, zone, date, verdict } = data
  const voice: Voice = {
    ...{ say, lang, zone },
    time: (iso, pattern) => instantText(iso, zone, pattern),
  }
  const written = say('written', { now: voice.time(now), zone: zoneName(Date.parse(now), zone) })
  return {
    lang,
    title: say('title', { date, weekday: weekday(date, lang, 'short') }),
    verdict: { state: verdict, text: verdictText(data, voice) },
    blocks: [
      paragraph(written),
      ...actionBlocks(data, voice),
      ...numbersBlocks(data, voice, { today: todayName(data, voice), weekday: weekday(date, lang, 'long') }),
      ...accountedBlocks(data, voice),
      ...gateBlocks(data, voice),
      ...actBlocks(data, voice),
      ...auditBlocks(data, voice),
      ...qualityBlocks(data, voice),
    ],
  }
}

/** A report on a day that is over does not call it today. */
const todayName = ({ now, zone, date }: DailyReportData, { say }: Voice): string =>
  dateIn(Date.parse(now), zone) === date ? say('today') : date

function verdictText({ today, date, actions_total }: DailyReportData, { say }: Voice): string {
  const { total, decided, unanswered, cancelled, open } = today.totals
  const numbers = {
    ...{ date, total: count(total), decided: count(decided), unanswered: count(unanswered) },
    ...{ cancelled: count(cancelled), open: count(open) },
  }
  const summary = total === 0 ? say('summary_empty', { date }) : say('summary', numbers)
  return actions_total === 0
    ? say('verdict_ok', { summary })
    : say('verdict_actions', { n: count(actions_total), summary })
}

function actionBlocks({ actions, date }: DailyReportData, voice: Voice): Block[] {
  const { say } = voice
  if (actions.length === 0) return [heading(say('actions')), paragraph(say('actions_none'))]
  const more = actions.length - MOST_ACTIONS
  return [
    heading(say('actions')),
    { kind: 'list', ordered: true, items: actions.slice(0, MOST_ACTIONS).map((action) => actionItem(action, voice)) },
    ...(more > 0 ? [paragraph(say('actions_more', { n: more, date }))] : []),
  ]
}

function actionItem({ code, state, facts, command }: Action, { lang, time }: Voice): Item {
  const shown = Object.entries(facts).map(([name, fact]) => {
    if (typeof fact === 'number') return [name, count(fact)]
    return [name, name.endsWith('_at') ? time(fact, 'YYYY-MM-DD HH:mm') : fact]
  })
  return { text: fill((lang === 'ko' ? ko : en)[code], Object.fromEntries(shown)), state, command }
}

const weekday = (date: string, lang: Lang, length: 'short' | 'long'): string =>
  new Intl.DateTimeFormat(lang, { weekday: length, timeZone: 'UTC' }).format(Date.parse(`${date}T00:00Z`))
