import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig, serverUrl } from '../src/config.ts'
import { parseEnv } from '../src/env-file.ts'
import { temporaryFolder, writeEnv } from './support/server.ts'

const readKey = (text: string, key = 'K') => parseEnv(text).entries.findLast((entry) => entry.key === key)?.value

describe('.env is read as docker-compose reads it', () => {
  test.each([
    ['K=true', 'true'],
    ['K="true"', 'true'],
    ["K='true'", 'true'],
    ['K = true', 'true'],
    ['  K=true', 'true'],
    ['K=True', 'True'],
    ['K=true   # 주석', 'true'],
    ['K=true\t# comment', 'true'],
    ['K=true#x', 'true#x'],
    ['K="a # b"', 'a # b'],
    ['K="a" # b', 'a'],
    ['K="a \\"b\\" \\\\."', 'a "b" \\.'],
    ['K="a\\tb"', 'a\tb'],
    ["K='a \\n b'", 'a \\n b'],
    ['K=true\r\nL=1\r\n', 'true'],
    ['\ufeffK=true', 'true'],
    ['export K=true', 'true'],
    ['K=1\nK=2', '2'],
    ['K=', ''],
    ['MY_K=true\nK="false"', 'false'],
    ['K=a=b', 'a=b'],
    ["K='$HOME'", '$HOME'],
    ['K=승인 🙂', '승인 🙂'],
  ])('%j gives %j', (text, value) => {
    expect(parseEnv(text)).toMatchObject({ problems: [] })
    expect(readKey(text)).toBe(value)
  })

  test.each([
    ['nothing but a word', 'BROKEN LINE HERE'],
    ['a colon, which only some versions of compose read', 'K:true'],
    ['a name without =', 'K'],
    ['a quote that is not closed', 'K="true'],
    ['text behind a quote', 'K="true"x'],
    ['an interpolation, which would not be expanded', 'K=${OTHER}'],
    ['an interpolation in single quotes, which old compose expands', "K='${OTHER}'"],
    ['a dollar sign, which new compose doubles or refuses', 'K=a$1'],
    ['a comment where the value should be, which compose takes for the value', 'K=   # nothing'],
    ['a backslash before the closing quote', 'K="a\\\\"'],
    ['a doubled backslash in single quotes', "K='a\\\\b'"],
    ['a wide space behind the value', 'K=true\u3000'],
    ['a carriage return in the middle', 'K=true\rL=2'],
    ['a NUL in the value', 'K=a\0b'],
    ['export in place of a name', 'export = 1'],
    ['a name that starts with a digit', '1K=true'],
  ])('a line with %s is a problem with its number, not a guess', (_what, line) => {
    const read = parseEnv(`A=1\n# comment\n\n${line}\nB=2`)
    expect(read.problems.map((p) => p.line)).toEqual([4])
    expect(read.entries.map((e) => e.key)).toEqual(['A', 'B'])
  })

  test('a comment is a comment', () => {
    expect(parseEnv('#K=true\n   # K=x\n\n').entries).toEqual([])
  })
})

describe('the configuration', () => {
  let dir: ReturnType<typeof temporaryFolder>
  const env = (more: Record<string, string> = {}) => ({ APPROVAL_ENV_FILE: `${dir.path}/.env`, ...more })

  beforeEach(() => {
    dir = temporaryFolder()
  })
  afterEach(() => dir.remove())

  test('without a file is the default', () => {
    expect(loadConfig(env()).settings).toMatchObject({
      APPROVAL_WORKFLOW_ENABLED: true,
      APPROVAL_TIMEOUT: 300,
      APPROVAL_POLLING_INTERVAL: 1,
      APPROVAL_MAX_PENDING: 50,
      RBAC_ENABLED: true,
      HOST: '127.0.0.1',
      PORT: 8020,
      OPS_TIMEZONE: 'Asia/Seoul',
    })
  })

  test('the process environment wins over the file', () => {
    writeEnv(dir.path, 'APPROVAL_TIMEOUT=60\nPORT=9000\n')
    expect(loadConfig(env({ PORT: '9001' })).settings).toMatchObject({ APPROVAL_TIMEOUT: 60, PORT: 9001 })
  })

  test('every problem is told at once, each with where it stands and what is allowed', () => {
    writeEnv(dir.path, 'APPROVAL_TIMEOUT=5m\nRBAC_ENABLED=1\nK:true\nAPPROVAL_DISABLED_UNTIL=tomorrow\n')
    const problems = (() => {
      try {
        loadConfig(env({ PORT: '99999', OPS_LANG: 'fr' }))
      } catch (error) {
        return (error as ConfigError).problems
      }
      throw new Error('accepted')
    })()
    expect(problems).toHaveLength(6)
    expect(problems.join('\n')).toMatch(/\.env:1: APPROVAL_TIMEOUT="5m": allowed: a whole number from 1 to 86400/)
    expect(problems.join('\n')).toMatch(/environment: PORT="99999"/)
  })

  test.each(['yes', '1', 'on', 'TRUE ', 'tru', ''])('a flag is true or false; %j is no spelling of either', (value) => {
    const read = () => loadConfig(env({ APPROVAL_WORKFLOW_ENABLED: value })).settings.APPROVAL_WORKFLOW_ENABLED
    if (value === '') expect(read()).toBe(true)
    else expect(read).toThrow(ConfigError)
  })

  test('duplicates and keys that nothing reads are warnings', () => {
    writeEnv(dir.path, 'APPROVAL_TIMEOUT=60\nAPPROVAL_TIMEOUT=90\nAPROVAL_TIMEOUT=9\n')
    const { settings, warnings } = loadConfig(env())
    expect(settings.APPROVAL_TIMEOUT).toBe(90)
    expect(warnings).toEqual([
      expect.stringContaining(':2: APPROVAL_TIMEOUT'),
      expect.stringContaining(':3: APROVAL_TIMEOUT'),
    ])
  })

  test('the command line finds the server by APPROVAL_URL, else by HOST and PORT', () => {
    expect(serverUrl(loadConfig(env({ APPROVAL_URL: 'https://desk.example/' })).settings)).toBe('https://desk.example')
    expect(serverUrl(loadConfig(env({ PORT: '81', HOST: '0.0.0.0' })).settings)).toBe('http://127.0.0.1:81')
    expect(serverUrl(loadConfig(env({ HOST: '::1' })).settings)).toBe('http://[::1]:8020')
  })

  test('bytes that are not UTF-8 do not stop the other lines', () => {
    writeFileSync(
      `${dir.path}/.env`,
      Buffer.concat([Buffer.from('APPROVAL_TIMEOUT=60\n# '), Buffer.from([0xff]), Buffer.from('\nPORT=81\n')]),
    )
    expect(loadConfig(env()).settings).toMatchObject({ APPROVAL_TIMEOUT: 60, PORT: 81 })
  })
})
