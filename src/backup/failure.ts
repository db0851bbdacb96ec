import { en } from '../report/catalogue/backup.en.ts'
import { ko } from '../report/catalogue/backup.ko.ts'
import type { Lang } from '../report/document.ts'
import { type Names, words } from '../report/words.ts'

export const backupWords = words(ko, en)
export type Text = Readonly<Record<Lang, string>>

type Key = keyof typeof ko & string

export function backupText<K extends Key>(
  key: K,
  values: Readonly<Record<Names<(typeof ko)[K]>, string | number>>,
): Text {
  const of = (lang: Lang) => (backupWords(lang) as (key: K, values: object) => string)(key, values)
  return { ko: of('ko'), en: of('en') }
}

/**
 * How a backup or a restore can end without its result. `refused`: nothing was changed. `failed`: no new backup, those
 * before are whole. `unmeasured`: the database cannot be read now. `restored`: a restore failed and the database is as
 * it was. `uncertain`: a human must look.
 */
export type FailureKind = 'held' | 'refused' | 'failed' | 'unmeasured' | 'restored' | 'uncertain' | 'deadline'

export class BackupFailure extends Error {
  readonly kind: FailureKind
  readonly text: Text
  readonly next: string
  constructor(kind: FailureKind, text: Text, next: string, options?: ErrorOptions) {
    super(text.en, options)
    this.name = 'BackupFailure'
    this.kind = kind
    this.text = text
    this.next = next
  }
}
