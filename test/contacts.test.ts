import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { BrokenFileError } from '../src/approval/json-file.ts'
import { ROOT } from '../src/config.ts'
import { contactsCommand } from '../src/contacts-command.ts'
import { rejectionsFinding } from '../src/jobs/check-rejections.ts'
import { contactFor, parseContacts } from '../src/jobs/contacts.ts'
import { situationOf, withContacts } from '../src/jobs/situation.ts'
import { ko } from '../src/report/catalogue/daily-check.ko.ts'
import { SITUATIONS, type Situation } from '../src/report/contact.ts'
import { CHECKS, type CheckName, type Facts, type Finding, type Yesterday } from '../src/report/daily-check-data.ts'
import { itemOf } from '../src/report/daily-check-text.ts'
import { displayWidth } from '../src/report/printable.ts'
import { realSystem } from '../src/system/real.ts'

const folder = mkdtempSync(join(tmpdir(), 'contacts-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ours = readFileSync(join(ROOT, 'contacts.json'), 'utf8')
const edited = (...edits: readonly [from: string | RegExp, to: string][]) =>
  edits.reduce((text, [from, to]) => text.replace(from, to), ours)
const filledIn = ours.replaceAll('"phone": ""', '"phone": "010-1234-5678"').replace('"name": ""', '"name": "김지수"')

function problems(text: string): readonly string[] {
  try {
    parseContacts(text, 'contacts.json')
    return []
  } catch (error) {
    if (error instanceof BrokenFileError) return error.problems
    throw error
  }
}

describe('contacts.json', () => {
  test('is the table of the runbook, each with somebody who is next', () => {
    const contacts = parseContacts(ours, 'contacts.json')
    const table = SITUATIONS.map((situation) => {
      const { within_minutes, call } = contactFor(contacts, situation)
      return [situation, call[0].role, within_minutes, call.length]
    })
    expect(table).toEqual([
      ['service_down', 'On-Call Engineer', 15, 2],
      ['slow', 'DevOps Lead', 30, 2],
      ['mass_rejections', 'Security Lead', 60, 2],
      ['data_damage', 'Database Admin', 30, 2],
    ])
    expect(contacts.withoutPhone).toHaveLength(4)
    expect(parseContacts(filledIn, '').withoutPhone).toEqual([])
  })

  test.each([
    ['', ['contacts.json:1: not JSON: Unexpected end of JSON input']],
    [edited(['15 },', '15 }']), ["contacts.json:5: not JSON: Expected ',' or '}' after property value"]],
    [edited([/\}\s*$/, '']), ["contacts.json:15: not JSON: Expected ',' or '}' after property value"]],
    [edited(['"name"', 'name']), ["contacts.json:10: not JSON: Expected property name or '}'"]],
    ['[]', ['contacts.json:1: contacts: Invalid input: expected object, received array']],
    [
      edited(['15', '"15"'], ['"within_minutes": 30', '"within_minutes": 0']),
      [
        'contacts.json:4: situations.service_down.within_minutes: Invalid input: expected number, received string',
        'contacts.json:5: situations.slow.within_minutes: Too small: expected number to be >=1',
      ],
    ],
    [
      edited(['["On-Call Engineer", "DevOps Lead"]', '["On-Call Engineer", "Devops Lead"]']),
      ['contacts.json:4: situations.service_down.call.1: no role "Devops Lead" under roles'],
    ],
    [
      edited(['["Security Lead", "DevOps Lead"]', '["Security Lead", "DevOps Lead", "Security Lead"]']),
      ['contacts.json:6: situations.mass_rejections.call.2: a loop: "Security Lead" was called before'],
    ],
    [
      edited(['["Security Lead", "DevOps Lead"]', '[]']),
      ['contacts.json:6: situations.mass_rejections.call: nobody is called'],
    ],
    [edited([/.*"data_damage".*\n/, ''], ['60 },', '60 }']), [/^contacts.json:3: situations.data_damage: /]],
    [
      edited(['"phone": ""', '"phone": "ask Kim"'], ['"channel": ""', '"chanel": ""']),
      [
        'contacts.json:10: roles.On-Call Engineer.phone: not a telephone number: digits, spaces, + - ( )',
        'contacts.json:10: roles.On-Call Engineer.chanel: no such key here',
      ],
    ],
    [
      edited(['"DevOps Lead": { "name"', '"Security Lead": { "name"'], [/, "DevOps Lead"/g, '']),
      [
        'contacts.json:5: situations.slow.call.0: no role "DevOps Lead" under roles',
        'contacts.json:12: this key stands here twice',
      ],
    ],
    [edited(['"On-Call Engineer", "', '"__proto__", "']), [/^contacts.json:4: .*no role "__proto__" under roles/]],
  ])('that is wrong is refused with its line (%#)', (text, expected) => {
    expect(problems(text)).toEqual(expected.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))))
  })

  test('may be written with a BOM, tabs and CRLF', () => {
    expect(problems(`\ufeff${ours.replaceAll('  ', '\t').replaceAll('\n', '\r\n')}`)).toEqual([])
  })
})

