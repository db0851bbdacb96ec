import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEnv } from '../src/env-file.ts'
import { EnvEditError, envBytes, envText, setEnv } from '../src/rollback/env-edit.ts'
import { composeReads, hasCompose } from './support/compose-config.ts'

/** The measured shapes: how the line is written, and whether every version of compose reads it alike. */
const SHAPES: readonly (readonly [text: string, value: string | undefined])[] = [
  ['K=true', 'true'],
  ['K="true"', 'true'],
  ["K='true'", 'true'],
  ['K = true', 'true'],
  ['K=True', 'True'],
  ['K=true   # 주석', 'true'],
  ['K=true#x', 'true#x'],
  ['K="true" # 주석', 'true'],
  ['K="a # b"', 'a # b'],
  ['K=true\r\nA=1\r\n', 'true'],
  ['\ufeffK=true\n', 'true'],
  ['export K=true', 'true'],
  ['  K=true  ', 'true'],
  ['K=1\nK=2\nK=3\n', '3'],
  ['K="1"\nexport K = 2 # last\n', '2'],
  ['K=', ''],
  ['K=""', ''],
  ['A=1\n', undefined],
  ['#K=true\n', undefined],
  ['MY_K=true\nK="true"\n', 'true'],
  ['MY_K=true\n', undefined],
  ['A=1\nK=true', 'true'],
  ['K="say \\"yes\\""', 'say "yes"'],
  ['K="a\\tb\\\\c"', 'a\tb\\c'],
  ["K='$HOME'", '$HOME'],
  ['K=승인 🙂', '승인 🙂'],
  ['K=a=b:c/d', 'a=b:c/d'],
]

/** Ours refuses these with the line number: what compose makes of them depends on its version, or surprises. */
const REFUSED: readonly (readonly [text: string, old: string | null | undefined])[] = [
  ['K', null],
  ['K:true', undefined],
  ['BROKEN LINE HERE', undefined],
  ['K="true', undefined],
  ['K="true"x', undefined],
  ['K=a${OTHER}b', 'ab'],
  ["K='a${OTHER}b'", 'ab'],
  ['K=a$b', 'a$b'],
  ['K=   # nothing', '# nothing'],
  ['K="a\\\\"\nA="b"', undefined],
  ["K='a\\\\b'", 'a\\b'],
  ['# c\rK=true', 'true'],
  ["'K'=true", 'true'],
  ['export = 1', undefined],
]

const signs = [
  'K',
  'A',
  '=',
  '"',
  "'",
  '\\',
  '#',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '$',
  '{',
  'a',
  '1',
  '승',
  '\u3000',
  '\ufeff',
  ':',
  'export ',
  '\x1c',
]
const noise = fc.string({ unit: fc.constantFrom(...signs), maxLength: 14 })
/** Mostly assignments, so that the interesting places are reached. */
const lines = fc
  .array(fc.tuple(fc.constantFrom('K', 'A', ' K', 'export K', 'MY_K'), fc.constantFrom('=', ' = ', '= '), noise), {
    maxLength: 4,
  })
  .map((parts) => parts.map(([key, equals, rest]) => `${key}${equals}${rest}\n`).join(''))
const values = fc.oneof(
  fc.constantFrom('true', 'false', '', '승인', 'a b', '# x', "it's", 'a "b"', 'C:\\new\\', '$5'),
  noise,
)

const seed = Date.now() & 0x7fffffff

describe.skipIf(!hasCompose())('docker-compose is the judge of what an .env file says', () => {
  test('every measured shape is read alike', () => {
    const compose = composeReads(SHAPES.map(([text]) => text))
    for (const [i, [text, value]] of SHAPES.entries()) {
      expect({ text, problems: parseEnv(text).problems, ours: ours(text), compose: compose[i]?.K }).toEqual({
        ...{ text, problems: [], compose: value },
        ours: compose[i],
      })
    }
  })

  test('after an edit of any shape compose reads the new value, and the old ones of every other key', () => {
    const edited = SHAPES.map(([text]) => envBytes(setEnv(envText(Buffer.from(text)), 'K', 'false')))
    const before = composeReads(SHAPES.map(([text]) => text))
    const after = composeReads(edited)
    expect(after).toEqual(before.map((file) => ({ ...file, K: 'false' })))
  })

  test('what versions of compose read differently is refused, and this is how the old one reads it', () => {
    const compose = composeReads(REFUSED.map(([text]) => text))
    for (const [i, [text, old]] of REFUSED.entries()) {
      expect({ text, problems: parseEnv(text).problems.length, old: compose[i]?.K }).toEqual({ text, problems: 1, old })
    }
  })

  // One run of compose judges hundreds of files, so these are samples; the seed in a failure's text repeats it.
  test('any file is either read as compose reads it, or refused', () => {
    const texts = fc.sample(fc.oneof(lines, noise), { numRuns: 600, seed })
    const accepted = texts.filter((text) => parseEnv(text).problems.length === 0)
    expect(accepted.length).toBeGreaterThan(100)
    const compose = composeReads(accepted)
    const unlike = accepted
      .map((text, i) => ({ seed, text, ours: ours(text), compose: compose[i] }))
      .filter((file) => !isDeepStrictEqual(file.ours, file.compose))
    expect(unlike).toEqual([])
  })

  test('any value in any file is either read back by compose, or refused', () => {
    const made = fc.sample(fc.tuple(lines, values), { numRuns: 600, seed }).flatMap(([text, value]) => {
      try {
        return [{ text, value, after: envBytes(setEnv(envText(Buffer.from(text)), 'K', value)) }]
      } catch (error) {
        expect(error).toBeInstanceOf(EnvEditError)
        return []
      }
    })
    expect(made.length).toBeGreaterThan(100)
    const compose = composeReads(made.map(({ after }) => after))
    const unlike = made
      .map(({ text, value }, i) => ({ seed, text, wanted: { ...ours(text), K: value }, compose: compose[i] }))
      .filter((file) => !isDeepStrictEqual(file.wanted, file.compose))
    expect(unlike).toEqual([])
  })
})

function ours(text: string): Record<string, string> {
  return Object.fromEntries(parseEnv(text).entries.map(({ key, value }) => [key, value]))
}
