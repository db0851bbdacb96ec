import { EXIT } from '../exit-codes.ts'
import { type Input, text } from './command.ts'
import { Failure } from './failure.ts'
import type { Messages } from './messages.ts'

/** @throws Failure that says what is allowed */
export function wholeNumber(input: Input, name: string, min: number, max: number, t: Messages): number | undefined {
  const given = text(input, name)
  if (given === undefined) return undefined
  const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
  if (value >= min && value <= max) return value
  throw new Failure(EXIT.USAGE, t.usage.wholeNumber(`--${name}`, min, max))
}

/** @throws Failure that says what is allowed */
export function oneOf<T extends string>(input: Input, name: string, allowed: readonly T[], t: Messages): T | undefined {
  const given = text(input, name)
  if (given === undefined) return undefined
  const found = allowed.find((value) => value === given)
  if (found !== undefined) return found
  throw new Failure(EXIT.USAGE, t.usage.oneOf(`--${name}`, allowed.join(', ')))
}

/** A full id or a prefix; whether it names a request is the server's word. @throws Failure */
export function requestId(word: string, t: Messages): string {
  if (/^[0-9a-f]{8}[0-9a-f-]{0,28}$/i.test(word)) return word.toLowerCase()
  throw new Failure(EXIT.USAGE, t.usage.badId(word))
}
