import { describe, expect, test } from 'vitest'
import { KEYS, RULES } from '../src/config.ts'
import { parseEnv } from '../src/env-file.ts'
import { compareDocument, compareReport, compareState } from '../src/report/config-compare.ts'
import { displayWidth } from '../src/report/printable.ts'
import { render } from '../src/report/render.ts'
import { type CompareFacts, compareConfig } from '../src/rollback/env-compare.ts'
import { WEAKER, weaker } from '../src/rollback/env-safety.ts'
import { masker } from '../src/rollback/mask.ts'
import type { Observed } from '../src/rollback/runtime.ts'

const settings = KEYS.map((key) => ({ key, fallback: RULES[key].fallback, startOnly: RULES[key].fixed === true }))
const defaults = Object.fromEntries(settings.map(({ key, fallback }) => [key, fallback]))

interface World {
  readonly file?: string
  readonly effective?: Record<string, string> | null
  readonly from?: Record<string, 'environment' | 'file' | 'default'>
  readonly composed?: Record<string, string>
  readonly running?: Record<string, string>
}

function compare({ file = '', effective = {}, from = {}, composed, running }: World) {
  const health = effective && { config: { loaded_at: '', error: null, effective: { ...defaults, ...effective }, from } }
  const environments = composed && { environments: { composed, running: running ?? composed } }
  const facts: CompareFacts = {
    runtime: { kind: composed ? 'compose' : 'process', target: 'process 1', envFile: '/srv/desk/.env' },
    file: parseEnv(file),
    settings,
    seen: { health: (health ?? undefined) as Observed['health'], ...environments },
    invalid(key, value) {
      try {
        RULES[key as keyof typeof RULES].read(value)
        return undefined
      } catch (error) {
        return (error as Error).message
      }
    },
    mask: masker('salt', new Set<string>(KEYS)),
  }
  return compareConfig(facts)
}
const row = (world: World, key = 'APPROVAL_TIMEOUT') => compare(world).rows.find((one) => one.key === key)

