import fc from 'fast-check'
import { expect, test } from 'vitest'
import { displayWidth, pad, printable, printableJson, printableLines, truncate } from '../src/report/printable.ts'

test.each([
  ['\u001b[31mred', '\\u001b[31mred'],
  ['\u001b]8;;http://x\u0007', '\\u001b]8;;http://x\\u0007'],
  ['\u009b2J', '\\u009b2J'],
  ['rm \u202egpj.sh', 'rm \\u202egpj.sh'],
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\ud800x', '\\ud800x'],
  ['\u3164\u200b\u00ad', '\\u3164\\u200b\\u00ad'],
  ['\u{e0041}', '\\u{e0041}'],
  ['a\u200db', 'a\\u200db'],
])('makes %j visible', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

test.each(['승인 요청', '✅ ⚠️ 👍🏽 👨‍👩‍👧 🇰🇷 1️⃣', 'naïve café', '日本語', 'a\\b'])('leaves %s as it is', (text) => {
  expect(printable(text)).toBe(text)
})

test('never lets a control, format or bidi character through, nor a lone surrogate', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const shown = printable(text)
      expect(Buffer.from(shown).toString()).toBe(shown)
      expect(shown.replaceAll(/[\u200d\ufe0f]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('keeps the line ends of a block and nothing else', () => {
  expect(printableLines('{\r\n  "a": "\u001b"\n}')).toBe('{\n  "a": "\\u001b"\n}')
})

test('JSON stays the same value and loses what a terminal would obey', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const json = printableJson(JSON.stringify({ text }, null, 2))
      expect(JSON.parse(json)).toEqual({ text })
      expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('cuts to a display width without halving a letter', () => {
  expect(truncate('한글입니다', 5)).toBe('한글…')
  expect(truncate('한글입니다', 4)).toBe('한…')
  expect(truncate('abc', 3)).toBe('abc')
  expect(truncate('abcd', 3)).toBe('ab…')
  expect(truncate('한글', 1)).toBe('…')
  expect(truncate('abc', 0)).toBe('')
  expect(displayWidth(truncate('👨‍👩‍👧'.repeat(10), 7))).toBeLessThanOrEqual(7)
})

test('pads by display width', () => {
  expect(pad('한글', 6)).toBe('한글  ')
  expect(pad('12', 4, 'right')).toBe('  12')
  expect(pad('longer', 3)).toBe('longer')
})
