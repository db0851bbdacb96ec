import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { fill, words } from '../src/report/words.ts'

const FOLDER = join(ROOT, 'src/report/catalogue')
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.ko.ts'))
  .map((file) => file.replace('.ko.ts', ''))

type Texts = Readonly<Record<string, string>>
const read = async (name: string) => {
  const { ko } = (await import(join(FOLDER, `${name}.ko.ts`))) as { ko: Texts }
  const { en } = (await import(join(FOLDER, `${name}.en.ts`))) as { en: Texts }
  return { ko, en }
}

const placeholders = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)(?:\|[^}]*)?\}/g)].map(([, name]) => name!))].sort()

test.each(names)('%s says the same things in both languages, with the same values', async (name) => {
  const { ko, en } = await read(name)
  expect(Object.keys(en).sort()).toEqual(Object.keys(ko).sort())
  for (const [key, text] of Object.entries(ko)) {
    expect(placeholders(en[key]!), `${name}.${key}`).toEqual(placeholders(text))
    expect(text.trim(), `${name}.${key}`).not.toBe('')
    expect(en[key]!, `${name}.${key}`).not.toMatch(/[가-힣]/)
  }
})

test('fills placeholders, picks the plural, and never leaves a hole', () => {
  expect(fill('{n} {n|request|requests}', { n: 1 })).toBe('1 request')
  expect(fill('{n} {n|request|requests}', { n: '1,000' })).toBe('1,000 requests')
  expect(() => fill('{missing}', {})).toThrow('{missing}')
  expect(fill('{a}', { a: '{b} $& \\' })).toBe('{b} $& \\')
  const say = words({ hi: '안녕 {name}' } as const, { hi: 'Hi {name}' })
  expect([say('ko')('hi', { name: 'Kim' }), say('en')('hi', { name: 'Kim' })]).toEqual(['안녕 Kim', 'Hi Kim'])
})
