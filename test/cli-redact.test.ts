import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REDACTED, redact, redactText } from '../src/approval/redact.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'

describe('a text in a list shows no secret:', () => {
  test.each([
    ['a bearer token', 'curl -H "Authorization: Bearer abcdef123456"', 'abcdef123456'],
    ['an OpenAI-like key', 'key sk-proj-abcdefghij1234', 'sk-proj-abcdefghij1234'],
    ['a GitHub token', 'git clone https://ghp_abcdefghijklmnop0123@github.com/x', 'ghp_abcdefghijklmnop0123'],
    ['an AWS key id', 'AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    ['a JWT', `token is ${JWT}`, JWT],
    ['a PEM block', '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----', 'MIIEvQIBADANBg'],
    ['a PEM block that is cut', '-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBg', 'MIIEvQIBADANBg'],
    ['a password in an address', 'psql postgres://app:hunter2@db/x', 'hunter2'],
    ['an assignment', 'DB_PASSWORD=hunter2 ./run', 'hunter2'],
    ['a quoted assignment', `{"api_key": "hunter2 and more"}`, 'hunter2'],
    ['an option', 'mysql --password hunter2', 'hunter2'],
  ])('%s', (_, text, secret) => {
    expect(redactText(text)).not.toContain(secret)
    expect(redactText(text)).toContain(REDACTED)
  })

  test('words that only speak of secrets stay', () => {
    const text = 'rotate the token of the build, then count tokens in the password policy'
    expect(redactText(text)).toBe(text)
  })
})

describe('a value in a list', () => {
  test('keeps its shape and loses what stands under a secret name, at any depth', () => {
    const value = { url: 'https://x', headers: [{ Authorization: 'abc' }], auth: { user: 'kim', password: 12345 } }
    expect(redact(value)).toEqual({
      url: 'https://x',
      headers: [{ Authorization: REDACTED }],
      auth: { user: 'kim', password: REDACTED },
    })
  })

  test('may be anything that JSON can say', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => JSON.stringify(redact(value)) !== undefined))
  })

  test('never shows a secret that stands alone in a text, whatever surrounds it', () => {
    const secret = fc.constantFrom('sk-abcdefghij123', 'ghp_abcdefghij123', 'AKIAIOSFODNN7EXAMPLE', JWT)
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, key, after) => {
        expect(redactText(`${before} ${key} ${after}`)).not.toContain(key)
      }),
    )
  })
})
