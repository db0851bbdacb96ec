import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from './support/gateway.ts'
import { request, temporaryFolder, until, writeEnv } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
let last = 0
const fresh = () => ({ n: ++last })

let gateway: Gateway
let session: Record<string, string>
beforeAll(async () => {
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
  await until('the upstream is up', async () => (await gateway.tool('peek', {})).status === 200)
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
  const begin = { jsonrpc: '2.0', id: 0, method: 'initialize', params }
  const common = {
    Authorization: `Bearer ${gateway.tokens.dev_user}`,
    Accept: 'application/json, text/event-stream',
  }
  const { headers } = await request(`${gateway.url}/mcp`, 'POST', begin, common)
  session = { ...common, 'Mcp-Session-Id': headers.get('mcp-session-id')! }
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

const count = () => gateway.received().length
const rpc = (params: string) => `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`

describe('what two parsers could read differently reaches no tool, and asks nobody', () => {
  /** The text of a body, for each of the two ways in. */
  const bodies: [
    what: string,
    plain: string | Uint8Array,
    mcp: string | Uint8Array,
    headers?: Record<string, string>,
  ][] = [
    ['an argument twice', '{"n":1,"n":2}', rpc('{"name":"danger","arguments":{"n":1,"n":2}}')],
    [
      'an argument twice, once escaped',
      '{"n":1,"\\u006e":2}',
      rpc('{"name":"danger","arguments":{"n":1,"\\u006e":2}}'),
    ],
    ['the name of the tool twice', '{"arguments":{"n":1},"arguments":{}}', rpc('{"name":"danger","name":"peek"}')],
    [
      'the name twice, the harmless first',
      '{"n":1,"n":1}',
      rpc('{"name":"peek","n\\u0061me":"danger","arguments":{"n":1}}'),
    ],
    [
      'the parameters twice',
      '{"a":{"x":1,"x":1}}',
      rpc('{"name":"peek"},"params":{"name":"danger","arguments":{"n":1}}'),
    ],
    [
      'a number no double holds',
      '{"n":12345678901234567890}',
      rpc('{"name":"danger","arguments":{"n":12345678901234567890}}'),
    ],
    ['a number beyond all doubles', '{"n":1e999}', rpc('{"name":"danger","arguments":{"n":1e999}}')],
    [
      'a fraction no double holds',
      '{"n":0.10000000000000000001}',
      rpc('{"name":"danger","arguments":{"n":0.10000000000000000001}}'),
    ],
    [
      'half a surrogate pair',
      '{"n":1,"text":"\\ud800"}',
      rpc('{"name":"danger","arguments":{"n":1,"text":"\\ud800"}}'),
    ],
    ['a byte order mark', '\ufeff{"n":1}', `\ufeff${rpc('{"name":"danger","arguments":{"n":1}}')}`],
    ['two documents', '{"n":1}{"n":2}', `${rpc('{"name":"peek"}')}\n${rpc('{"name":"danger","arguments":{"n":1}}')}`],
    ['a comment', '{"n":1/**/}', rpc('{"name":"danger"/**/}')],
    ['a NUL at the end', '{"n":1}\u0000', `${rpc('{"name":"danger","arguments":{"n":1}}')}\u0000`],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from([0x7b, 0xff, 0x7d])],
    ['UTF-16', Buffer.from('{"n":1}', 'utf16le'), Buffer.from(rpc('{"name":"danger"}'), 'utf16le')],
    ...[
      'text/plain',
      'application/json; charset=utf-16',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json-seq',
      'text/json',
    ].map((type): (typeof bodies)[number] => [
      `the type ${type}`,
      '{"n":1}',
      rpc('{"name":"danger","arguments":{"n":1}}'),
      { 'Content-Type': type },
    ]),
    [
      'a compressed body',
      gzipSync('{"n":1}'),
      gzipSync(rpc('{"name":"danger","arguments":{"n":1}}')),
      { 'Content-Encoding': 'gzip' },
    ],
  ]

  test.each(bodies)('%s', async (_, plain, mcp, headers = {}) => {
    const before = count()
    const one = await request(`${gateway.url}/tools/danger/call?wait=0`, 'POST', plain, { ...session, ...headers })
    expect(one.status).toBeGreaterThanOrEqual(400)
    const other = await request(`${gateway.url}/mcp`, 'POST', mcp, { ...session, ...headers })
    expect(other.status === 200 ? other.json : 'refused').toMatch(/"isError":true|"error":|refused/)
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toEqual([])
  })

  test('a body in pieces, of a length that nobody announced, is the same body', async () => {
    const before = count()
    const pieces = async function* () {
      for (const piece of ['{"n":1,', '"n":', '2}']) yield Buffer.from(piece)
    }
    const init = {
      method: 'POST',
      body: pieces(),
      duplex: 'half',
      headers: { ...session, 'Content-Type': 'application/json' },
    }
    const answer = await fetch(`${gateway.url}/tools/danger/call?wait=0`, init as unknown as RequestInit)
    expect(answer.status).toBe(422)
    expect(count()).toBe(before)
  })

  test.each([
    ['beside a name', '{"name":"peek","arguments":{},"__proto__":{"name":"danger","arguments":{"n":1}}}', 1],
    ['instead of one', '{"arguments":{"n":1},"__proto__":{"name":"danger"}}', 0],
    ['as arguments', '{"name":"peek","__proto__":{"arguments":{"n":1}}}', 1],
  ])('__proto__ %s names no tool', async (_, params, runs) => {
    const before = count()
    await request(`${gateway.url}/mcp`, 'POST', rpc(params), session)
    const received = gateway.received().slice(before)
    expect(received).toHaveLength(runs)
    for (const run of received) expect(run).toMatchObject({ name: 'peek', arguments: {} })
    expect(await gateway.waiting()).toEqual([])
  })

  test('no header makes another method of it', async () => {
    const before = count()
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const override = {
        ...session,
        'X-HTTP-Method-Override': 'POST',
        'X-HTTP-Method': 'POST',
        'X-Method-Override': 'POST',
      }
      const answer = await request(`${gateway.url}/tools/peek/call`, method, undefined, override)
      expect(answer.status, method).toBe(405)
    }
    expect(count()).toBe(before)
  })
})

test.each(['no', '0', 'off', 'fasle', 'false;', '"false', ' f alse', 'disabled'])(
  'APPROVAL_WORKFLOW_ENABLED=%s, read while it runs, turns nothing off',
  async (value) => {
    const before = count()
    writeEnv(dir, `APPROVAL_WORKFLOW_ENABLED=${value}\n`)
    gateway.child.kill('SIGHUP')
    await until('it is said', async () => (await gateway.call('GET', '/health')).json.config.error !== null)
    expect((await gateway.tool('danger', fresh())).status).toBe(202)
    expect(count()).toBe(before)
    writeEnv(dir, '')
    gateway.child.kill('SIGHUP')
    await until('it is well', async () => (await gateway.call('GET', '/health')).json.config.error === null)
    await gateway.decide('reject')
  },
)
