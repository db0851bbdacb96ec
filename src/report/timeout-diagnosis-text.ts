import { en } from './catalogue/timeout-diagnosis.en.ts'
import { ko } from './catalogue/timeout-diagnosis.ko.ts'
import { contactText } from './contact.ts'
import { shownFacts } from './daily-check-text.ts'
import type { Item, Lang } from './document.ts'
import { stateWord } from './state.ts'
import type { Finding, TimeoutDiagnosisData } from './timeout-diagnosis-data.ts'
import { fill, words } from './words.ts'

export const texts = words(ko, en)

const sentenceOf = ({ code, facts }: Finding, lang: Lang, zone: string): string =>
  fill((lang === 'ko' ? ko : en)[`finding.${code}`], shownFacts(facts, lang, zone))

/** What was found, whom to call, what to type. */
export function findingItem(finding: Finding, lang: Lang, zone: string): Item {
  const { state, contact, next_command: command } = finding
  const call = contact ? `; ${contactText(contact, lang)}` : ''
  return { text: `${sentenceOf(finding, lang, zone)}${call}`, state, command }
}

export function verdictText({ findings, zone }: TimeoutDiagnosisData, lang: Lang): string {
  const [first] = findings
  if (!first) return texts(lang)('verdict_ok')
  return texts(lang)('verdict_findings', { n: findings.length, first: sentenceOf(first, lang, zone) })
}

/** "cause. next command" of the gravest finding: the last line on stderr. */
export function failureText({ findings, zone }: TimeoutDiagnosisData, lang: Lang): string {
  const [first] = findings
  return first ? `${stateWord(first.state, lang)}: ${sentenceOf(first, lang, zone)}. ${first.next_command}` : ''
}
