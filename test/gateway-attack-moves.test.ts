import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fake, type Gateway, startGateway, writeServers } from './support/gateway.ts'
import { alive, temporaryFolder, until } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
const schema = { type: 'object', properties: { n: { type: 'number' } } }
const named = (...names: string[]) => names.map((name) => ({ name, inputSchema: schema }))
let last = 0
const fresh = () => ({ n: ++last })

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway(dir, {
    ...{ upstreams: ['a', 'b'], policy: { ping: 'LOW' }, extra: ['--with-child'] },
  })
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

const runs = () => ['a', 'b'].map((server) => gateway.received(server).filter(({ name }) => name !== undefined))
const count = () => runs().flat().length
const pid = (server: string): number => gateway.received(server).findLast((line) => 'child' in line).pid

/** What both offer, seen by the gateway when this returns. */
async function offers(a: readonly object[], b: readonly object[]): Promise<void> {
  gateway.offer(a, 'a')
  gateway.offer(b, 'b')
  const client = await gateway.client()
  await client.listTools()
  await client.close()
}

async function approved(name: string, args: object): Promise<string> {
  const { request_id } = (await gateway.tool(name, args)).json
  await gateway.decide('approve')
  return request_id
}

async function rejectAll(): Promise<void> {
  const ids = (await gateway.waiting()).map(({ request_id }) => request_id)
  await gateway.call('POST', '/api/approvals/batch', { action: 'reject', ids, reason: 'enough' })
}

describe('between the approval and its use', () => {
  test('a tool moves to another server: nothing runs there, and the approval stays with the first', async () => {
    await offers(named('x'), named('y'))
    const [args, before] = [fresh(), count()]
    const request_id = await approved('x', args)
    await offers(named('z'), named('x'))
    expect((await gateway.tool('x', args, `wait=0&request_id=${request_id}`)).json.code).toBe('digest_mismatch')
    expect(await gateway.tool('x', args)).toMatchObject({ status: 202, json: { server: 'b' } })
    expect(count()).toBe(before)
    await offers(named('x'), named('y'))
    expect((await gateway.tool('x', args)).status).toBe(200)
    expect(runs()[0]!.at(-1)).toEqual({ name: 'x', arguments: args })
    expect(count()).toBe(before + 1)
    await rejectAll()
  })

  test('another server takes the same name: only the first, under its longer name, runs the call', async () => {
    await offers(named('x'), named('y'))
    const [args, before] = [fresh(), count()]
    const request_id = await approved('x', args)
    await offers(named('x'), named('x'))
    expect((await gateway.tool('x', args)).status).toBe(404)
    expect(await gateway.tool('b__x', args)).toMatchObject({ status: 202, json: { server: 'b', tool_name: 'x' } })
    expect((await gateway.tool('b__x', args, `wait=0&request_id=${request_id}`)).json.code).toBe('digest_mismatch')
    expect(count()).toBe(before)
    expect((await gateway.tool('a__x', args)).status).toBe(200)
    expect(runs()[0]!.at(-1)).toEqual({ name: 'x', arguments: args })
    expect(count()).toBe(before + 1)
    await rejectAll()
  })

  test('the other server goes, and the first calls a tool of its own by the longer name: that one needs its own', async () => {
    await offers(named('x'), named('x'))
    const [args, before] = [fresh(), count()]
    const request_id = await approved('a__x', args)
    await offers(named('x'), named('a__x'))
    const other = await gateway.tool('a__x', args)
    expect(other).toMatchObject({ status: 202, json: { server: 'b', tool_name: 'a__x' } })
    expect((await gateway.tool('a__x', args, `wait=0&request_id=${request_id}`)).json.code).toBe('digest_mismatch')
    expect(count()).toBe(before)
    expect((await gateway.tool('x', args)).status).toBe(200)
    expect(runs()[0]!.at(-1)).toEqual({ name: 'x', arguments: args })
    await rejectAll()
  })

  test('a server renames the tool, or exchanges it with another one: the name that was approved is what it gets', async () => {
    await offers(named('x', 'other'), named('y'))
    const [args, before] = [fresh(), count()]
    const request_id = await approved('x', args)
    const swapped = [
      { ...named('x')[0], description: 'what other was' },
      { ...named('other')[0], description: 'what x was' },
    ]
    await offers(swapped, named('y'))
    expect((await gateway.tool('other', args, `wait=0&request_id=${request_id}`)).json.code).toBe('digest_mismatch')
    expect((await gateway.tool('other', args)).status).toBe(202)
    await offers(named('renamed'), named('y'))
    expect((await gateway.tool('renamed', args, `wait=0&request_id=${request_id}`)).json.code).toBe('digest_mismatch')
    expect((await gateway.tool('x', args, `wait=0&request_id=${request_id}`)).status).toBe(404)
    expect(count()).toBe(before)
    await rejectAll()
  })

  test('mcp.json gives the server’s name to another program: a call that was held runs nothing', async () => {
    await offers(named('x'), named('y'))
    const [args, before] = [fresh(), count()]
    const held = gateway.tool('x', args, 'wait=30')
    await until('it is held', async () => (await gateway.callers()) === 1)
    writeServers(dir, { a: { ...fake(dir, 'a'), env: { ANOTHER: 'program' } }, b: fake(dir, 'b', ['--with-child']) })
    const was = pid('a')
    gateway.child.kill('SIGHUP')
    await until('the first has ended', () => !alive(was))
    await gateway.decide('approve')
    expect(await held).toMatchObject({ status: 503, json: { code: 'upstream_unavailable' } })
    expect(count()).toBe(before)
  })
})

test('a list that is still being read when the tools change does not outlive the change', async () => {
  await offers(named('old', 'ping', 'more'), named('y'))
  const hold = join(dir, 'a.tools.hold')
  writeFileSync(hold, '')
  const client = await gateway.client()
  const reading = client.listTools()
  await until('its second page is waited for', () => gateway.received('a').at(-1)?.held !== undefined)
  gateway.offer(named('ping'), 'a')
  await gateway.tool('ping', { mode: 'announce' })
  await gateway.tool('ping', {})
  unlinkSync(hold)
  await reading
  await until('the old tool is gone', async () => (await gateway.tool('old', { n: 'no number' })).status === 404)
  await client.close()
})
