import { en } from './catalogue/tool-risk.en.ts'
import { ko } from './catalogue/tool-risk.ko.ts'
import { type Block, type Document, type Lang, paragraph, type Table } from './document.ts'
import { count, ratio } from './numbers.ts'
import { localTime, periodText, zoneName } from './period.ts'
import type { ToolRisk, ToolRiskData, ToolRisks } from './tool-risk-data.ts'
import { words } from './words.ts'

const texts = words(ko, en)
type Say = ReturnType<typeof texts>

/** Tools by risk for people: all of them. */
export function toolRiskDocument(data: ToolRiskData, lang: Lang): Document {
  const say = texts(lang)
  const { zone, days, ranked, few, critical, verdict } = data
  const [now, from, until] = [data.now, data.from, data.until].map((iso) => Date.parse(iso)) as [number, number, number]
  const text =
    critical.length > 0
      ? say('verdict_critical', { n: count(critical.length), tools: critical.map(toolName).join(', ') })
      : say('verdict_ok', { ranked: count(ranked.length), few: count(few.length) })
  const written = { period: periodText({ from, until }, zone), now: localTime(now, zone), zone: zoneName(now, zone) }
  return {
    lang,
    title: say('title', { days, zone }),
    verdict: { state: verdict, text },
    blocks: [paragraph(say('written', written)), ...riskBlocks(data, lang)],
  }
}

/** @param most rows of each table; the rest is counted */
export function riskBlocks({ ranked, few, critical }: ToolRisks, lang: Lang, most = Number.POSITIVE_INFINITY): Block[] {
  const say = texts(lang)
  if (ranked.length + few.length === 0) return [paragraph(say('none')), paragraph(say('unrecorded'))]
  return [
    ...(critical.length > 0 ? [criticalTable(critical, say)] : []),
    ...(ranked.length > 0 ? cut(ranked, most, say, rankedTable) : [paragraph(say('ranked_none'))]),
    ...(few.length > 0 ? cut(few, most, say, fewTable) : []),
    paragraph(say('how')),
    paragraph(say('unrecorded')),
  ]
}

function cut(tools: readonly ToolRisk[], most: number, say: Say, table: typeof rankedTable): Block[] {
  const more = tools.length - most
  return [table(tools.slice(0, most), say), ...(more > 0 ? [paragraph(say('more', { n: count(more) }))] : [])]
}

const toolName = ({ tool_name }: ToolRisk): string => (tool_name === '' ? '–' : tool_name)
const levelText = ({ level }: ToolRisk, say: Say): string => level ?? say('level_unknown')
const percent = (share: number): string => (100 * share).toFixed(1)

const rankedTable = (tools: readonly ToolRisk[], say: Say): Table => ({
  kind: 'table',
  caption: say('ranked'),
  head: [say('tool'), say('level'), say('rejected'), say('interval'), say('score'), say('without_request')],
  align: ['left', 'left', 'right', 'right', 'right', 'right'],
  rows: tools.map((tool) => [
    toolName(tool),
    levelText(tool, say),
    ratio(tool.rejected, tool.decided),
    `${percent(tool.low!)}–${percent(tool.high!)}%`,
    tool.score!.toFixed(2),
    count(tool.while_on + tool.while_off),
  ]),
})

const fewTable = (tools: readonly ToolRisk[], say: Say): Table => ({
  kind: 'table',
  caption: say('few'),
  head: [say('tool'), say('level'), say('requests'), say('rejected'), say('without_request')],
  align: ['left', 'left', 'right', 'right', 'right'],
  rows: tools.map((tool) => [
    toolName(tool),
    levelText(tool, say),
    count(tool.requests),
    ratio(tool.rejected, tool.decided),
    count(tool.while_on + tool.while_off),
  ]),
})

const criticalTable = (tools: readonly ToolRisk[], say: Say): Table => ({
  kind: 'table',
  caption: say('critical'),
  head: [say('tool'), say('level'), say('while_on'), say('while_off')],
  align: ['left', 'left', 'right', 'right'],
  rows: tools.map((tool) => [
    { text: toolName(tool), state: 'critical' },
    levelText(tool, say),
    count(tool.while_on),
    count(tool.while_off),
  ]),
})