/** Who is called for each thing that the check can find: the whole catalogue, so that a new finding must decide. */
const CALLS: Partial<Record<CheckName, Readonly<Record<string, Situation>>>> = {
  server: {
    ...{ refused: 'service_down', silent: 'service_down', dripping: 'service_down', status: 'service_down' },
    ...{ foreign: 'service_down', broken: 'service_down', unreachable: 'service_down', degraded: 'service_down' },
    ...{ flaky: 'slow', slow: 'slow' },
  },
  drill: { failed: 'service_down', no_answer: 'service_down' },
  database: { no_file: 'data_damage', foreign: 'data_damage', wal: 'slow' },
  audit: { broken: 'data_damage', unrecorded: 'data_damage', empty: 'data_damage' },
  rejections: { mass: 'mass_rejections' },
}

function found(check: CheckName, code: string, facts: Facts = {}, state: Finding['state'] = 'critical'): Finding {
  return { check, state, code, facts, since: null, next_command: null }
}

describe('whom a finding calls for', () => {
  const codes = Object.keys(ko)
    .map((key) => key.split('.') as [string, string | undefined])
    .filter(([check, code]) => code !== undefined && CHECKS.some((name) => name === check)) as [CheckName, string][]

  test('is decided for every finding there is', () => {
    expect(codes.length).toBeGreaterThan(80)
    const decided = codes.flatMap(([check, code]) => situationOf(found(check, code)) ?? [])
    expect(decided.length).toBe(Object.values(CALLS).flatMap((of) => Object.keys(of)).length)
  })

  test.each(codes)('%s.%s', (check, code) => {
    expect(situationOf(found(check, code))).toBe(CALLS[check]?.[code])
    for (const state of ['ok', 'skipped', 'not_configured'] as const) {
      expect(situationOf(found(check, code, {}, state))).toBeUndefined()
    }
  })

  test.each([
    ['missing', 'data_damage'],
    ['empty', 'data_damage'],
    ['corrupt', 'data_damage'],
    ['not_a_database', 'data_damage'],
    ['io', 'data_damage'],
    ['locked', 'slow'],
    ['permission', undefined],
    ['schema', undefined],
  ] as const)('of a database that is unreadable because of "%s" is %s', (cause, situation) => {
    expect(situationOf(found('database', 'unreadable', { cause, path: '/x', detail: '' }))).toBe(situation)
  })

  test.each([
    [0, 9, 'few'],
    [9, 9, 'few'],
    [2, 10, 'usual'],
    [3, 10, 'mass'],
    [20, 100, 'usual'],
    [21, 100, 'mass'],
  ])('%d rejected of %d decided yesterday is "%s"', (rejected, decided, code) => {
    const finding = rejectionsFinding({
      day: { date: '2026-11-21', rejected, decided },
      record_begins: null,
    } as Yesterday)
    expect([finding.check, finding.code, finding.state]).toEqual([
      'rejections',
      code,
      code === 'mass' ? 'warning' : 'ok',
    ])
    expect(finding.next_command).toBe(code === 'mass' ? 'npm run daily-report -- --date 2026-11-21' : null)
  })

  test('stands beside it, in both languages; a broken file is said and hides nothing', async () => {
    const path = join(folder, 'beside.json')
    writeFileSync(path, filledIn)
    const settings = { CONTACTS_PATH: path } as Parameters<typeof withContacts>[0]['settings']
    const findings = [found('server', 'refused', { url: 'http://x' }), found('clock', 'unmeasured')]
    const { checks, contacts_problem } = await withContacts({ system: realSystem, settings }, findings)
    expect(contacts_problem).toBeNull()
    const [server, clock] = checks
    expect(server?.contact).toMatchObject({ situation: 'service_down', within_minutes: 15 })
    expect(clock).not.toHaveProperty('contact')
    const say = (lang: 'ko' | 'en') => itemOf(server!, lang, 'Asia/Seoul').text
    const first = 'On-Call Engineer (김지수, 010-1234-5678)'
    const next = 'DevOps Lead (010-1234-5678)'
    expect(say('ko')).toContain(`; 연락: ${first}, 15분 안에 대응, 다음은 ${next}`)
    expect(say('en')).toContain(`; call ${first}, to answer within 15 min; then ${next}`)
    writeFileSync(path, '{')
    const broken = await withContacts({ system: realSystem, settings }, findings)
    expect(broken.checks).toEqual(findings)
    expect(broken.contacts_problem).toContain(`${path}:1: not JSON`)
  })
})

