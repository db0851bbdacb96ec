import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, digestOf, MAX_DEPTH } from '../src/approval/digest.ts'

describe('canonical JSON is that of RFC 8785', () => {
  test('the example of section 3.2.2 and 3.2.3 comes out as the RFC prints it', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalJson(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  test('properties are sorted by UTF-16 code units, as in section 3.2.3', () => {
    const input = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`
    expect(Object.values(JSON.parse(canonicalJson(JSON.parse(input))))).toHaveLength(7)
    const order = [...canonicalJson(JSON.parse(input)).matchAll(/:"([^"]+)"/g)].map((match) => match[1])
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('the number %s of appendix B is written %s', (hex, text) => {
    expect(canonicalJson(Buffer.from(hex, 'hex').readDoubleBE())).toBe(text)
  })
})

describe('the digest', () => {
  const call = { server: 'fs', tool: 'write_file', arguments: { path: '/a', text: 'b' } }

  test('is the same for every spelling of the same call', () => {
    expect(digestOf({ ...call, arguments: JSON.parse('{ "text":"\\u0062","path":"/a" }') })).toBe(digestOf(call))
  })

  test.each([
    ['another server', { ...call, server: 'fs2' }],
    ['another tool', { ...call, tool: 'Write_file' }],
    ['other arguments', { ...call, arguments: { path: '/a', text: 'b ' } }],
    ['one argument more', { ...call, arguments: { ...call.arguments, mode: null } }],
  ])('differs for %s', (_what, other) => {
    expect(digestOf(other)).not.toBe(digestOf(call))
  })

  test('is the SHA-256 of the canonical JSON of the three together, whatever they are', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, fc.dictionary(text, fc.jsonValue()), (server, tool, args) => {
        const whole = canonicalJson({ server, tool, arguments: args })
        expect(digestOf({ server, tool, arguments: args })).toBe(createHash('sha256').update(whole).digest('hex'))
      }),
    )
  })

  test('covers a key named __proto__ like any other', () => {
    const hidden = JSON.parse('{"path":"/a","text":"b","__proto__":{"x":1}}')
    expect(digestOf({ ...call, arguments: hidden })).not.toBe(digestOf(call))
    expect(canonicalJson(hidden)).toContain('"__proto__":{"x":1}')
  })

  test.each([
    ['half a surrogate pair', '"\\ud800"'],
    ['a number that is infinite once parsed', '1e999'],
    ['deeper nesting than is allowed', `${'['.repeat(MAX_DEPTH + 2)}${']'.repeat(MAX_DEPTH + 2)}`],
  ])('refuses %s, which could not be shown, digested and run unchanged', (_what, json) => {
    expect(() => canonicalJson({ a: JSON.parse(json) })).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})
