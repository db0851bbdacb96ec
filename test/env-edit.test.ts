import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EnvEditError,
  envBytes,
  envText,
  envValue,
  MARKER,
  planEdit,
  readEnv,
  setEnv,
  undoEdit,
} from '../src/rollback/env-edit.ts'

const bytes = (text: string): string => envText(Buffer.from(text, 'utf8'))
const change = (text: string, value = 'false', key = 'K'): string =>
  envBytes(setEnv(bytes(text), key, value)).toString('utf8')

describe('one value of an .env file is changed and its style kept', () => {
  test.each([
    ['K=true', 'K=false'],
    ['K="true"', 'K="false"'],
    ["K='true'", "K='false'"],
    ['K = true', 'K = false'],
    ['K=True', 'K=false'],
    ['  K=true', '  K=false'],
    ['K=true   # 주석', 'K=false   # 주석'],
    ['K="true"# 주석', 'K="false"# 주석'],
    ['K=true\t# comment', 'K=false\t# comment'],
    ['K=true#x', 'K=false'],
    ['K=true\r\nL=1\r\n', 'K=false\r\nL=1\r\n'],
    ['K=true  \r\n', 'K=false  \r\n'],
    ['\ufeffK=true\n', '\ufeffK=false\n'],
    ['export K=true', 'export K=false'],
    ['K=', 'K=false'],
    ['K=\n', 'K=false\n'],
    ['K=""', 'K="false"'],
    ['K=true\nK=true\n', 'K=true\nK=false\n'],
    ['K=false\nK=true\n', 'K=false\nK=false\n'],
    ['MY_K=true\nK="true"\n', 'MY_K=true\nK="false"\n'],
    ['K_MORE=true\nK=true\n', 'K_MORE=true\nK=false\n'],
    ['A=1\n#K=true\nK=true', 'A=1\n#K=true\nK=false'],
    ['K=false', 'K=false'],
    ['K="false"  # so already', 'K="false"  # so already'],
  ])('%j becomes %j', (before, after) => {
    expect(change(before)).toBe(after)
  })

  test.each([
    ['nothing', '', `${MARKER}\nK=false\n`],
    ['another key', 'A=1\n', `A=1\n${MARKER}\nK=false\n`],
    ['CRLF', 'A=1\r\n', `A=1\r\n${MARKER}\r\nK=false\r\n`],
    ['no final line end', 'A=1\nB=2', `A=1\nB=2\n${MARKER}\nK=false`],
    ['a BOM alone', '\ufeff', `\ufeff${MARKER}\nK=false\n`],
    ['the key in a comment', '#K=true\n', `#K=true\n${MARKER}\nK=false\n`],
    ['a longer key', 'MY_K=true\n', `MY_K=true\n${MARKER}\nK=false\n`],
  ])('an absent key is appended under a marker: %s', (_what, before, after) => {
    const { text, edit } = planEdit(bytes(before), 'K', 'false')
    expect(envBytes(text).toString('utf8')).toBe(after)
    expect(undoEdit(text, edit!)).toBe(bytes(before))
  })

  test.each([
    ['a path with a blank', 'K=a', '/mnt/e/ai data', 'K=/mnt/e/ai data'],
    ['what looks like a comment', 'K=a', 'a #b', "K='a #b'"],
    ['a double quote in double quotes', 'K="a"', 'say "yes"', 'K="say \\"yes\\""'],
    ['a dollar sign', 'K="a"', 'a$b', "K='a$b'"],
    ['an apostrophe in single quotes', "K='a'", "it's", "K=it's"],
    ['an empty value', 'K="a"', '', 'K=""'],
    ['Hangul', 'K=a # 주석', '승인', 'K=승인 # 주석'],
    ['a new line', 'K=a', 'a\nb', 'K="a\\nb"'],
  ])('%s is written so that it is read back', (_what, before, value, after) => {
    expect(change(before, value)).toBe(after)
    expect(envValue(bytes(after), 'K')).toBe(value)
  })

  test('earlier lines of the same key are named: they have no effect', () => {
    expect(planEdit('K=1\nA=2\nK=3\nK=4\n', 'K', '5').edit).toMatchObject({ line: 4, shadowed: [1, 3] })
  })
})

describe('a file that cannot be read in one way only is not edited', () => {
  test.each([
    ['K:true'],
    ['K'],
    ['K=${OTHER}'],
    ["K='${OTHER}'"],
    ['K="true'],
    ['K=true\rL=1'],
    ['K=  # empty?'],
    ['BROKEN LINE HERE'],
  ])('%j: refused, with its line', (line) => {
    expect(() => setEnv(`A=1\n\n${line}\n`, 'K', 'false')).toThrow(/^line 3: /)
    expect(() => setEnv(`A=1\n\n${line}\n`, 'B', 'false')).toThrow(EnvEditError)
  })

  test('a value that no quoting can carry is refused', () => {
    expect(() => setEnv('K=1', 'K', "$it's")).toThrow(EnvEditError)
    expect(() => setEnv('K=1', 'K', 'a\0b')).toThrow(EnvEditError)
  })

  test('text that is not one character per byte is a mistake of the caller', () => {
    expect(() => setEnv('# 주석\nK=1', 'K', '2')).toThrow(TypeError)
  })
})

