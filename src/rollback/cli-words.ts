import { en } from '../report/catalogue/rollback-cli.en.ts'
import { ko } from '../report/catalogue/rollback-cli.ko.ts'
import { Refusal } from './plan.ts'
import { bilingual } from './words.ts'

/** A sentence of this scenario's catalogue. */
export const cliText = bilingual(ko, en)

export const refusal = (text: ReturnType<typeof cliText>, next?: string): Refusal => new Refusal(text, next)
