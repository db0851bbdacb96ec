import { en } from './catalogue/tool-risk.en.ts'
import { ko } from './catalogue/tool-risk.ko.ts'
import { type Block, type Document, type Lang, paragraph, type Table } from './document.ts'
import { count, ratio } from './numbers.ts'
import { dateIn, localTime, periodText, zoneName } from './period.ts'
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

const DAY = 86_400_000

/** What shows the risks of all days from the one of the instant `from` on to `date`, whenever it is typed. */
export const riskCommand = (from: number, date: string, zone: string): string =>
  `npm run -s weekly-summary -- --risk --days ${(Date.parse(date) - Date.parse(dateIn(from, zone))) / DAY + 1} --date ${date}`

/** How many rows of each table are shown, and what shows the others. */
interface Cut {
  readonly most: number
  readonly command: string
}

export function riskBlocks({ ranked, few, critical }: ToolRisks, lang: Lang, limit?: Cut): Block[] {
  const say = texts(lang)
  if (ranked.length + few.length === 0) return [paragraph(say('none')), paragraph(say('unrecorded'))]
  return [
    ...(critical.length > 0 ? [criticalTable(critical, say)] : []),
    ...(ranked.length > 0 ? cut(ranked, limit, say, rankedTable) : [paragraph(say('ranked_none'))]),
    ...(few.length > 0 ? cut(few, limit, say, fewTable) : []),
    paragraph(say('how')),
    paragraph(say('unrecorded')),
  ]
}

function cut(tools: readonly ToolRisk[], limit: Cut | undefined, say: Say, table: typeof rankedTable): Block[] {
  if (!limit || tools.length <= limit.most) return [table(tools, say)]
  const { most, command } = limit
  return [table(tools.slice(0, most), say), paragraph(say('more', { n: count(tools.length - most), command }))]
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
