import { en as dailyEn } from './catalogue/daily-check.en.ts'
import { ko as dailyKo } from './catalogue/daily-check.ko.ts'
import { en } from './catalogue/preflight.en.ts'
import { ko } from './catalogue/preflight.ko.ts'
import { shownFacts } from './daily-check-text.ts'
import type { Block, Document, Item, Lang, State } from './document.ts'
import { duration } from './numbers.ts'
import { localTime, zoneName } from './period.ts'
import type { Evidence, PreflightData, PreflightItem } from './preflight-data.ts'
import { fill, words } from './words.ts'

export const preflightWords = words(ko, en)

const TEXTS: Readonly<Record<Lang, Readonly<Record<string, string>>>> = {
  ko: { ...dailyKo, ...ko },
  en: { ...dailyEn, ...en },
}
const RANK: readonly State[] = ['critical', 'unknown', 'warning']

/** The verdict, the guide's three steps, and its checklist: each with evidence, its age, and what to type. */
export function preflightDocument(data: PreflightData, lang: Lang): Document {
  const say = preflightWords(lang)
  const now = Date.parse(data.now)
  const view = { now, zone: data.zone, lang }
  const list = (items: readonly PreflightItem[], ordered: boolean): Block => ({
    kind: 'list',
    ordered,
    items: items.map((item) => shown(item, view)),
  })
  return {
    lang,
    title: say('title', { now: localTime(now, data.zone), zone: zoneName(now, data.zone) }),
    verdict: { state: data.verdict, text: verdictText(data, lang) },
    blocks: [
      { kind: 'heading', text: say('steps') },
      list(data.steps, false),
      { kind: 'heading', text: say('items') },
      list(data.items, true),
    ],
  }
}

function verdictText({ steps, items }: PreflightData, lang: Lang): string {
  const say = preflightWords(lang)
  const open = items.filter(({ state }) => state !== 'ok').length
  const openSteps = steps.filter(({ state }) => state !== 'ok').length
  if (open + openSteps === 0) return say('ready', { n: items.length })
  return say('not_ready', { open, of: items.length, steps: openSteps })
}

interface View {
  readonly now: number
  readonly zone: string
  readonly lang: Lang
}

function shown({ item, state, evidence }: PreflightItem, view: View): Item {
  const say = preflightWords(view.lang)
  const value = evidence.map((one) => sentence(one, view)).join('; ')
  const command = gravest(evidence)?.next_command
  return { text: say('line', { item: say(`item.${item}`), value }), state, ...(command && { command }) }
}

/** "cause. next command" of the gravest: the last line on stderr. */
export function preflightFailure({ steps, items, zone, now, verdict }: PreflightData, lang: Lang): string {
  const say = preflightWords(lang)
  const worstItem = [...steps, ...items].find(({ state }) => state === verdict)
  const evidence = gravest(worstItem?.evidence ?? [])
  if (!worstItem || !evidence) return ''
  const value = sentence(evidence, { now: Date.parse(now), zone, lang })
  const cause = say('line', { item: say(`item.${worstItem.item}`), value })
  return `${cause}. ${evidence.next_command ?? 'npm run preflight'}`
}

const rankOf = ({ state }: Evidence): number => {
  const rank = RANK.indexOf(state === 'skipped' || state === 'not_configured' ? 'unknown' : (state as State))
  return rank < 0 ? RANK.length : rank
}

const gravest = (evidence: readonly Evidence[]): Evidence | undefined =>
  [...evidence].sort((a, b) => rankOf(a) - rankOf(b)).find((one) => rankOf(one) < RANK.length)

function sentence({ key, facts, at }: Evidence, { now, zone, lang }: View): string {
  const template = TEXTS[lang][key]
  if (template === undefined) throw new Error(`no text for ${key}`)
  const text = fill(template, shownFacts(facts, lang, zone))
  if (at === null) return text
  return preflightWords(lang)('aged', { text, age: ageText(Math.max(0, now - Date.parse(at)), lang) })
}

const DAY = 86_400_000
const ageText = (ms: number, lang: Lang): string =>
  ms < 2 * DAY ? duration(ms, lang) : preflightWords(lang)('days', { n: Math.floor(ms / DAY) })
