import { createHmac } from 'node:crypto'

/** A password in an address. */
const USERINFO = /:\/\/[^\s/@]*@/

/**
 * Makes values fit to be shown: a setting as it is, unless a password stands in it; any other variable only by a mark
 * that tells two values apart. `salt` is thrown away after the run, so that nobody can try values out.
 */
export function masker(salt: string, settings: ReadonlySet<string>): (key: string, value: string) => string {
  return (key, value) => {
    if (value === '') return ''
    if (settings.has(key) && !USERINFO.test(value)) return value
    return `set (hmac:${createHmac('sha256', salt).update(`${key}\0${value}`).digest('hex').slice(0, 8)})`
  }
}