describe('an edit is taken back', () => {
  test('byte for byte, also when the new value needed other quotes', () => {
    const { text, edit } = planEdit('K=true # c\n', 'K', 'a #b')
    expect(text).toBe("K='a #b' # c\n")
    expect(undoEdit(text, edit!)).toBe('K=true # c\n')
  })

  test('with what others changed in the meantime left as it is', () => {
    const { text, edit } = planEdit('A=1\nK=true\n', 'K', 'false')
    expect(undoEdit(`${text.replace('A=1', 'A=2')}B=3\n`, edit!)).toBe('A=2\nK=true\nB=3\n')
  })

  test('twice, and the second time changes nothing', () => {
    for (const before of ['K="true"\n', 'A=1']) {
      const { text, edit } = planEdit(before, 'K', 'false')
      expect(undoEdit(undoEdit(text, edit!), edit!)).toBe(before)
    }
  })

  test.each([
    ['K=true\n', 'K=maybe\n'],
    ['A=1\n', 'A=1\nK=maybe\n'],
    ['A=1\n', 'A=1\nK=false\n'],
    ['K=true\n', 'A=1\n'],
  ])('%j: not when the line says something else by now: %j', (before, now) => {
    const { edit } = planEdit(before, 'K', 'false')
    expect(() => undoEdit(now, edit!)).toThrow(EnvEditError)
  })
})

const end = fc.constantFrom('\n', '\r\n')
const key = fc.constantFrom('K', 'MY_K', 'K2', 'A', 'OTHER_KEY', 'k')
const plain = fc.stringMatching(/^[A-Za-z0-9_./:@%+=,-]{0,12}$/)
const value = fc.oneof(plain, fc.constantFrom('true', 'false', '승인 🙂', 'a b', 'a#b', '2026-11-22T15:00:00+09:00'))
/** Comments may hold any byte that ends no line, also ones that are no UTF-8. */
const anyBytes = fc
  .uint8Array({ maxLength: 12 })
  .map((array) => envText(array.filter((byte) => byte !== 10 && byte !== 13)))
const space = fc.constantFrom('', ' ', '\t', '  ')
const line = fc.oneof(
  fc.constant(''),
  anyBytes.map((text) => `#${text}`),
  fc
    .tuple(space, fc.constantFrom('', 'export '), key, space, fc.constantFrom('', '"', "'"), value, anyBytes, fc.nat(2))
    .map(([before, word, name, gap, quote, text, comment, kind]) => {
      const tail = ['', '  ', ` #${comment}`][kind]
      return `${before}${word}${name}${gap}=${text === '' ? '' : gap}${quote}${bytes(text)}${quote}${text === '' && quote === '' ? '' : tail}`
    }),
)
/** Files as teams have them: all shapes mixed, with or without BOM and last line end. */
const file = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(line, end), { maxLength: 8 }), fc.boolean())
  .map(([bom, lines, ended]) => {
    const text = lines.map(([text, lineEnd]) => text + lineEnd).join('')
    return (bom ? '\xef\xbb\xbf' : '') + (ended ? text : text.replace(/\r?\n$/, ''))
  })

describe('whatever the file', () => {
  test('its value is read back, one line differs at most, and every other byte is the same', () => {
    fc.assert(
      fc.property(file, key, value, (text, name, wanted) => {
        expect(readEnv(text).problems).toEqual([])
        const after = setEnv(text, name, wanted)
        expect(envValue(after, name)).toBe(wanted)
        const before = text.split('\n')
        if (envValue(text, name) === undefined) {
          expect(after.startsWith(text)).toBe(true)
        } else {
          const now = after.split('\n')
          expect(now).toHaveLength(before.length)
          const differing = now.filter((line, i) => line !== before[i])
          expect(differing.length).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a second edit changes nothing, and undo restores every byte', () => {
    fc.assert(
      fc.property(file, key, value, (text, name, wanted) => {
        const { text: after, edit } = planEdit(text, name, wanted)
        expect(planEdit(after, name, wanted)).toEqual({ text: after, edit: undefined })
        expect(edit ? undoEdit(after, edit) : after).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  test('several edits taken back in reverse restore every byte', () => {
    fc.assert(
      fc.property(file, fc.array(fc.tuple(key, value), { maxLength: 4 }), (text, wanted) => {
        const edits = []
        let now = text
        for (const [name, to] of wanted) {
          const planned = planEdit(now, name, to)
          now = planned.text
          if (planned.edit) edits.push(planned.edit)
        }
        expect(edits.reduceRight((at, edit) => undoEdit(at, edit), now)).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  test('any text is either edited exactly or refused, never half', () => {
    const noise = fc.uint8Array({ maxLength: 40 }).map(envText)
    const signs = fc.string({
      unit: fc.constantFrom('K', '=', '"', "'", '\\', '#', ' ', '\n', '\r', '$', '{', 'a'),
      maxLength: 20,
    })
    fc.assert(
      fc.property(fc.oneof(noise, signs), value, (text, wanted) => {
        let after: string
        let edit: ReturnType<typeof planEdit>['edit']
        try {
          ;({ text: after, edit } = planEdit(text, 'K', wanted))
        } catch (error) {
          expect(error).toBeInstanceOf(EnvEditError)
          return
        }
        expect(envValue(after, 'K')).toBe(wanted)
        expect(edit ? undoEdit(after, edit) : after).toBe(text)
      }),
      { numRuns: 5000 },
    )
  })
})