describe('npm run contacts -- who', () => {
  let files = 0
  async function who(argv: readonly string[], text: string | null = filledIn, env = '') {
    const name = join(folder, `${++files}`)
    if (text !== null) writeFileSync(`${name}.json`, text)
    writeFileSync(`${name}.env`, `CONTACTS_PATH=${name}.json\n${env}`)
    const said = { stdout: '', stderr: '' }
    const code = await contactsCommand({
      argv: ['node', 'contacts', ...argv],
      env: { APPROVAL_ENV_FILE: `${name}.env` },
      stdout: { write: (out) => (said.stdout += out) },
      stderr: { write: (out) => (said.stderr += out) },
    })
    return { code, ...said, last: said.stderr.trimEnd().split('\n').at(-1) }
  }

  test('names all of them; a missing telephone is a warning', async () => {
    const { code, stdout, stderr } = await who(['who'])
    expect([code, stderr]).toEqual([0, ''])
    for (const text of ['서비스 다운', '15분', '성능 저하', '30분', '대량 거부', '1시간', '데이터 손상'])
      expect(stdout).toContain(text)
    for (const line of stdout.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    const missing = await who(['who'], ours)
    expect(missing.code).toBe(1)
    expect(missing.stdout).toMatch(/^주의: 전화번호가 없는 역할이 4개 있습니다/)
    expect(missing.last).toMatch(/\. vi .*\.json$/)
  })

  test.each(['slow', 'SLOW', '성능 저하', '성능저하 ', 'Slow'])('understands %j', async (situation) => {
    const { code, stdout } = await who(['who', situation.trim(), '--format', 'json'])
    if (situation === '성능저하 ') return expect(code).toBe(64)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'ops.contacts.v1',
      situation: 'slow',
      contacts: [{ within_minutes: 30, call: [{ role: 'DevOps Lead' }, { name: '김지수' }] }],
    })
  })

  test('answers in four formats and two languages', async () => {
    expect((await who(['who', 'data-damage', '--lang', 'en'])).stdout).toMatch(/^OK: .*\nContacts for "Data damage": /)
    expect((await who(['who', '--format', 'markdown'])).stdout).toContain('| 데이터 손상 | 30분')
    expect((await who(['who', '--format', 'html', '--lang', 'en'])).stdout).toContain('<td>30 min</td>')
  })

  test('answers with a broken .env, from its good lines', async () => {
    const { code, stdout, stderr } = await who(['who'], filledIn, 'PORT=many\nnonsense\nAPPROVAL_TIMEOUT=-1\n')
    expect(code).toBe(0)
    expect(stdout).toContain('On-Call Engineer')
    expect(stderr).toContain('npm run config -- compare')
  })

  test('answers with an .env that cannot be read at all', async () => {
    const said = { stdout: '', stderr: '' }
    const code = await contactsCommand({
      argv: ['node', 'contacts', 'who'],
      env: { APPROVAL_ENV_FILE: folder, CONTACTS_PATH: `${ROOT}/contacts.json` },
      stdout: { write: (out) => (said.stdout += out) },
      stderr: { write: (out) => (said.stderr += out) },
    })
    expect([code, said.stdout]).toEqual([1, expect.stringContaining('On-Call Engineer')])
    expect(said.stderr).toContain('npm run config -- compare')
  })

  test('a file that is absent, or wrong, is 78 with every problem', async () => {
    const absent = await who(['who'], null)
    expect([absent.code, absent.stdout]).toEqual([78, ''])
    expect(absent.stderr).toMatch(/no such file\n/)
    const wrong = await who(['who', 'slow'], edited(['15', '-1'], ['30', '"half an hour"']))
    expect(wrong.code).toBe(78)
    expect(wrong.stderr).toMatch(/:4: .*\n.*:5: .*\n.*2건.*\. vi /)
  })

  test.each([[[]], [['whom']], [['who', 'fire']], [['who', 'slow', 'data_damage']], [['who', '--lang', 'fr']]])(
    '%j is 64',
    async (argv) => {
      const { code, stdout } = await who(argv)
      expect([code, stdout]).toEqual([64, ''])
    },
  )
})
