import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { cli, cliHere, startCli } from './support/cli.ts'
import { environment, NO_LIMIT, type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let server: RunningServer
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  dir = temporaryFolder()
  server = await startServer(dir.path, NO_LIMIT)
  env = { ...server.env, APPROVAL_URL: server.url }
})
afterAll(async () => {
  await server.kill('SIGKILL')
  dir.remove()
})

/** The id of the only request with these arguments that waits. */
async function waiting(code: string): Promise<string> {
  let id: string | undefined
  await until(`a request with ${code}`, async () => {
    const { json } = await server.call('GET', '/api/approvals/pending')
    id = json.pending_approvals.find((one: { request_data: string }) => one.request_data.includes(code))?.request_id
    return id !== undefined
  })
  return id!
}
const args = (code: string) => ['--args', JSON.stringify({ code })]
const decide = (id: string, verb: string, reason = 'because') =>
  server.call(
    'POST',
    `/api/approvals/${id}/${verb}`,
    verb === 'cancel' ? {} : { reason },
    verb === 'cancel' ? 'dev_user' : 'admin_user',
  )

describe('the caller learns the outcome by the exit code:', () => {
  test('0 when approved, with who and why on stdout', async () => {
    const caller = startCli(env, ['request', 'execute_python', ...args('approve-me')])
    await decide(await waiting('approve-me'), 'approve', 'looks right')
    const { code, stdout } = await caller.finished
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[0-9a-f]{8} execute_python approved by admin_user: looks right\n$/)
  })

  test('1 when rejected, with the reason', async () => {
    const caller = startCli(env, ['request', 'execute_python', ...args('reject-me')])
    await decide(await waiting('reject-me'), 'reject', 'too risky')
    const { code, stdout, last } = await caller.finished
    expect(code).toBe(1)
    expect(stdout).toContain('rejected by admin_user: too risky')
    expect(last).toMatch(/is rejected; the call must not run\. \S+approval\.js show [0-9a-f]{8} --as dev_user$/)
  })

  test('2 when it expired', async () => {
    const { code, stdout } = await cli(env, 'request', 'execute_python', ...args('expire-me'), '--timeout', '1')
    expect(code).toBe(2)
    expect(stdout).toContain('expired: nobody decided in time')
  })

  test('2 when it was cancelled', async () => {
    const caller = startCli(env, ['request', 'execute_python', ...args('cancel-me')])
    await decide(await waiting('cancel-me'), 'cancel')
    expect(await caller.finished).toMatchObject({ code: 2, stdout: expect.stringContaining('cancelled') })
  })

  test('3 when it does not wait: stdout is the id, and the last line resumes', async () => {
    const asked = await cli(env, 'request', 'execute_python', ...args('later'), '--no-wait')
    expect(asked.code).toBe(3)
    const id = asked.stdout.trim()
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(asked.last).toMatch(/is still pending\. \S+approval\.js show [0-9a-f]{8} --wait --as dev_user$/)
    const resumed = startCli(env, ['show', id.slice(0, 8), '--wait', '--as', 'dev_user'])
    await decide(id, 'approve')
    expect(await resumed.finished).toMatchObject({ code: 0, stdout: expect.stringContaining('approved by admin_user') })
  })

  test('3 when interrupted by Ctrl-C, and the request stays', async () => {
    const caller = startCli(env, ['request', 'execute_python', ...args('interrupt-me')])
    await caller.sees('waiting for a decision')
    caller.child.kill('SIGINT')
    expect(await caller.finished).toMatchObject({ code: 3, stdout: '', last: expect.stringContaining('show') })
    expect((await server.call('GET', `/api/approvals/${await waiting('interrupt-me')}`)).json.status).toBe('pending')
  })

  test('0 when no approval is needed, and it says so', async () => {
    expect(await cli(env, 'request', 'list_files')).toMatchObject({
      code: 0,
      stdout: 'not required: list_files is LOW\n',
    })
  })

  test('show --wait on a decided request ends at once with the same code', async () => {
    const { stdout } = await cli(env, 'request', 'execute_python', ...args('old'), '--no-wait')
    await decide(stdout.trim(), 'reject')
    expect((await cli(env, 'show', stdout.trim(), '--wait')).code).toBe(1)
    expect((await cli(env, 'show', stdout.trim())).code).toBe(0)
  })
})

describe('with the gate off', () => {
  test('the caller may run, and is told loudly that nobody approved', async () => {
    const own = temporaryFolder()
    const open = await startServer(own.path, { APPROVAL_WORKFLOW_ENABLED: 'false' })
    try {
      const answer = await cli({ ...open.env, APPROVAL_URL: open.url }, 'request', 'execute_python')
      expect(answer).toMatchObject({ code: 0, stdout: 'bypassed: execute_python is CRITICAL, and the gate is OFF\n' })
      expect(answer.last).toContain('NOBODY approved this call')
    } finally {
      await open.kill('SIGKILL')
      own.remove()
    }
  })
})

