import { ApprovalError } from '../approval/errors.ts'

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\]:,]|true|false|null/g

/**
 * Refuses what JSON.parse would change without a word: numbers that a double cannot hold, of which another program
 * would run other digits than were approved, and keys that stand twice, of which another program would take the first.
 * @param text must be JSON already
 * @throws ApprovalError `invalid`
 */
export function assertExactJson(text: string): void {
  /** Keys of the objects that are open; undefined for a list. */
  const open: (Set<string> | undefined)[] = []
  let expectsKey = false
  for (const [token] of text.matchAll(TOKEN)) {
    const keys = open.at(-1)
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (expectsKey && token.startsWith('"') && keys) {
      const key = JSON.parse(token) as string
      if (keys.has(key)) throw new ApprovalError('invalid', `the key ${token.slice(0, 80)} stands twice in one object`)
      keys.add(key)
    } else if (/^[-\d]/.test(token) && normalized(token) !== normalized(String(Number(token)))) {
      throw new ApprovalError('invalid', `the number ${token.slice(0, 80)} cannot be kept exactly. Send it as text`)
    }
    expectsKey = token === '{' || (token === ',' && open.at(-1) !== undefined)
  }
}

/** Sign, digits without zeros at either end, and the power of ten of the last digit: equal for equal numbers. */
function normalized(number: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}
