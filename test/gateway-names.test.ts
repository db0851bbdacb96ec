import { describe, expect, test } from 'vitest'
import { type Named, offersOf, shown } from '../src/gateway/catalogue.ts'
import { parseUpstreams } from '../src/gateway/config.ts'
import { inTemplate } from '../src/gateway/templates.ts'

const server = (name: string, ...tools: string[]): Named => ({
  server: name,
  items: tools.map((tool) => ({ name: tool })),
})
const names = (...upstreams: Named[]) =>
  Object.fromEntries([...offersOf(upstreams).values()].map((o) => [o.exposed, `${o.server}/${o.name}`]))

describe('names of tools', () => {
  test('stay as they are where one upstream has them, and get their server in front where several do', () => {
    expect(names(server('a', 'read', 'only_a'), server('b', 'read', 'only_b'))).toEqual({
      only_a: 'a/only_a',
      only_b: 'b/only_b',
      a__read: 'a/read',
      b__read: 'b/read',
    })
  })

  test('a tool that calls itself as another is prefixed cannot take its place', () => {
    expect(names(server('a', 'x'), server('b', 'x'), server('evil', 'a__x'))).toEqual({
      a__x: 'a/x',
      b__x: 'b/x',
      evil__a__x: 'evil/a__x',
    })
  })

  test('what would mean two things means nothing', () => {
    const all = names(server('a', 'x', 'a__x'), server('b', 'x'))
    expect(all).toEqual({ a__a__x: 'a/a__x', a__x: 'a/x', b__x: 'b/x' })
    const tangled = names(server('a', 'x', 'a__x', 'a__a__x'), server('b', 'x', 'a__x', 'a__a__x'))
    expect(new Set(Object.values(tangled)).size).toBe(Object.values(tangled).length)
  })

  test('look-alikes, other cases and spaces are other names', () => {
    expect(Object.keys(names(server('a', 'read', 'Read', 'reаd', 'read ', 'ｒead')))).toHaveLength(5)
  })

  test('names with control or format characters, too long or no text are not offered; of two equal ones the first is', () => {
    const items = [{ name: 'a\nb' }, { name: '\u202eevil' }, { name: 'x'.repeat(129) }, { name: '' }, { name: 7 }, {}]
    expect(offersOf([{ server: 's', items }]).size).toBe(0)
    const twice = offersOf([
      {
        server: 's',
        items: [
          { name: 'x', n: 1 },
          { name: 'x', n: 2 },
        ],
      },
    ])
    expect(twice.get('x')?.item).toEqual({ name: 'x', n: 1 })
  })

  test('nothing but the name of an item differs', () => {
    const item = { name: 'x', inputSchema: { type: 'object' }, vendor: { kept: true } }
    const offers = offersOf([{ server: 'a', items: [item] }, server('b', 'x')])
    expect(shown(offers.get('a__x')!)).toEqual({ ...item, name: 'a__x' })
  })
})

describe('mcp.json', () => {
  const wrong = (text: string) => {
    try {
      parseUpstreams(text)
    } catch (error) {
      return (error as Error).message
    }
    throw new Error('was taken')
  }
  const of = (servers: object) => JSON.stringify({ mcpServers: servers })

  test('names programs and addresses, as hosts write them', () => {
    const text = of({
      files: { command: 'npx', args: ['-y', 'x'], env: { KEY: 'v' } },
      far: { type: 'http', url: 'https://tools.example/mcp', headers: { Authorization: 'Bearer x' } },
      old: { type: 'sse', url: 'http://127.0.0.1:1/sse' },
      away: { command: 'x', disabled: true },
    })
    expect(parseUpstreams(text)).toEqual([
      { name: 'files', command: 'npx', args: ['-y', 'x'], env: { KEY: 'v' }, cwd: undefined },
      { name: 'far', url: 'https://tools.example/mcp', headers: { Authorization: 'Bearer x' }, sse: false },
      { name: 'old', url: 'http://127.0.0.1:1/sse', headers: {}, sse: true },
    ])
  })

  test('everything that is wrong is said at once, with its place', () => {
    const said = wrong(
      of({
        a__b: { command: 'x' },
        'ops-canary': { command: 'x' },
        both: { command: 'x', url: 'http://x' },
        none: {},
        odd: { command: 'x', args: 'y', evn: {} },
        ftp: { url: 'ftp://x' },
      }),
    )
    for (const part of [
      'a__b: ',
      'ops-canary: ',
      'both: give either',
      'none: give either',
      'odd.args',
      'evn',
      'ftp.url',
    ]) {
      expect(said).toContain(part)
    }
  })

  test('what is no JSON, or another file, is refused', () => {
    expect(wrong('{"mcpServers":')).toMatch(/^not JSON: /)
    expect(wrong('[]')).toContain('mcp.json')
    expect(wrong('{"servers":{}}')).toContain('mcpServers')
  })
})

test('a URI is recognised as of a template by what stands between the expressions', () => {
  expect(inTemplate('file:///a/b.txt', 'file:///{path}.txt')).toBe(true)
  expect(inTemplate('file:///a/b.md', 'file:///{path}.txt')).toBe(false)
  expect(inTemplate('http://a', 'file:///{path}')).toBe(false)
  expect(inTemplate('file:///a', 'file:///a')).toBe(false)
  expect(inTemplate('file:///a', 7)).toBe(false)
})