describe('64, wrong usage:', () => {
  test.each([
    [['frobnicate'], 'There is no command "frobnicate".'],
    [['lst'], 'did you mean "list"?'],
    [['users'], 'users add, users disable'],
    [['list', '--al'], 'did you mean --all?'],
    [['list', 'x'], '"x" is one word too many'],
    [['list', '--format', 'xml'], 'allowed are table, json'],
    [['list', '--limit', '0'], 'a whole number from 1 to 1000'],
    [['list', '--json=yes'], '--json takes no value'],
    [['list', '--lang', 'fr'], 'allowed are ko, en'],
    [['request'], 'Expected: TOOL'],
    [['request', 'x', '--args'], '--args needs a value'],
    [['request', 'x', '--args', '--json'], 'write --args=--json'],
    [['request', 'x', '--args', '{'], 'not JSON'],
    [['request', 'x', '--args', '[1]'], 'must be a JSON object'],
    [['request', 'x', '--args', 'null'], 'must be a JSON object'],
    [['request', 'x', '--args', '{"a":1e999}'], 'cannot be kept exactly'],
    [['request', 'x', '--args', '{}', '--args-file', '-'], 'exclude each other'],
    [['request', 'x', '--args-file', '/nonexistent'], 'ENOENT'],
    [['request', 'x', '--timeout', '1.5'], 'a whole number'],
    [['request', 'a b'], 'tool_name'],
    [['show', '%'], 'no request id'],
    [['show', '3f2a91c'], 'no request id'],
    [['approve', '3f2a91c0'], 'needs a reason'],
    [['approve', '3f2a91c0', '--reason', ' '], 'Say why'],
    [['users', 'add', 'kim'], '--role needs a value'],
    [['users', 'add', 'kim', '--role', 'root'], 'allowed are guest'],
    [['list', '--as', 'nobody'], 'it knows admin_user, dev_user'],
    [[], 'no terminal to ask on'],
  ])('%j', async (words, sentence) => {
    const { code, stdout, last } = await cliHere(env, ...words)
    expect(code).toBe(64)
    expect(stdout).toBe('')
    expect(last).toContain(sentence)
    expect(last).toMatch(/[.?)"] (\S+approval\.js .+|npx approval .+|--role .+|--as USER, .+)$/)
  })

  test('a file that is not UTF-8', async () => {
    const { code, last } = await startCli(env, ['request', 'x', '--args-file', '-'], Buffer.from([0x7b, 0xff, 0x7d]))
      .finished
    expect({ code, last }).toMatchObject({ code: 64, last: expect.stringContaining('not UTF-8') })
  })

  test('two megabytes of arguments', async () => {
    const big = JSON.stringify({ code: 'x'.repeat(2_000_000) })
    expect(await startCli(env, ['request', 'x', '--args-file', '-'], big).finished).toMatchObject({ code: 64 })
  })

  test('a reason of 10,000 characters', async () => {
    const answer = await cli(env, 'approve', '3f2a91c0', '--reason', 'x'.repeat(10_000))
    expect(answer).toMatchObject({ code: 64, last: expect.stringContaining('1 to 2000 characters') })
  })
})

describe('2, refused and nothing changed:', () => {
  test('a request that is decided already: says who was first, when and why, on the team clock', async () => {
    const { request_id } = await server.ask()
    await decide(request_id, 'reject', 'no')
    const { code, last } = await cli(env, 'approve', request_id, '--reason', 'yes')
    expect(code).toBe(2)
    expect(last).toMatch(/Already rejected by admin_user at [\d-]+ [\d:]+ Asia\/Seoul: no\./)
  })

  test('a request that does not exist', async () => {
    expect(await cli(env, 'show', 'deadbeef')).toMatchObject({ code: 2, last: expect.stringContaining('No request') })
  })

  test.each([
    ['add', 'dev_user', '--role', 'guest'],
    ['disable', 'nobody'],
    ['disable', 'admin_user'],
  ])('users %s %s: the last line leads to the users', async (...words) => {
    const { code, last } = await cli(env, 'users', ...words)
    expect(code).toBe(2)
    expect(last).toMatch(/\. \S+approval\.js users list$/)
  })

  test('a decision after the deadline: the last line leads to the list', async () => {
    const { stdout } = await cli(env, 'request', 'execute_python', ...args('late'), '--no-wait', '--timeout', '1')
    await until('it is expired', async () => {
      return (await server.call('GET', `/api/approvals/${stdout.trim()}`)).json.status === 'expired'
    })
    const { code, last } = await cli(env, 'approve', stdout.trim(), '--reason', 'late')
    expect(code).toBe(2)
    expect(last).toMatch(/Expired at .+; the caller must ask again\. \S+approval\.js list$/)
  })

  test('several requests of which one is decided: none changes', async () => {
    const [first, second] = [await server.ask(), await server.ask()]
    await decide(first.request_id, 'reject')
    expect((await cli(env, 'approve', first.short_id, second.short_id, '--reason', 'all')).code).toBe(2)
    expect((await server.call('GET', `/api/approvals/${second.request_id}`)).json.status).toBe('pending')
  })

  test('a record that was changed behind the server', async () => {
    const own = temporaryFolder()
    const other = await startServer(own.path)
    try {
      const url = { ...other.env, APPROVAL_URL: other.url }
      expect(await cli(url, 'audit', 'verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('whole') })
      const db = new Database(join(own.path, 'security.db'))
      for (const { name } of db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all() as {
        name: string
      }[]) {
        db.exec(`DROP TRIGGER ${name}`)
      }
      db.exec("UPDATE approval_events SET actor = 'someone else' WHERE seq = 1")
      db.close()
      const broken = await cli(url, 'audit', 'verify')
      expect(broken.code).toBe(2)
      expect(broken.stdout).toContain('1: was changed')
      expect(broken.last).toMatch(/NOT whole: \d+ problem\(s\)\. npm run contacts -- who data_damage$/)
    } finally {
      await other.kill('SIGKILL')
      own.remove()
    }
  })
})

describe('69, the server cannot be reached:', () => {
  let stranger: Server
  let jsonStranger: Server
  beforeAll(async () => {
    stranger = createServer((_, response) => response.end('<html>hello</html>'))
    jsonStranger = createServer((_, response) => response.end('{"status":"ok","code":"ok"}'))
    for (const one of [stranger, jsonStranger]) {
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
    }
  })
  afterAll(() => {
    stranger.close()
    jsonStranger.close()
  })

  test('nobody listens: says where it looked and how to start it', async () => {
    const { code, last } = await cli({ ...env, APPROVAL_URL: 'http://127.0.0.1:9' }, 'list')
    expect(code).toBe(69)
    expect(last).toMatch(/^The server does not answer at http:\/\/127\.0\.0\.1:9 \(.+\)\. npm start$/)
  })

  test('another program answers there', async () => {
    const { port } = stranger.address() as { port: number }
    for (const command of ['list', 'watch']) {
      const { code, last } = await cli({ ...env, APPROVAL_URL: `http://127.0.0.1:${port}` }, command)
      expect(code).toBe(69)
      expect(last).toContain('not from an approval-ops server')
    }
  })

  test.each([
    ['request', 'execute_python'],
    ['call', 'list_files'],
    ['show', 'deadbeef'],
    ['approve', 'deadbeef', '--reason', 'yes'],
    ['approve', 'deadbeef', 'deadbee0', '--reason', 'yes'],
    ['cancel', 'deadbeef'],
    ['list'],
    ['list', '--all'],
    ['users', 'list'],
    ['users', 'token', 'dev_user'],
    ['users', 'disable', 'dev_user'],
    ['policy', 'explain', 'execute_python'],
    ['policy', 'forecast', join(ROOT, 'policy.json')],
    ['audit', 'verify'],
  ])('another program answers there, with JSON: nothing in it is believed by %s', async (...words) => {
    const { port } = jsonStranger.address() as { port: number }
    const { code, stdout, stderr } = await cliHere({ ...env, APPROVAL_URL: `http://127.0.0.1:${port}` }, ...words)
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' })
    expect(stderr).toMatch(
      /^http:\S+: HTTP 200: the answer is not from an approval-ops server\. npm run daily-check\n$/,
    )
  })
})

describe('75, not now: the last line says when to try again,', () => {
  let own: ReturnType<typeof temporaryFolder>
  let busy: RunningServer
  let there: NodeJS.ProcessEnv
  beforeAll(async () => {
    own = temporaryFolder()
    const policy = { tools: { write_file: 'HIGH' }, limits: { write_file: { per_minute: 1 } } }
    writeFileSync(`${own.path}/policy.json`, JSON.stringify(policy))
    const more = { APPROVAL_MAX_PENDING: '1', POLICY_PATH: `${own.path}/policy.json` }
    const files = { MCP_CONFIG_PATH: join(ROOT, 'mcp.json') }
    busy = await startServer(own.path, { ...more, ...files })
    there = { ...busy.env, APPROVAL_URL: busy.url }
    const first = { tool_name: 'write_file', server: 'tools', arguments: { path: 'x', content: 'first' } }
    expect((await busy.call('POST', '/api/approvals', first, 'dev_user')).status).toBe(201)
  })
  afterAll(async () => {
    await busy.kill('SIGKILL')
    own.remove()
  })

  test.each([
    ['request', ['--server', 'tools']],
    ['call', []],
  ])('to %s', async (word, more) => {
    const given = ['--args', '{"path":"x","content":"y"}', ...more]
    const queue = await cli(there, word, 'execute_python', ...args('x'))
    expect(queue).toMatchObject({ code: 75, stdout: '' })
    const sentence = '1 requests wait already, 1 are allowed. Try again when some are decided, in 5 s at the earliest.'
    expect(queue.last).toMatch(new RegExp(`^${sentence.replaceAll('.', '\\.')} \\S+ list$`))
    const limited = await cli(there, word, 'write_file', ...given)
    expect(limited).toMatchObject({ code: 75, stdout: '' })
    expect(limited.last).toMatch(
      /^dev_user may call write_file 1 times in 60 s; that is used up\. Try again in (\d+) s\. sleep \1 && \S+approval\.js \w+ write_file --args '\{"path":"x","content":"y"\}'( --server tools)?$/,
    )
  })

  test('in Korean, too', async () => {
    const queue = await cli(there, 'request', 'execute_python', '--lang', 'ko')
    expect(queue.last).toMatch(/^1건이 대기 중이어서 한도\(1건\)가 찼습니다\. .*5초.*\. \S+ list$/)
    const limited = await cli(there, 'request', 'write_file', '--server', 'tools', '--lang', 'ko')
    expect(limited.last).toMatch(/^이 도구의 호출 한도\(60초에 1번\)를 다 썼습니다\. (\d+)초 뒤에 .*\. sleep \1 && /)
  })

  test('which --help tells', async () => {
    for (const word of ['request', 'call']) {
      expect((await cliHere(env, word, '--help')).stdout).toMatch(/^ {2}75 {2}refused for the moment/m)
    }
  })
})

describe('77, not permitted:', () => {
  test('a wrong token, however short', async () => {
    for (const APPROVAL_TOKEN of ['apv_wrong_wrong_wrong', 'wrong']) {
      const { code, last } = await cli({ ...env, APPROVAL_TOKEN }, 'list')
      expect(code).toBe(77)
      expect(last).toMatch(/^Unknown user or token\. \S+ users list --as admin_user$/)
    }
  })

  test("one's own request, whatever the role", async () => {
    const { stdout } = await cli(env, 'request', 'execute_python', ...args('mine'), '--no-wait', '--as', 'admin_user')
    expect(await cli(env, 'approve', stdout.trim(), '--reason', 'mine')).toMatchObject({ code: 77 })
  })

  test('a developer who would decide, and a guest who would ask', async () => {
    const { short_id } = await server.ask()
    expect((await cli(env, 'approve', short_id, '--reason', 'x', '--as', 'dev_user')).code).toBe(77)
    await cli(env, 'users', 'add', 'guest1', '--role', 'guest', '--save')
    expect((await cli(env, 'request', 'execute_python', '--as', 'guest1')).code).toBe(77)
  })

  test('no credentials at all: says how to get some', async () => {
    const own = temporaryFolder()
    const { code, last } = await cli({ ...environment(own.path), APPROVAL_URL: server.url }, 'list')
    own.remove()
    expect(code).toBe(77)
    expect(last).toContain('npm start')
  })
})

test('78, bad configuration: every problem is a line', async () => {
  const own = temporaryFolder()
  writeFileSync(join(own.path, '.env'), 'PORT=http\nwhat\n')
  const { code, stderr, last } = await cli({ ...environment(own.path), PORT: undefined }, 'list')
  own.remove()
  expect(code).toBe(78)
  expect(stderr).toContain('.env:2: not KEY=value')
  expect(last).toContain('PORT="http"')
})

test('78, too, when .env cannot be read at all', async () => {
  const { code, stdout, last } = await cli({ ...env, APPROVAL_ENV_FILE: dir.path }, 'list')
  expect([code, stdout]).toEqual([78, ''])
  expect(last).toMatch(/: EISDIR: .*\. npm run config -- compare$/)
})

test('143 when it is told to end, and nothing is left to restore', async () => {
  const deaf = createServer(() => undefined)
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
  const caller = startCli({ ...env, APPROVAL_URL: `http://127.0.0.1:${(deaf.address() as { port: number }).port}` }, [
    'list',
  ])
  await new Promise((resolve) => deaf.once('request', resolve))
  caller.child.kill('SIGTERM')
  expect(await caller.finished).toMatchObject({ code: 143, last: 'Interrupted (SIGTERM).' })
  deaf.closeAllConnections()
  deaf.close()
})
