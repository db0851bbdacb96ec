import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { GLOBAL_OPTIONS, nearest } from '../src/cli/args.ts'
import { renderArguments } from '../src/cli/arguments.ts'
import { COMMANDS } from '../src/cli/commands.ts'
import { renderDetail } from '../src/cli/detail.ts'
import { clock, remaining, shortIds, summary } from '../src/cli/format.ts'
import { commandHelp, overallHelp } from '../src/cli/help.ts'
import { identify } from '../src/cli/identity.ts'
import { renderRequests } from '../src/cli/list.ts'
import { LANGUAGES } from '../src/cli/messages.ts'
import { WaitingList } from '../src/cli/waiting-list.ts'
import type { WireEvent, WireRequest } from '../src/cli/wire.ts'
import { displayWidth } from '../src/report/printable.ts'

const { ko, en } = LANGUAGES
const NOW = Date.parse('2026-11-22T00:00:00Z')
const iso = (seconds: number) => new Date(NOW + seconds * 1000).toISOString()
const paint = (_: unknown, text: string) => text

const request = (more: Partial<WireRequest> = {}): WireRequest => ({
  request_id: '3f2a91c0-1111-4111-8111-111111111111',
  short_id: '3f2a91c0',
  server: '',
  tool_name: 'execute_python',
  user_id: 'dev_user',
  role: 'developer',
  level: 'CRITICAL',
  digest: 'd'.repeat(64),
  request_data: '{"code":"print(1)"}',
  redacted: 0,
  reason: null,
  status: 'pending',
  requested_at: iso(-60),
  expires_at: iso(240),
  responded_at: null,
  responder_id: null,
  response_reason: null,
  consumed_at: null,
  seconds_until_expiry: 240,
  ...more,
})

describe('remaining time', () => {
  test.each([
    [299.2, '5:00'],
    [61, '1:01'],
    [0.1, '0:01'],
    [3600, '1:00:00'],
    [-5, '0:00'],
  ])('%d s reads %s', (seconds, text) => expect(clock(seconds)).toBe(text))

  test('is never negative: a request past its deadline says when it expired', () => {
    const late = request({ expires_at: iso(-180) })
    expect(remaining(late, NOW, ko)).toBe('만료됨 3분 전')
    expect(remaining(late, NOW, en)).toBe('expired 3 min ago')
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), (seconds) => {
        expect(remaining(request({ expires_at: iso(seconds) }), NOW, en)).not.toContain('-')
      }),
    )
  })

  test('an adopted row without an instant does not break the list', () => {
    const adopted = request({ requested_at: null, expires_at: null, level: null, digest: null })
    expect(renderRequests([adopted], { now: NOW, columns: 80, t: ko, paint })).toContain('3f2a91c0')
  })
})

describe('short ids', () => {
  test('are eight digits, and as many more as it takes to be unique', () => {
    const ids = ['aaaaaaaa-1', 'aaaaaaaa-2', 'bbbbbbbb-1']
    expect([...shortIds(ids).values()]).toEqual(['aaaaaaaa-1', 'aaaaaaaa-2', 'bbbbbbbb'])
  })

  test('each names exactly one request', () => {
    const id = fc.uuid({ version: 4 }).map((uuid) => `aaaaaaaa${uuid.slice(8, 12)}a${uuid.slice(13)}`)
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 30 }), (ids) => {
        for (const [whole, short] of shortIds(ids)) {
          expect(ids.filter((other) => other.startsWith(short))).toEqual([whole])
        }
      }),
    )
  })
})

