import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { fake, type Gateway, startGateway, TOOLS, textOf, writeServers } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { alive, lines, startServer, temporaryFolder, until } from './support/server.ts'

describe('tool servers', () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway: Gateway
  let port: number
  let far: ChildProcess

  const startFar = async () => {
    const script = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
    const env = { ...process.env, PORT: String(port) }
    far = spawn(process.execPath, [script, 'streamableHttp'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    far.stderr!.on('data', (chunk) => (said += chunk))
    await until('the far one listens', () => /listening/i.test(said))
  }

  const stateOf = async (name: string) =>
    (await gateway.call('GET', '/health', undefined, null)).json.gateway.upstreams.find(
      (upstream: { name: string }) => upstream.name === name,
    )
  const isUp = (name: string) => until(`${name} is up`, async () => (await stateOf(name))?.status === 'up', 60)

  beforeAll(async () => {
    port = await freePort()
    await startFar()
    const servers = {
      missing: { command: 'no-such-program-anywhere' },
      silent: { url: 'http://127.0.0.1:1/mcp' },
      brief: { command: process.execPath, args: ['-e', 'process.exit(3)'] },
      shut: { command: 'sh', args: ['-c', 'exec <&-; sleep 0.2; exit 4'] },
      far: { url: `http://127.0.0.1:${port}/mcp` },
    }
    const policy = { peek: 'LOW', 'get-sum': 'LOW' }
    gateway = await startGateway(dir, { servers, policy, extra: ['--with-child', '--deaf'] })
    await isUp('fake')
    await isUp('far')
  })
  afterAll(async () => {
    far.kill('SIGKILL')
    await gateway.kill('SIGKILL')
    for (const { child, pid } of gateway.received().filter((line) => 'child' in line)) {
      for (const left of [child, pid]) if (alive(left)) process.kill(left, 'SIGKILL')
    }
    remove()
  })
  const pids = (): { child: number; pid: number } => gateway.received().findLast((line) => 'child' in line)

  test('inherit PATH, HOME, LANG and what mcp.json gives them, and run beside it', async () => {
    const env = JSON.parse(textOf((await gateway.tool('peek', { mode: 'env' })).json))
    const { cwd, ...keys } = env
    expect(cwd).toBe(dir)
    const allowed = ['PATH', 'HOME', 'LANG', 'GIVEN']
    expect(Object.keys(keys).filter((key) => !allowed.includes(key))).toEqual([])
    expect(keys).toMatchObject({ PATH: process.env.PATH, GIVEN: 'by mcp.json' })
  })

  test('what they write to stderr is in the log, without its secrets', async () => {
    const log = () => lines(join(dir, 'server.log')).filter((line) => line.includes('fake upstream'))
    await until('it is there', () => log().length > 0)
    expect(log().join()).not.toContain('very-secret-value')
  })

  test('one that cannot be started is said to be down, with the reason, and the others work', async () => {
    await until('it is down', async () => (await stateOf('missing')).status === 'down')
    expect((await stateOf('missing')).error).toContain('no-such-program-anywhere cannot be started')
    await until('so is the other', async () => (await stateOf('silent')).status === 'down')
    expect((await stateOf('silent')).error).toBe('fetch failed (ECONNREFUSED)')
    for (const [name, code] of [
      ['brief', 3],
      ['shut', 4],
    ] as const) {
      await until(`${name} has ended`, async () => (await stateOf(name)).status === 'down')
      expect((await stateOf(name)).error).toBe(`it ended with code ${code}`)
    }
    expect((await gateway.tool('nope', {})).json.detail).toContain('not available now: missing')
    expect((await gateway.tool('peek', {})).status).toBe(200)
  })

  test('one that runs elsewhere is reached over HTTP, and found again after it was away', async () => {
    const sum = () => gateway.tool('get-sum', { a: 1, b: 2 })
    expect(textOf((await sum()).json)).toContain('3')
    far.kill('SIGKILL')
    await until('it is missed', async () => (await sum()).json.code === 'upstream_unavailable')
    await startFar()
    await isUp('far')
    expect(textOf((await sum()).json)).toContain('3')
  })

  test('one that dies in a call is started again; until then nothing runs and no approval is used', async () => {
    const { request_id } = (await gateway.tool('danger', { n: 1 })).json
    await gateway.decide('approve', 'danger')
    const before = pids()
    const died = await gateway.tool('peek', { mode: 'die' })
    expect(died).toMatchObject({ status: 502, json: { code: 'upstream_error' } })
    expect(died.json.detail).toContain('whether it took effect is not known')
    const meanwhile = await gateway.tool('danger', { n: 1 })
    if (meanwhile.status !== 200) {
      expect(meanwhile).toMatchObject({ status: 503, json: { code: 'upstream_unavailable' } })
      expect(meanwhile.headers.get('retry-after')).not.toBeNull()
    }
    await until('it was started again', () => pids().pid !== before.pid)
    await isUp('fake')
    if (meanwhile.status !== 200) expect((await gateway.tool('danger', { n: 1 })).status).toBe(200)
    expect((await gateway.call('GET', `/api/approvals/${request_id}`)).json.consumed_at).not.toBeNull()
    expect(gateway.received().filter(({ name }) => name === 'danger')).toHaveLength(1)
    await until('what it had started is gone', () => !alive(before.child))
  })

  test('one that dies in an approved call uses the approval up, and the caller is told so', async () => {
    const args = { n: 7, mode: 'die' }
    const { request_id, short_id } = (await gateway.tool('danger', args)).json
    await gateway.decide('approve', 'danger')
    const died = await gateway.tool('danger', args)
    expect(died).toMatchObject({ status: 502, json: { code: 'upstream_error', request_id } })
    expect(died.json.detail).toContain(`the approval ${short_id} is used. The same call asks anew`)
    await isUp('fake')
    const anew = await gateway.tool('danger', args)
    expect(anew.status).toBe(202)
    expect(anew.json.request_id).not.toBe(request_id)
    await gateway.decide('reject', 'danger')
    expect(gateway.received().filter((run) => run.arguments?.n === 7)).toHaveLength(1)
  })

  test('mcp.json is read again on SIGHUP: new ones start, others end, and a broken edit changes nothing', async () => {
    const { pid, child } = pids()
    writeFileSync(join(dir, 'mcp.json'), '{"mcpServers":{"x":{"command":7}}}')
    gateway.child.kill('SIGHUP')
    const problem = async () => (await gateway.call('GET', '/health', undefined, null)).json.gateway.error
    await until('it is said', async () => (await problem()) !== null)
    expect(await problem()).toMatch(/mcp\.json: mcpServers\.x\.command: /)
    expect((await gateway.tool('peek', {})).status).toBe(200)
    gateway.offer([{ ...TOOLS[1], name: 'new_tool' }], 'second')
    writeServers(dir, { second: fake(dir, 'second', ['--with-child']) })
    gateway.child.kill('SIGHUP')
    await until('it ended', () => !alive(pid) && !alive(child))
    expect(await problem()).toBeNull()
    await isUp('second')
    expect((await gateway.tool('new_tool', {})).status).toBe(202)
    expect((await gateway.tool('peek', {})).status).toBe(404)
  })

  test('who calls a name that several have since a reload is told the names that it has now', async () => {
    gateway.offer([{ ...TOOLS[1], name: 'new_tool' }], 'third')
    writeServers(dir, { second: fake(dir, 'second', ['--with-child']), third: fake(dir, 'third') })
    gateway.child.kill('SIGHUP')
    await until('it is another name', async () => (await gateway.tool('third__new_tool', {})).status === 202)
    const { status, json } = await gateway.tool('new_tool', {})
    expect(status).toBe(404)
    expect(json.detail).toContain('it is offered as second__new_tool, third__new_tool')
  })

  test('they end with the server, whatever they have started', async () => {
    const { pid, child } = gateway.received('second').find((line) => 'child' in line)
    expect(alive(pid) && alive(child)).toBe(true)
    expect(await gateway.kill('SIGTERM')).toBe(0)
    expect(alive(pid)).toBe(false)
    // Whoever inherits it notices a moment later.
    await until('its child is gone', () => !alive(child))
  })
})

test('the server does not start with an mcp.json that it cannot read, and says what is wrong with it', async () => {
  const { path: dir, remove } = temporaryFolder()
  writeServers(dir, { a__b: { url: 'nowhere' } })
  await expect(startServer(dir, { MCP_CONFIG_PATH: join(dir, 'mcp.json') })).rejects.toThrow(
    /mcp\.json: mcpServers\.a__b: .*mcpServers\.a__b\.url: must be an http/,
  )
  remove()
})

test('a tool that came while the first list was being read is there for a call, though nobody lists', async () => {
  const { path: dir, remove } = temporaryFolder()
  const gateway = await startGateway(dir, { extra: ['--changes-early'], policy: { late: 'LOW' } })
  await until('it is there', async () => (await gateway.tool('late', {})).status === 200)
  await gateway.kill('SIGTERM')
  remove()
})

test('a tool server that is being ended gets no call any more: the approval stays unused', async () => {
  const { path: dir, remove } = temporaryFolder()
  // It does not listen when it is told to end, so that this takes a while.
  const gateway = await startGateway(dir, { extra: ['--with-child', '--deaf'], policy: {} })
  onTestFinished(async () => {
    await gateway.kill('SIGTERM')
    remove()
  })
  const held = gateway.tool('danger', { n: 1 }, 'wait=30')
  await until('it is held', async () => (await gateway.callers()) === 1)
  writeServers(dir, {})
  gateway.child.kill('SIGHUP')
  const upstreams = async () => (await gateway.call('GET', '/health', undefined, null)).json.gateway.upstreams
  await until('it is none of ours any more', async () => (await upstreams()).length === 0)
  const id = await gateway.decide('approve')
  const told = await held
  expect(told).toMatchObject({ status: 503, json: { code: 'upstream_unavailable' } })
  expect(told.json.detail).toContain('it is being ended')
  expect((await gateway.call('GET', `/api/approvals/${id}`)).json.consumed_at).toBeNull()
  expect(gateway.received().filter(({ name }) => name === 'danger')).toEqual([])
})
