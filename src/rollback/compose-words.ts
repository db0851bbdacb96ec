import { en } from '../report/catalogue/rollback-compose.en.ts'
import { ko } from '../report/catalogue/rollback-compose.ko.ts'
import { bilingual, failing } from './words.ts'

/** A sentence about containers in both languages. */
export const composeText = bilingual(ko, en)

export const composeFailure = failing(composeText)
