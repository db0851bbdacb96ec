import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fits, overlap } from '../src/approval/glob.ts'
import { BrokenFileError } from '../src/approval/json-file.ts'
import { DEFAULT_LIMIT, levelOf, limitOf, parsePolicy } from '../src/approval/policy.ts'
import { LEVELS, type Level } from '../src/approval/request.ts'

const parse = (value: object) => parsePolicy(JSON.stringify(value))
const level = (policy: object, tool: string, server = '') => levelOf(parse(policy), { server, tool })
const problemsOf = (text: string): readonly string[] => {
  try {
    parsePolicy(text)
  } catch (error) {
    if (error instanceof BrokenFileError) return error.problems
    throw error
  }
  return []
}

/** Slow and plain: every way to read the pattern. */
function fitsPlainly(pattern: string, name: string): boolean {
  if (pattern === '') return name === ''
  const rest = pattern.slice(1)
  if (pattern[0] === '*') return fitsPlainly(rest, name) || (name !== '' && fitsPlainly(pattern, name.slice(1)))
  return name !== '' && (pattern[0] === '?' || pattern[0] === name[0]) && fitsPlainly(rest, name.slice(1))
}

const short = (letters: string, min = 0) =>
  fc.array(fc.constantFrom(...letters), { minLength: min, maxLength: 5 }).map((all) => all.join(''))

describe('a pattern', () => {
  test('fits what it plainly says', () => {
    fc.assert(
      fc.property(short('ab*?'), short('ab'), (pattern, name) => {
        expect(fits(pattern, name)).toBe(fitsPlainly(pattern, name))
      }),
      { numRuns: 3000 },
    )
  })

  test('overlaps another exactly when some name fits both', () => {
    const names = ['']
    for (let from = 0; names[from]!.length < 7; from++) names.push(`${names[from]}a`, `${names[from]}b`)
    fc.assert(
      fc.property(short('ab*?'), short('ab*?'), (one, other) => {
        // Two patterns of five characters that have a name in common have one of seven or fewer: stars can be empty.
        expect(overlap(one, other)).toBe(names.some((name) => fitsPlainly(one, name) && fitsPlainly(other, name)))
      }),
      { numRuns: 500 },
    )
  })

  test('cannot be made to take for ever', () => {
    expect(fits(`${'*a'.repeat(120)}b`, 'a'.repeat(5000))).toBe(false)
  })

  test('takes a character beyond the first plane for one', () => {
    expect(fits('?', '🔥')).toBe(true)
    expect(fits('??', '🔥')).toBe(false)
  })
})

describe('which rule decides', () => {
  const policy = {
    tools: { read_file: 'MEDIUM', 'read_*': 'LOW', 'read_f*': 'CRITICAL', '*': 'CRITICAL' },
    servers: { 'files*': { tools: { read_file: 'LOW', '*': 'MEDIUM' } }, files1: { tools: { read_file: 'HIGH' } } },
  }
  test.each([
    ['an exact name before any glob', 'read_file', '', 'MEDIUM'],
    ['of globs the one that says more', 'read_fast', '', 'CRITICAL'],
    ['a shorter glob where the longer does not fit', 'read_slow', '', 'LOW'],
    ['certain servers before all', 'anything', 'files7', 'MEDIUM'],
    ['the longer name of a tool before certain servers', 'read_slow', 'files7', 'LOW'],
    ['for the same tool, certain servers', 'read_file', 'files7', 'LOW'],
    ['for the same tool, the server by its exact name', 'read_file', 'files1', 'HIGH'],
  ])('%s', (_, tool, server, expected) => {
    expect(level(policy, tool, server)).toBe(expected)
  })

  test('another case, a look-alike or a space is another name', () => {
    const strict = { tools: { read_file: 'LOW', 'list_*': 'LOW' } }
    for (const tool of ['Read_file', 'rеad_file', 'read_file ', 'read_file\u200b', 'ｒead_file', 'LIST_x', '__proto__'])
      expect(level(strict, tool)).toBe('HIGH')
    expect(level({ tools: {}, servers: { files: { tools: { '*': 'LOW' } } } }, 'x', 'Files')).toBe('HIGH')
  })

  test('is what a plain reading of the rules says, for any policy and any call', () => {
    const tools = fc.dictionary(short('ab*?', 1), fc.constantFrom(...LEVELS), { maxKeys: 4 })
    const servers = fc.dictionary(short('xy*?', 1), fc.record({ tools }), { maxKeys: 3 })
    let decided = 0
    fc.assert(
      fc.property(tools, servers, short('ab', 1), short('xy'), (all, own, tool, server) => {
        const text = JSON.stringify({ tools: all, servers: own })
        if (problemsOf(text).length > 0) return
        const rules = [
          ...Object.entries(all).map(([pattern, value]) => ({ on: null as string | null, pattern, value })),
          ...Object.entries(own).flatMap(([on, { tools: some }]) =>
            Object.entries(some).map(([pattern, value]) => ({ on: on as string | null, pattern, value })),
          ),
        ].filter(({ on, pattern }) => fitsPlainly(pattern, tool) && (on === null || fitsPlainly(on, server)))
        const stars = (text: string) => text.replace(/[^*?]/g, '').length
        const wins = (a: (typeof rules)[number], b: (typeof rules)[number]): boolean => {
          if ((stars(a.pattern) === 0) !== (stars(b.pattern) === 0)) return stars(a.pattern) === 0
          const own = (text: string) => text.length - stars(text)
          if (own(a.pattern) !== own(b.pattern)) return own(a.pattern) > own(b.pattern)
          if (a.on === null || b.on === null) return a.on !== null && b.on === null
          if ((stars(a.on) === 0) !== (stars(b.on) === 0)) return stars(a.on) === 0
          return own(a.on) > own(b.on)
        }
        const best = rules.filter((rule) => rules.every((other) => other === rule || wins(rule, other)))
        expect(best.length).toBe(rules.length === 0 ? 0 : 1)
        const expected: Level = best[0]?.value ?? 'HIGH'
        if (best[0]) decided++
        expect(levelOf(parsePolicy(text), { server, tool })).toBe(expected)
      }),
      { numRuns: 500 },
    )
    expect(decided).toBeGreaterThan(50)
  })
})