describe('the list', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('한글이 섞인 도구 이름', '✅ 확인', 'x'.repeat(300), '\u001b[2J\u202e'),
  )

  test.each([80, 100, 132])('is never wider than a terminal of %d columns, in both languages', (columns) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, text, fc.integer({ min: -1e7, max: 1e7 })), { minLength: 1, maxLength: 8 }),
        (rows) => {
          const requests = rows.map(([tool_name, user_id, code, seconds], i) =>
            request({
              ...{ request_id: `${String(i).padStart(8, '0')}-1`, tool_name, user_id, expires_at: iso(seconds) },
              request_data: JSON.stringify({ code }),
            }),
          )
          for (const t of [ko, en]) {
            for (const line of renderRequests(requests, { now: NOW, columns, t, paint }).split('\n')) {
              expect(displayWidth(line)).toBeLessThanOrEqual(columns)
            }
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('says who decided what is decided, as the reports send people here to see', () => {
    const decided = (responder_id: string) =>
      request({ status: 'approved', responder_id, responded_at: iso(-60), expires_at: iso(240) })
    for (const columns of [undefined, 100]) {
      const view = { now: NOW, columns, t: en, paint }
      expect(renderRequests([decided('lee.junho')], view)).toContain('approved 1 min ago (lee.junho)')
    }
    for (const t of [ko, en]) {
      const shown = renderRequests([decided('이'.repeat(60)), decided('kim')], { now: NOW, columns: 80, t, paint })
      for (const line of shown.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80)
      expect(shown).toContain('(kim)')
    }
  })

  test('aligns Hangul: every column begins at the same place', () => {
    const requests = [
      request({ tool_name: '파일쓰기', user_id: '김철수' }),
      request({ request_id: '8b11d2e4-1', tool_name: 'run_command', user_id: 'kim' }),
    ]
    const lines = renderRequests(requests, { now: NOW, columns: 80, t: ko, paint }).split('\n')
    const starts = lines.slice(1).map((line) => displayWidth(line.slice(0, line.indexOf('CRITICAL'))))
    expect(new Set(starts).size).toBe(1)
  })

  test('shows the arguments in one harmless line, without secrets', () => {
    const line = summary('{"code":"a\\nb\\u001b[31m\\u202ec","password":"hunter2"}', 80)
    expect(line).toBe('code=a\\nb\\u001b[31m\\u202ec password=[redacted]')
  })
})

