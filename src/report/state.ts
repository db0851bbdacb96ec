import { en } from './catalogue/common.en.ts'
import { ko } from './catalogue/common.ko.ts'
import type { Lang, State } from './document.ts'
import { words } from './words.ts'

export const common = words(ko, en)

/** `주의` or `WARNING`: a state is always a word too, never only a colour. */
export const stateWord = (state: State, lang: Lang): string => common(lang)(state)

/** `주의: 2건` */
export const withState = (state: State, text: string, lang: Lang): string =>
  common(lang)('state_text', { state: stateWord(state, lang), text })
