import { en } from './messages.en.ts'
import { ko } from './messages.ko.ts'

/** Everything people read, in one language. The keys are the same in each. */
export type Messages = typeof en

export const LANGUAGES: Readonly<Record<'ko' | 'en', Messages>> = { ko, en }

export const isLanguage = (text: string | undefined): text is 'ko' | 'en' => text === 'ko' || text === 'en'
