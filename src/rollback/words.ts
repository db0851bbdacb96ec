import { en } from '../report/catalogue/rollback.en.ts'
import { ko } from '../report/catalogue/rollback.ko.ts'
import { localTime } from '../report/period.ts'
import { fill, type Names, type SameKeys, words } from '../report/words.ts'
import { Failure, type Text } from './plan.ts'

export const rollbackWords = words(ko, en)

type Value = string | number | Text
type Values<T extends string> = [Names<T>] extends [never] ? [] : [{ readonly [Name in Names<T>]: Value }]

/** Makes sentences in both languages from one catalogue; a value may be such a sentence itself. */
export function bilingual<const Ko extends Readonly<Record<string, string>>>(korean: Ko, english: SameKeys<Ko>) {
  return <K extends keyof Ko & string>(key: K, ...[values]: Values<Ko[K]>): Text => {
    const given: Readonly<Record<string, Value>> = values ?? {}
    const filled = (lang: keyof Text) =>
      Object.entries(given).map(([name, value]) => [name, typeof value === 'object' ? value[lang] : value] as const)
    return {
      ko: fill(korean[key]!, Object.fromEntries(filled('ko'))),
      en: fill(english[key], Object.fromEntries(filled('en'))),
    }
  }
}

/** A sentence of the rollbacks' own catalogue. */
export const rollbackText = bilingual(ko, en)

/** Makes errors of sentences. */
export const failing =
  <A extends readonly unknown[]>(text: (...args: A) => Text): ((...args: A) => Failure) =>
  (...args) =>
    new Failure(text(...args))

export const failure = failing(rollbackText)

/** What an error says; another program's words stay as they are. */
export const textOf = (error: unknown): Text => {
  if (error instanceof Failure) return error.text
  const message = error instanceof Error ? error.message : String(error)
  return { ko: message, en: message }
}

/** An instant as the team reads it: to the minute, with its zone. */
export const instantText = (instant: string, zone: string): string =>
  `${localTime(Date.parse(instant), zone, 'YYYY-MM-DD HH:mm')} ${zone}`