describe('each difference has its cause', () => {
  test('none: everything is the default, or what the file says', () => {
    const data = compare({ file: 'APPROVAL_TIMEOUT="60" # a minute\n', effective: { APPROVAL_TIMEOUT: '60' } })
    expect([data.differences, data.unknown, data.next_command, compareState(data)]).toEqual([0, 0, null, 'ok'])
    expect(data.rows).toHaveLength(KEYS.length)
  })

  test.each<[string, World, string, string]>([
    ['edited since the server read it', { file: 'APPROVAL_TIMEOUT=60' }, 'pending', 'not_reloaded'],
    [
      'the environment of the server wins',
      { file: 'APPROVAL_TIMEOUT=60', effective: { APPROVAL_TIMEOUT: '90' }, from: { APPROVAL_TIMEOUT: 'environment' } },
      'never',
      'environment',
    ],
    ['a value it may not have', { file: 'APPROVAL_TIMEOUT=5m' }, 'never', 'bad_value'],
    ['expanded by some versions of compose', { file: 'APPROVAL_TIMEOUT=${T}' }, 'never', 'line_problem'],
    ['quoted so that it cannot be read', { file: 'APPROVAL_TIMEOUT="60' }, 'never', 'line_problem'],
    ['another line is wrong', { file: 'APPROVAL_TIMEOUT=60\nBROKEN LINE' }, 'never', 'file_broken'],
    ['no server answers', { file: 'APPROVAL_TIMEOUT=60', effective: null }, 'unknown', 'no_answer'],
    [
      'the container is older than the edit',
      { file: 'APPROVAL_TIMEOUT=60', composed: { APPROVAL_TIMEOUT: '60' }, running: { APPROVAL_TIMEOUT: '300' } },
      'pending',
      'container_older',
    ],
    [
      'the compose file says something else',
      {
        file: 'APPROVAL_TIMEOUT=60',
        composed: { APPROVAL_TIMEOUT: '90' },
        effective: { APPROVAL_TIMEOUT: '90' },
      },
      'never',
      'pinned',
    ],
    ['compose does not hand it on', { file: 'APPROVAL_TIMEOUT=60', composed: {} }, 'never', 'not_passed'],
    [
      'the server does not do what its container says',
      { file: 'APPROVAL_TIMEOUT=60', composed: { APPROVAL_TIMEOUT: '60' } },
      'never',
      'server_differs',
    ],
  ])('%s', (_what, world, state, code) => {
    const found = row(world)
    expect(found?.state).toBe(state)
    expect(found?.causes.map((cause) => cause.code)).toContain(code)
  })

  test('a setting that only a start reads', () => {
    expect(row({ file: 'OPS_TIMEZONE=UTC' }, 'OPS_TIMEZONE')).toMatchObject({
      ...{ state: 'restart', file: 'UTC', next: 'UTC', effective: 'Asia/Seoul' },
      causes: [{ code: 'start_only' }],
    })
  })

  test('a duplicate that changes nothing is worth knowing and no difference', () => {
    const world = { file: 'APPROVAL_TIMEOUT=1\nAPPROVAL_TIMEOUT=60', effective: { APPROVAL_TIMEOUT: '60' } }
    expect(row(world)).toMatchObject({ state: 'equal', causes: [{ code: 'duplicate', line: 2, earlier: '1' }] })
    expect(compare(world).differences).toBe(0)
  })

  test('a key that nobody reads never takes effect, and its value is not shown', () => {
    const data = compare({ file: 'APROVAL_TIMEOUT=60\nGRAFANA_PASSWORD=hunter2\n' })
    expect(data.differences).toBe(2)
    expect(data.rows.at(-1)).toMatchObject({ key: 'GRAFANA_PASSWORD', state: 'never', next: null })
    for (const format of ['table', 'json', 'markdown', 'html'] as const) {
      const text = render(compareReport(data), format, 'en', { columns: 80, colour: false })
      expect(text).not.toContain('hunter2')
      expect(text).toMatch(/hmac:[0-9a-f]{8}/)
    }
  })

  test('a key of somebody else in a file that compose reads is no difference; one that is misspelt is', () => {
    const file = 'GRAFANA_PASSWORD=hunter2\nAPROVAL_TIMEOUT=60\nRBAC_ON=true\nHOLD=1\n'
    const handed = { GRAFANA_PASSWORD: 'hunter2', APROVAL_TIMEOUT: '60', RBAC_ON: 'true', HOLD: '1' }
    const data = compare({ file, composed: handed })
    const states = data.rows.slice(-4).map(({ key, state }) => `${key} ${state}`)
    expect(states).toEqual(['GRAFANA_PASSWORD equal', 'APROVAL_TIMEOUT never', 'RBAC_ON never', 'HOLD equal'])
    const older = compare({ file, composed: handed, running: { ...handed, GRAFANA_PASSWORD: 'hunter1' } })
    const row = older.rows.find(({ key }) => key === 'GRAFANA_PASSWORD')
    expect(row).toMatchObject({ state: 'pending', causes: [{ code: 'foreign_key' }, { code: 'container_older' }] })
    expect(JSON.stringify(older)).not.toContain('hunter')
  })

  test('what the compose file sets and .env does not mention is no difference', () => {
    const composed = { HOST: '0.0.0.0', PORT: '8020' }
    expect(compare({ composed, effective: composed }).differences).toBe(0)
  })

  test('PORT in .env is the port outside: no difference either, and said', () => {
    expect(row({ file: 'PORT=9000', composed: { PORT: '8020' } }, 'PORT')).toMatchObject({
      ...{ state: 'equal', causes: [{ code: 'published_port', value: '8020' }] },
    })
  })

  test('an empty value is the default', () => {
    expect(compare({ file: 'APPROVAL_TIMEOUT=\n', composed: { APPROVAL_TIMEOUT: '' } }).differences).toBe(0)
    expect(compare({ file: 'APPROVAL_TIMEOUT=\n' }).differences).toBe(0)
  })

  test('an address with a password is shown by a mark', () => {
    const url = { file: 'APPROVAL_URL=https://me:hunter2@desk.example' }
    expect(row(url, 'APPROVAL_URL')?.file).toMatch(/^set \(hmac:[0-9a-f]{8}\)$/)
    expect(row({ file: 'APPROVAL_URL=https://desk.example' }, 'APPROVAL_URL')?.file).toBe('https://desk.example')
  })
})