describe('the whole arguments', () => {
  test('show a text of several lines as lines that cannot pretend to be anything else', () => {
    const data = JSON.stringify({ code: 'import os\n}\n"safe": true', list: ['x', 'a\nb'], empty: {} })
    expect(renderArguments(data, undefined)).toEqual([
      '{',
      '  "code":',
      '    │ import os',
      '    │ }',
      '    │ "safe": true',
      '  "list": [',
      '    "x",',
      '    -',
      '      │ a',
      '      │ b',
      '  ],',
      '  "empty": {}',
      '}',
    ])
  })

  test('make escape sequences, carriage returns, direction marks and invisible characters visible', () => {
    const data = JSON.stringify({ a: 'x\u001b[2Jy\u202ez\u200b', b: 'one\r\ntwo' })
    const lines = renderArguments(data, undefined).join('\n')
    expect(lines).toContain('"x\\u001b[2Jy\\u202ez\\u200b"')
    expect(lines).toContain('│ one\\r')
    expect(lines).not.toMatch(/[\u001b\r\u202e\u200b]/)
  })

  test('are wrapped by us, not by the terminal, and nothing is lost', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 })
    fc.assert(
      fc.property(fc.array(line, { minLength: 2, maxLength: 5 }), (texts) => {
        const code = texts.join('\n')
        const wrapped = renderArguments(JSON.stringify({ code }), 60)
        const whole = renderArguments(JSON.stringify({ code }), undefined)
        for (const shown of wrapped) expect(displayWidth(shown)).toBeLessThanOrEqual(60)
        const joined = wrapped.join('\n').replace(/\n {4}┆ /g, '')
        expect(joined).toBe(whole.join('\n'))
      }),
      { numRuns: 40 },
    )
  })

  test('the details of a request end with them, and carry the whole digest', () => {
    const view = { now: NOW, settings: { OPS_TIMEZONE: 'Asia/Seoul' }, columns: 80, t: en, paint }
    const lines = renderDetail(request({ reason: 'x\u202ey' }), view)
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "request     3f2a91c0-1111-4111-8111-111111111111
      status      pending, 4:00 left
      level       CRITICAL
      tool        execute_python
      requester   dev_user (developer)
      reason      x\\u202ey
      requested   2026-11-22 08:59:00 Asia/Seoul
      expires     2026-11-22 09:04:00 Asia/Seoul
      digest      dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
      arguments, whole
      {
        "code": "print(1)"
      }"
    `)
  })
})

describe('the waiting list in memory', () => {
  const event = (type: string, of: WireRequest): WireEvent => ({
    ...{ seq: 1, at: iso(0), type, request_id: of.request_id, actor: 'x', data: {}, request: of },
  })

  test('takes what is created and drops what is decided, and orders by the least remaining time', () => {
    const list = new WaitingList()
    const [late, soon] = [request({ request_id: 'b' }), request({ request_id: 'a', expires_at: iso(10) })]
    list.replace([late])
    expect(list.apply(event('created', soon))).toBe(soon)
    expect(list.sorted()).toEqual([soon, late])
    expect(list.apply(event('approved', { ...late, status: 'approved' }))).toBeUndefined()
    expect(list.sorted()).toEqual([soon])
  })

  test('does not take a request that was decided before its creation was heard of', () => {
    const list = new WaitingList()
    expect(list.apply(event('created', request({ status: 'rejected' })))).toBeUndefined()
    expect(list.sorted()).toEqual([])
  })
})

describe('the two languages', () => {
  const keys = (value: unknown, path = ''): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => keys(item, `${path}.${key}`))
      : [path]

  test('have equal keys', () => expect(keys(ko).sort()).toEqual(keys(en).sort()))

  test('explain every command, option and exit code, with an example', () => {
    for (const t of [ko, en]) {
      for (const command of COMMANDS) {
        expect(t.help.command[command.name], command.name).toBeTruthy()
        for (const name of Object.keys({ ...GLOBAL_OPTIONS, ...command.options })) {
          expect(t.help.option[name], `${command.name} --${name}`).toBeTruthy()
        }
        if (command.name === '') continue
        expect(command.examples.length).toBeGreaterThan(0)
        expect(commandHelp(command, t, 'approval')).toContain(`approval ${command.examples[0]}`)
      }
      expect(overallHelp(COMMANDS, t, 'approval')).toContain('audit verify')
      const pages = COMMANDS.map((command) => commandHelp(command, t, 'npx approval'))
      const tooWide = [overallHelp(COMMANDS, t, 'npx approval'), ...pages]
        .flatMap((page) => page.split('\n'))
        .filter((line) => displayWidth(line) > 80)
      // An example is to be copied, so it stays on one line.
      expect(tooWide.filter((line) => !line.startsWith('  npx approval '))).toEqual([])
    }
  })
})

test('a mistyped word is answered with the nearest one, a strange word is not', () => {
  const names = COMMANDS.map((command) => command.name)
  expect(nearest('aprove', names)).toBe('approve')
  expect(nearest('lst', names)).toBe('list')
  expect(nearest('--al', ['--as', '--all'])).toBe('--all')
  expect(nearest('frobnicate', names)).toBeUndefined()
})

describe('who acts', () => {
  const folders: string[] = []
  afterAll(() => {
    for (const path of folders) rmSync(path, { recursive: true })
  })
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'approval-cli-'))
    folders.push(path)
    return path
  }
  const write = (text: string) => {
    const dir = folder()
    writeFileSync(join(dir, 'credentials.json'), text)
    return { path: join(dir, 'credentials.json') }
  }
  const known = write('{"admin_user":"token-of-admin","dev_user":"token-of-dev"}')
  const base = { as: undefined, token: undefined, fallback: 'admin_user', path: known.path }

  test('is the default user of the command, else the holder of APPROVAL_TOKEN, else whom --as names', () => {
    expect(identify(base, en)).toEqual({ token: 'token-of-admin', user: 'admin_user' })
    expect(identify({ ...base, token: ' other-token\n' }, en)).toEqual({ token: 'other-token', user: undefined })
    expect(identify({ ...base, token: 'other-token', as: 'dev_user' }, en)).toEqual({
      token: 'token-of-dev',
      user: 'dev_user',
    })
  })

  test('a user without a token here is refused with the names of those who have one', () => {
    expect(() => identify({ ...base, as: 'kim' }, en)).toThrow('no token of kim; it knows admin_user, dev_user')
  })

  test.each([
    ['no file', folder(), 77],
    ['a file that is not JSON', write('{').path, 78],
    ['a token with a line break', write('{"admin_user":"a\\nb"}').path, 78],
  ])('%s is said, with its own exit code', (_, path, exit) => {
    expect(() =>
      identify({ ...base, path: path.endsWith('.json') ? path : join(path, 'credentials.json') }, en),
    ).toThrow(expect.objectContaining({ name: 'Failure', exit }))
  })
})
