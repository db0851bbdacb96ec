import { en } from '../report/catalogue/rollback-env.en.ts'
import { ko } from '../report/catalogue/rollback-env.ko.ts'
import { sentence } from '../report/config-compare.ts'
import type { Cause } from '../report/config-compare-data.ts'
import type { Text } from './plan.ts'
import { bilingual } from './words.ts'

/** A sentence of this scenario's catalogue. */
export const envSentence = bilingual(ko, en)

export const causeText = (causes: readonly Cause[]): Text => ({
  ko: causes.map((cause) => sentence(cause, 'ko')).join('. '),
  en: causes.map((cause) => sentence(cause, 'en')).join('. '),
})

export const listed = (texts: readonly Text[], separator = '; '): Text => ({
  ko: texts.map(({ ko }) => ko).join(separator),
  en: texts.map(({ en }) => en).join(separator),
})