describe('the table', () => {
  const world: World = {
    file: 'APPROVAL_TIMEOUT=60\nRBAC_ENABLED=false\nOPS_TIMEZONE=UTC\nAPPROVAL_DISABLED_UNTIL=2026-11-22T15:00:00+09:00\nX=1',
  }
  test.each(['ko', 'en'] as const)('fits 80 columns and names every difference first (%s)', (lang) => {
    const data = compare(world)
    const text = render(compareReport(data), 'table', lang, { columns: 80, colour: false })
    for (const line of text.split('\n')) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
    const [table] = compareDocument(data, lang).blocks
    if (table?.kind !== 'table') throw new Error('no table')
    expect(table.rows.slice(0, 5).map(([key]) => key)).toEqual([
      'APPROVAL_DISABLED_UNTIL',
      'APPROVAL_TIMEOUT',
      'RBAC_ENABLED',
      'OPS_TIMEZONE',
      'X',
    ])
    expect(text).toContain('npm run rollback-env -- --dry-run')
  })

  test('offers the rollback only where it would help', () => {
    expect(compare({ file: 'X=1' }).next_command).toBeNull()
    expect(compare({ file: 'APPROVAL_TIMEOUT=60\nBROKEN' }).next_command).toBeNull()
  })
})

describe('what is less safe', () => {
  const now = Date.parse('2026-11-22T00:00:00Z')

  test.each([
    ['APPROVAL_WORKFLOW_ENABLED', 'true', 'false'],
    ['APPROVAL_DISABLED_UNTIL', '', '2026-11-22T02:00:00Z'],
    ['APPROVAL_DISABLED_UNTIL', '2026-11-22T01:00:00Z', '2026-11-22T02:00:00Z'],
    ['RBAC_ENABLED', 'True', 'FALSE'],
    ['SANDBOX_ENABLED', 'true', 'false'],
    ['RATE_LIMIT_ENABLED', 'true', 'false'],
    ['APPROVAL_TRUST_USER_HEADER', 'false', 'true'],
    ['APPROVAL_ALLOW_REMOTE', 'false', 'true'],
    ['APPROVAL_EXECUTION_TTL', '300', '301'],
    ['HOST', '127.0.0.1', '0.0.0.0'],
    ['POLICY_PATH', './policy.json', './other.json'],
    ['MCP_CONFIG_PATH', './mcp.json', './other.json'],
    ['WORKSPACE_PATH', './data/workspace', '/'],
    ['SECURITY_DB_PATH', './data/security.db', '/tmp/x.db'],
  ])('%s from %j to %j', (key, from, to) => {
    const text = weaker(key, from, to, now)
    expect(text?.ko).toMatch(/[가-힣]/)
    expect(text?.en).not.toMatch(/[가-힣]/)
    // The other way round is safe, except where nobody can tell which of the two is safer.
    if (!/PATH$/.test(key)) expect(weaker(key, to, from, now)).toBeUndefined()
    expect(weaker(key, to, to, now)).toBeUndefined()
  })

  test('a lease that is over opens nothing', () => {
    expect(weaker('APPROVAL_DISABLED_UNTIL', '', '2026-11-21T00:00:00Z', now)).toBeUndefined()
  })

  test('every setting was looked at: a new one must be put into one of the two lists', () => {
    const harmless = [
      ...['APPROVAL_TIMEOUT', 'APPROVAL_POLLING_INTERVAL', 'APPROVAL_MAX_PENDING', 'APPROVAL_HOLD', 'OPS_DB_PATH'],
      ...['CONTACTS_PATH', 'CALENDAR_PATH', 'LOG_PATH', 'PORT', 'APPROVAL_URL', 'OPS_TIMEZONE', 'OPS_LANG'],
      // What is moved out stays provable: nothing is lost by an earlier cut.
      'RETENTION_DAYS',
    ]
    expect([...Object.keys(WEAKER), ...harmless].sort()).toEqual([...KEYS].sort())
  })
})