describe('a policy file', () => {
  test('as the old one was stays right', () => {
    const old = parse({ $comment: 'x', tools: { a: 'LOW' } })
    expect(levelOf(old, { server: 'any', tool: 'a' })).toBe('LOW')
    expect(limitOf(old, { server: '', tool: 'execute_python' })).toEqual({ per_minute: 10, burst: 2 })
    expect(limitOf(old, { server: '', tool: 'a' })).toEqual(DEFAULT_LIMIT)
  })

  test('is refused with everything that is wrong in it, each with its line', () => {
    const text = `{
  "tools": {
    "a": "high",
    "b": "LOW",
    "b": "HIGH"
  },
  "tool": {},
  "servers": {
    "files": { "tools": { "c": 3 }, "levels": {} }
  },
  "limits": {
    "d": { "per_minute": 0 }
  }
}`
    expect(problemsOf(text).map((said) => said.replace(/(: .*?): .*$/, '$1'))).toEqual([
      'policy.json:3: tools.a',
      'policy.json:5: this key stands here twice',
      'policy.json:7: tool',
      'policy.json:9: servers.files.tools.c',
      'policy.json:9: servers.files.levels',
      'policy.json:12: limits.d.per_minute',
    ])
  })

  test('that is cut off says where', () => {
    expect(problemsOf('{\n  "tools": {\n')[0]).toMatch(/^policy\.json:3: not JSON/)
  })

  test('with two rules of which neither comes first is refused, with both lines', () => {
    const text = '{"tools": {\n"a*": "LOW",\n"*b": "CRITICAL",\n"*c*": "LOW",\n"d?": "LOW"}}'
    expect(problemsOf(text)).toEqual([
      'policy.json:3: *b: ambiguous: line 2 (a*) fits some of the same calls and neither comes first',
      'policy.json:4: *c*: ambiguous: line 2 (a*) fits some of the same calls and neither comes first',
      'policy.json:4: *c*: ambiguous: line 3 (*b) fits some of the same calls and neither comes first',
      'policy.json:5: d?: ambiguous: line 3 (*b) fits some of the same calls and neither comes first',
      'policy.json:5: d?: ambiguous: line 4 (*c*) fits some of the same calls and neither comes first',
    ])
    const servers = { 'a*': { tools: { x: 'LOW' } }, '*b': { tools: { x: 'HIGH', y: 'LOW' } } }
    expect(problemsOf(JSON.stringify({ tools: {}, servers }))).toHaveLength(1)
  })

  test('with more patterns than can be held against each other is refused', () => {
    const tools = Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`${n}-*`, 'LOW']))
    expect(problemsOf(JSON.stringify({ tools }))).toEqual([expect.stringContaining('at most 200')])
  })
})
