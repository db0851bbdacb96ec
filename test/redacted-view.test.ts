import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson, digestOf } from '../src/approval/digest.ts'
import { REDACTED, redactArguments } from '../src/approval/redact.ts'
import { cli } from './support/cli.ts'
import { NO_LIMIT, type RunningServer, startServer, temporaryFolder, until, writeEnv } from './support/server.ts'

const show = (value: unknown) => {
  const { request_data, redacted } = redactArguments(JSON.stringify(value))
  return { value: JSON.parse(request_data), redacted }
}
const SECRETS = {
  password: 'hunter2',
  nested: [{ api_token: 'abc', deep: { client_secret: 12345 } }],
  code: 'run("ghp_abcdefghijklmnop0123")\nkey = "sk-proj-abcdefghij1234"\nAWS=AKIAIOSFODNN7EXAMPLE\nprint(1)',
  url: 'postgres://app:hunter3@db/x',
}
const WORDS = ['hunter2', 'abc"', '12345', 'ghp_abc', 'sk-proj', 'AKIAIOS', 'hunter3']

describe('the arguments for whoever decides', () => {
  test('are without secrets, at any depth, and with everything else', () => {
    const { value, redacted } = show({ ...SECRETS, path: '/tmp/x', on: true })
    const text = JSON.stringify(value)
    for (const word of WORDS) expect(text).not.toContain(word)
    expect(value.password).toBe(REDACTED)
    expect(value.code).toContain('print(1)')
    expect(value.path).toBe('/tmp/x')
    expect(redacted).toBe(5)
  })

  test('stay the text that was digested where nothing is hidden', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (args) => {
        const text = canonicalJson(args)
        const shown = redactArguments(text)
        if (shown.redacted === 0) expect(shown.request_data).toBe(text)
        else expect(shown.request_data).not.toBe(text)
      }),
    )
  })

  test('are never cut: however long, deep or many, all of it is there', () => {
    const long = 'x '.repeat(100_000)
    let deep: unknown = 'bottom'
    for (let n = 0; n < 50; n++) deep = [deep]
    const value = { deep, list: Array.from({ length: 1000 }, (_, n) => n), long, token: 'abc' }
    expect(show(value).value).toEqual({ ...value, token: REDACTED })
  })

  test('keep every argument, also when two names are secrets themselves', () => {
    const { value } = show({ ghp_abcdefghijklmnop0123: 'one', ghp_abcdefghijklmnop0124: 'two' })
    expect(Object.values(value)).toEqual(['one', 'two'])
  })

  test('what stands inside a secret object is hidden, and that it is there is not', () => {
    expect(show({ credentials: { user: 'kim', list: ['a', ''], on: true } }).value).toEqual({
      credentials: { user: REDACTED, list: [REDACTED, ''], on: true },
    })
  })

  test('a row of the old system that is no JSON is shown without secrets, too', () => {
    expect(redactArguments('token=abcdef {')).toEqual({ request_data: `token=${REDACTED} {`, redacted: 1 })
  })

  test('take work in proportion to their length, whatever they are made of', () => {
    const pieces = [
      'eyJaaaaaaaa-',
      'eyJ',
      'token ',
      'tokentoken',
      '://a:',
      '-----BEGIN ',
      'password= ',
      '--',
      ' ',
      'sk-',
    ]
    // CPU time of this process alone: what else runs on the machine has no part in it.
    const work = (piece: string, length: number, times: number) => {
      const text = JSON.stringify({ code: piece.repeat(length / piece.length) })
      const before = process.cpuUsage()
      for (let n = 0; n < times; n++) redactArguments(text)
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    for (const piece of pieces) {
      // The same amount of text, in one and in ten: a square makes the one ten times the work. A round that was
      // disturbed only makes another one necessary.
      let [one, ten] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      for (let round = 0; round < 3 || (round < 10 && one > 4 * ten); round++) {
        one = Math.min(one, work(piece, 100_000, 1))
        ten = Math.min(ten, work(piece, 10_000, 10))
      }
      expect(one / ten, piece).toBeLessThan(4)
    }
  })
})

describe('over the server', () => {
  const dir = temporaryFolder()
  let server: RunningServer
  let id: string
  const call = { server: '', tool: 'execute_python', arguments: SECRETS }
  beforeAll(async () => {
    writeEnv(dir.path, '')
    server = await startServer(dir.path, NO_LIMIT)
    const body = { tool_name: call.tool, arguments: SECRETS }
    id = (await server.call('POST', '/api/approvals', body, 'dev_user')).json.request_id
  })
  afterAll(async () => {
    await server?.kill('SIGTERM')
    dir.remove()
  })

  test('an approver sees no secret anywhere, unless it is asked for', async () => {
    for (const path of ['/api/approvals/pending', '/api/approvals', `/api/approvals/${id}`]) {
      const text = JSON.stringify((await server.call('GET', path)).json)
      expect(text).toContain('print(1)')
      for (const word of WORDS) expect(text).not.toContain(word)
      expect(text).toContain('"redacted":5')
    }
    const whole = (await server.call('GET', `/api/approvals/${id}?reveal=true`)).json
    expect(whole.redacted).toBe(0)
    expect(whole.request_data).toBe(canonicalJson(SECRETS))
    expect(whole.digest).toBe(digestOf(call))
  })

  test('whoever had the secrets shown to them is on record with the request, whoever sees it without them is not', async () => {
    const revealers = async () => {
      const { life } = (await server.call('GET', `/api/approvals/${id}`)).json
      return life.flatMap(({ what, who }: { what: string; who: string }) => (what === 'revealed' ? [who] : []))
    }
    await server.call('GET', `/api/approvals/${id}?reveal=true`, undefined, 'dev_user')
    await server.call('GET', `/api/approvals/${id}?reveal=true`)
    await until('it is written', async () => (await revealers()).length > 0)
    expect(await revealers()).toEqual(['admin_user'])
  })

  test('the requester sees what they sent', async () => {
    const own = (await server.call('GET', `/api/approvals/${id}`, undefined, 'dev_user')).json
    expect(own.request_data).toBe(canonicalJson(SECRETS))
  })

  test('the command line says that something is hidden, and shows it when told to, in both languages', async () => {
    const env = { ...server.env, APPROVAL_URL: server.url }
    const shown = await cli(env, 'show', id)
    expect(shown.stdout).toContain('5 values look like secrets and are not shown')
    expect(shown.stdout).not.toContain('hunter2')
    const korean = await cli({ ...env, OPS_LANG: 'ko' }, 'show', id)
    expect(korean.stdout).toContain('비밀로 보이는 값 5개를 가렸습니다')
    const revealed = await cli(env, 'show', id, '--reveal')
    expect(revealed.stdout).toContain('hunter2')
    expect(revealed.stdout).not.toContain('not shown')
  })

  test('the digest is that of the raw arguments: approved, it is used with them and with nothing else', async () => {
    await server.call('POST', `/api/approvals/${id}/approve`, { reason: 'fine' })
    const consume = (args: unknown) =>
      server.call('POST', `/api/approvals/${id}/consume`, { tool_name: call.tool, arguments: args }, 'dev_user')
    expect((await consume(show(SECRETS).value)).json.code).toBe('digest_mismatch')
    const used = await consume(SECRETS)
    expect(used.status).toBe(200)
    expect(used.json.request_data).toBe(canonicalJson(SECRETS))
  })
})
