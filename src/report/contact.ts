import { en } from './catalogue/contacts.en.ts'
import { ko } from './catalogue/contacts.ko.ts'
import type { Lang } from './document.ts'
import { words } from './words.ts'

export const contactWords = words(ko, en)

/** What the runbook names a contact for, in its order. */
export const SITUATIONS = ['service_down', 'slow', 'mass_rejections', 'data_damage'] as const
export type Situation = (typeof SITUATIONS)[number]

/** Whom to call: a role of the runbook, and what the team filled in. Empty texts became null. */
export interface Person {
  readonly role: string
  readonly name: string | null
  readonly phone: string | null
  readonly channel: string | null
}

/** The answer to "who": the first of them answers within the target, else the next is called. */
export interface Contact {
  readonly situation: Situation
  readonly within_minutes: number
  readonly call: readonly [Person, ...Person[]]
}

/** `On-Call Engineer (김지수, 010-1234-5678, #oncall)` */
export function personText({ role, name, phone, channel }: Person): string {
  const known = [name, phone, channel].filter((text) => text !== null)
  return known.length === 0 ? role : `${role} (${known.join(', ')})`
}

export function targetText(minutes: number, lang: Lang): string {
  const say = contactWords(lang)
  return minutes % 60 === 0 ? say('hours', { n: minutes / 60 }) : say('minutes', { n: minutes })
}

/** One clause beside a finding: the first to call, the target, and who is next. */
export function contactText({ call: [first, next], within_minutes }: Contact, lang: Lang): string {
  const say = contactWords(lang)
  const values = { first: personText(first), target: targetText(within_minutes, lang) }
  return next ? say('contact_next', { ...values, next: personText(next) }) : say('contact', values)
}
