import type { ReaderFailure } from '../sql.ts'
import { en } from './catalogue/daily-check.en.ts'
import { ko } from './catalogue/daily-check.ko.ts'
import { contactText } from './contact.ts'
import { type Fact, type Facts, type Finding, inOrder, LIMITS, needsAction } from './daily-check-data.ts'
import type { Item, Lang, State } from './document.ts'
import { count, duration } from './numbers.ts'
import { localTime } from './period.ts'
import { stateWord } from './state.ts'
import { causeOf } from './unmeasured.ts'
import { fill, words } from './words.ts'

export const texts = words(ko, en)

/** So many checks are named in the first line. */
const NAMED = 4

export function verdictText(checks: readonly Finding[], lang: Lang): string {
  const say = texts(lang)
  const bad = checks.filter(needsAction)
  const n = bad.length
  if (n === 0) return say('verdict_ok', { n: checks.filter(({ state }) => state === 'ok').length })
  const titles = bad
    .slice(0, NAMED)
    .map(({ check }) => say(`title.${check}`))
    .join(', ')
  return n > NAMED ? say('verdict_more', { n, titles, more: n - NAMED }) : say('verdict_bad', { n, titles })
}

/** One line for one check: what was found, where ok ends, since when, what to type. */
export function itemOf(finding: Finding, lang: Lang, zone: string): Item {
  const say = texts(lang)
  const { check, since, state, contact, next_command: command } = finding
  const catalogue: Readonly<Record<string, string>> = lang === 'ko' ? ko : en
  const limit = state === 'not_configured' ? undefined : catalogue[`threshold.${check}`]
  const text = [
    say('line', { title: say(`title.${check}`), value: sentenceOf(finding, lang, zone) }),
    limit ? say('threshold', { threshold: fill(limit, shownFacts(LIMITS, lang, zone)) }) : '',
    since ? say('since', { since: localTime(Date.parse(since), zone, 'MM-DD HH:mm') }) : '',
    contact ? `; ${contactText(contact, lang)}` : '',
  ].join('')
  const item = { text: state === 'skipped' ? `[${say('skipped')}] ${text}` : text }
  return {
    ...item,
    ...(state !== 'skipped' && { state }),
    ...(command !== null && { command }),
  }
}

/** "cause. next command" of the gravest finding: the last line on stderr. */
export function failureText(checks: readonly Finding[], lang: Lang, zone: string): string {
  const [first] = inOrder(checks).filter(needsAction)
  if (!first) return ''
  const { check, state, next_command } = first
  const cause = `${stateWord(state as State, lang)}: ${texts(lang)(`title.${check}`)}: ${sentenceOf(first, lang, zone)}`
  return next_command === null ? cause : `${cause}. ${next_command}`
}

function sentenceOf({ check, code, facts }: Finding, lang: Lang, zone: string): string {
  const catalogue: Readonly<Record<string, string>> = lang === 'ko' ? ko : en
  const sentence = catalogue[`${check}.${code}`] ?? catalogue[code]
  if (sentence === undefined) throw new Error(`no text for ${check}.${code}`)
  return fill(sentence, shownFacts(facts, lang, zone))
}

/** The facts of a finding as people read them, by their names' endings. */
export function shownFacts(facts: Facts, lang: Lang, zone: string): Record<string, string> {
  const texts = Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, shown(name, fact, lang, zone)]))
  const { cause: code, path: file, detail } = texts
  if (code === undefined || file === undefined) return texts
  return { ...texts, cause: causeOf({ code: code as ReaderFailure, file, detail: detail ?? '' }, lang) }
}

function shown(name: string, fact: Fact, lang: Lang, zone: string): string {
  const say = texts(lang)
  if (fact === null) return '–'
  if (typeof fact === 'boolean') return say(fact ? 'on' : 'off')
  if (typeof fact === 'string') {
    return name.endsWith('_at') ? localTime(Date.parse(fact), zone, 'MM-DD HH:mm') : fact
  }
  if (typeof fact !== 'number') return fact.join(', ')
  if (name.endsWith('_millis')) return fact < 10_000 ? `${count(Math.round(fact))} ms` : duration(fact, lang)
  if (name.endsWith('_ms')) return duration(fact, lang)
  return name.endsWith('_bytes') ? size(fact) : count(fact)
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}
