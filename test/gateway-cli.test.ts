import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPump } from '../src/cli/gateway-pump.ts'
import { cliHere, startCli } from './support/cli.ts'
import { type Gateway, startGateway } from './support/gateway.ts'
import { temporaryFolder, until } from './support/server.ts'

describe('approval call', () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway: Gateway
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
    env = { ...gateway.env, PORT: new URL(gateway.url).port }
  })
  afterAll(async () => {
    await gateway.kill('SIGTERM')
    remove()
  })
  const call = (...args: string[]) => cliHere(env, 'call', ...args)
  const runs = (n: number) => gateway.received().filter((run) => run.arguments?.n === n)

  test('0: a tool that needs no approval runs, and its text is the output', async () => {
    const { code, stdout, stderr } = await call('peek', '--args', '{"n":1}')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'peek ran\nembedded\n' })
    expect(stderr).toContain('[image image/png: --format json has it]')
    const raw = await startCli(env, ['call', 'peek', '--args', '{"n":1}', '--format', 'json']).finished
    expect(JSON.parse(raw.stdout).vendor).toEqual({ kept: [1, 2, { deep: null }] })
  })

  test('0: a tool that has nothing to say ran', async () => {
    expect(await call('peek', '--args', '{"mode":"nothing","n":60}')).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const raw = await call('peek', '--args', '{"mode":"nothing","n":60}', '--format', 'json')
    expect(raw).toMatchObject({ code: 0, stdout: '{}\n' })
    expect(runs(60)).toHaveLength(2)
  })

  test('0: it waits past the hold, and the approved call runs once', async () => {
    const waiting = startCli(env, ['call', 'danger', '--args', '{"n":2}', '--reason', 'a release'])
    await waiting.sees('waiting for a decision')
    await until('the hold is over twice', async () => {
      const [request] = (await gateway.call('GET', '/api/approvals/pending')).json.pending_approvals
      return request.seconds_until_expiry < 297 && request.reason === 'a release'
    })
    await gateway.decide('approve', 'danger')
    const { code, stdout, stderr } = await waiting.finished
    expect(code).toBe(0)
    expect(stdout).toBe('danger ran\nembedded\n')
    expect(stderr).toContain('approved by admin_user: approve it')
    expect(runs(2)).toHaveLength(1)
  })

  test('1: rejected, with who and why; 2: cancelled', async () => {
    const rejected = startCli({ ...env, OPS_LANG: 'ko' }, ['call', 'danger', '--args', '{"n":3}'])
    await gateway.decide('reject', 'danger')
    const { code, stderr } = await rejected.finished
    expect(code).toBe(1)
    expect(stderr).toContain('admin_user님이 거부: reject it')
    const cancelled = startCli(env, ['call', 'danger', '--args', '{"n":3}'])
    await until('it waits', async () => (await gateway.waiting()).length === 1)
    const id = (await gateway.waiting())[0]!.request_id
    await gateway.call('POST', `/api/approvals/${id}/cancel`, {}, 'dev_user')
    expect((await cancelled.finished).code).toBe(2)
    expect(runs(3)).toEqual([])
  })

  test('3: interrupted, the last line resumes: the same request, approved meanwhile, runs', async () => {
    const first = startCli(env, ['call', 'danger', '--args', `{"n":4,"text":"it's"}`, '--reason', 'a release'])
    await first.sees('waiting for a decision')
    first.child.kill('SIGINT')
    const { code, last } = await first.finished
    expect(code).toBe(3)
    expect(last).toMatch(
      /is still pending\. \S+ call danger --args '\{"n":4,"text":"it'\\''s"\}' --reason 'a release'$/,
    )
    await gateway.decide('approve', 'danger')
    expect(runs(4)).toEqual([])
    const resumed = await call('danger', '--args', `{"n":4,"text":"it's"}`)
    expect(resumed).toMatchObject({ code: 0, stdout: 'danger ran\nembedded\n' })
    expect(runs(4)).toHaveLength(1)
  })

  test('130: interrupted while the tool runs, it does not let the caller believe that nothing ran', async () => {
    const running = startCli(env, ['call', 'peek', '--args', '{"mode":"hang","n":61}'])
    await until('it runs', () => runs(61).length === 1)
    running.child.kill('SIGINT')
    const { code, last } = await running.finished
    expect(code).toBe(130)
    expect(last).toMatch(/^Interrupted \(SIGINT\) before the answer came; .+ is not known\. \S+ list --all$/)
  })

  test('4: the tool ran and failed, in its own words or with an error of the protocol', async () => {
    expect(await call('peek', '--args', '{"mode":"fail"}')).toMatchObject({ code: 4, stdout: 'it went wrong\n' })
    const { code, last } = await call('peek', '--args', '{"mode":"error"}')
    expect(code).toBe(4)
    expect(last).toBe('The call failed: fake answers: an error of its own.')
  })

  test('tools lists what can be called, where it is and what it takes', async () => {
    const { code, stdout, stderr } = await cliHere(env, 'tools')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      'TOOL     SERVER  LEVEL     DESCRIPTION',
      'danger   fake    CRITICAL  needs a yes',
      'look     fake    MEDIUM',
      'peek     fake    LOW',
      'unnamed  fake    HIGH',
      '',
    ])
    const { tools, not_up } = JSON.parse((await cliHere(env, 'tools', '--json')).stdout)
    expect(tools[0]).toEqual({ name: 'danger', server: 'fake', level: 'CRITICAL', description: 'needs a yes' })
    expect([tools.length, not_up]).toEqual([4, []])
    expect((await gateway.call('GET', '/tools', undefined, null)).status).toBe(401)
  })

  test('64: no such tool, wrong arguments; 77: no right to it; 69: no server', async () => {
    const unknown = await call('Peek')
    expect(unknown).toMatchObject({ code: 64, last: expect.stringContaining('no tool is named "Peek"') })
    expect(unknown.last).toMatch(/\. \S*approval\S* tools$/)
    expect((await call('danger', '--args', '{"n":"x"}')).code).toBe(64)
    expect((await call('danger', '--args', '[1]')).code).toBe(64)
    expect((await call('peek', '--format', 'table')).code).toBe(64)
    const { token } = (await gateway.call('POST', '/api/users', { user_id: 'visitor', role: 'guest' })).json
    const guest = { ...env, APPROVAL_TOKEN: token }
    expect((await cliHere(guest, 'call', 'danger', '--args', '{"n":5}')).code).toBe(77)
    expect((await cliHere({ ...env, PORT: '1' }, 'call', 'peek')).code).toBe(69)
    expect(runs(5)).toEqual([])
  })

  test('approval gateway: what is no message is answered as the protocol has it', async () => {
    const { code, stdout } = await startCli(env, ['gateway'], 'not json\n').finished
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ id: null, error: { code: -32700 } })
  })

  test('approval gateway: what is JSON and no message is answered, and the next line is heard', async () => {
    const lines = ['null', '5', '[]', '{}', '{"id":3}', '[[]]', '{"jsonrpc":"2.0","id":9,"method":"ping"}']
    const { code, stdout } = await startCli(env, ['gateway'], `${lines.join('\n')}\n`).finished
    expect(code).toBe(0)
    const refused = stdout.split('\n').slice(0, 6)
    for (const line of refused) expect(JSON.parse(line)).toMatchObject({ id: null, error: { code: -32600 } })
  })

  test('approval gateway: each request of a batch is answered', async () => {
    const said: { id?: unknown; result?: object }[] = []
    const left = new AbortController()
    const token = gateway.tokens.dev_user!
    const write = (line: string) => void said.push(JSON.parse(line))
    const pump = createPump({ url: gateway.url, token, write, signal: left.signal })
    const ping = (id: string) => ({ jsonrpc: '2.0', id, method: 'ping' })
    const clientInfo = { name: 'old', version: '1' }
    const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo }
    await pump.send(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }))
    await pump.send(JSON.stringify([ping('a'), { jsonrpc: '2.0', method: 'notifications/initialized' }, ping('b')]))
    await until('both are answered', () => ['a', 'b'].every((id) => said.some((one) => one.id === id && one.result)))
    left.abort()
    await pump.close()
  })
})
