import { en } from './catalogue/weekly-summary.en.ts'
import { ko } from './catalogue/weekly-summary.ko.ts'
import { type Block, type Document, heading, type Item, type Lang, paragraph } from './document.ts'
import { count } from './numbers.ts'
import { instantText, zoneName } from './period.ts'
import { riskBlocks, riskCommand } from './tool-risk.ts'
import { approverBlocks, hourBlocks } from './weekly-details.ts'
import type { WeeklyFinding, WeeklySummaryData, WeekRow } from './weekly-summary-data.ts'
import { weekBlocks } from './weekly-weeks.ts'
import { fill, words } from './words.ts'

const texts = words(ko, en)

/** What every section of the summary needs to say something. */
export interface Voice {
  readonly say: ReturnType<typeof texts>
  readonly lang: Lang
  /** An instant (ISO 8601) on the wall of the summary's zone. */
  readonly time: (iso: string, pattern?: string) => string
}

const MOST_FINDINGS = 5
const MOST_TOOLS = 10

/** The weekly summary for people: what to look at, the weeks side by side, then hours, approvers and tools. */
export function weeklySummaryDocument(data: WeeklySummaryData, lang: Lang): Document {
  const say = texts(lang)
  const { now, zone, weeks, verdict, tools } = data
  const time: Voice['time'] = (iso, pattern) => instantText(iso, zone, pattern)
  const voice: Voice = { say, lang, time }
  const written = say('written', { now: time(now), zone: zoneName(Date.parse(now), zone) })
  return {
    lang,
    title: say('title', { week: (lastComplete(weeks) ?? weeks.at(-1)!).week }),
    verdict: { state: verdict, text: verdictText(data, voice) },
    blocks: [
      paragraph(written),
      ...findingBlocks(data, voice),
      ...weekBlocks(data, voice),
      ...hourBlocks(data, voice),
      ...approverBlocks(data, voice),
      heading(say('tools')),
      ...riskBlocks(tools, lang, { most: MOST_TOOLS, command: riskCommand(Date.parse(data.from), data.date, zone) }),
      ...qualityBlocks(data, voice),
    ],
  }
}

export const lastComplete = (weeks: readonly WeekRow[]): WeekRow | undefined =>
  weeks.findLast(({ state }) => state === 'complete')

function verdictText({ weeks, findings }: WeeklySummaryData, voice: Voice): string {
  const { say } = voice
  const summary = summaryText(lastComplete(weeks), voice)
  return findings.length === 0
    ? say('verdict_ok', { summary })
    : say('verdict_findings', { n: count(findings.length), summary })
}

function summaryText(row: WeekRow | undefined, { say }: Voice): string {
  if (!row?.totals) return say('summary_none')
  const { total, decided, unanswered } = row.totals
  const change = row.change?.total
  const n = count(Math.abs(change?.by ?? 0))
  return say('summary', {
    ...{ week: row.week, total: count(total), decided: count(decided), unanswered: count(unanswered) },
    change: change === undefined ? '' : say(`summary_${change.direction}`, { n }),
  })
}

function findingBlocks({ findings, date }: WeeklySummaryData, { say, lang }: Voice): Block[] {
  if (findings.length === 0) return [heading(say('findings')), paragraph(say('findings_none'))]
  const more = findings.length - MOST_FINDINGS
  return [
    heading(say('findings')),
    { kind: 'list', ordered: true, items: findings.slice(0, MOST_FINDINGS).map((item) => findingItem(item, lang)) },
    ...(more > 0 ? [paragraph(say('findings_more', { n: more, date }))] : []),
  ]
}

function findingItem({ code, state, facts, command }: WeeklyFinding, lang: Lang): Item {
  const shown = Object.entries(facts).map(([name, fact]) => [name, typeof fact === 'number' ? count(fact) : fact])
  return { text: fill((lang === 'ko' ? ko : en)[code], Object.fromEntries(shown)), state, command }
}

function qualityBlocks({ data_quality }: WeeklySummaryData, { say }: Voice): Block[] {
  const found = (['unknown_status', 'in_future', 'unreadable'] as const).filter((kind) => data_quality[kind] > 0)
  if (found.length === 0) return [heading(say('quality')), paragraph(say('quality_none'))]
  const items = found.map((kind) => ({ text: say(kind, { n: count(data_quality[kind]) }) }))
  return [heading(say('quality')), { kind: 'list', items }]
}
