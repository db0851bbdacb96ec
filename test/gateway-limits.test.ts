import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway, textOf } from './support/gateway.ts'
import { temporaryFolder, until, writeEnv } from './support/server.ts'

const dir = temporaryFolder()
let gateway: Gateway
let next = 0
const fresh = () => ({ n: next++ })

/** A developer of whom nothing is counted yet: no test depends on how long ago another one called. */
async function newUser(): Promise<string> {
  const user_id = `dev-${next++}`
  const { token } = (await gateway.call('POST', '/api/users', { user_id, role: 'developer' })).json
  Object.assign(gateway.tokens, { [user_id]: token })
  return user_id
}
const callAs =
  (user: string) =>
  (name: string, args: unknown, query = 'wait=0') =>
    gateway.tool(name, args, query, user)

/** A policy of the tools of the tests, in force when this returns. */
async function limit(limits: object, more: object = {}): Promise<void> {
  const tools = { peek: 'LOW', look: 'MEDIUM', danger: 'CRITICAL' }
  writeFileSync(join(dir.path, 'policy.json'), JSON.stringify({ tools, limits, ...more }))
  const loaded = async () => (await gateway.call('GET', '/health')).json.policy.loaded_at
  const before = await loaded()
  gateway.child.kill('SIGHUP')
  await until('the policy is loaded', async () => (await loaded()) !== before)
}

describe('calls within a limit', () => {
  beforeAll(async () => {
    gateway = await startGateway(dir.path, { env: { APPROVAL_MAX_PENDING: '50' } })
  })
  afterAll(async () => {
    await gateway?.kill('SIGTERM')
    dir.remove()
  })

  test('go through, and the next is told when to come back, over both ways, and nobody is asked', async () => {
    await limit({ peek: { per_minute: 2, burst: 1 }, danger: { per_minute: 1 } })
    const client = await gateway.client()
    expect((await gateway.tool('peek', fresh())).status).toBe(200)
    expect((await gateway.tool('peek', fresh())).status).toBe(200)
    expect(textOf(await client.callTool({ name: 'peek', arguments: fresh() }))).toBe('peek ran')
    const refused = await gateway.tool('peek', fresh())
    expect(refused.status).toBe(429)
    expect(refused.json).toMatchObject({ code: 'rate_limited', per_minute: 2, burst: 1 })
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBe(refused.json.retry_after)
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(60)
    const told = await client.callTool({ name: 'peek', arguments: fresh() })
    expect(told.isError).toBe(true)
    expect(textOf(told)).toMatch(/NOT RUN: dev_user may call peek 3 times in 60 s; .* Try again in \d+ s/)
    expect(gateway.received().filter(({ name }) => name === 'peek')).toHaveLength(3)
    // Each user and each tool is counted alone.
    expect((await gateway.tool('peek', fresh(), '', 'admin_user')).status).toBe(200)
    expect((await gateway.tool('look', fresh())).status).toBe(200)

    expect((await gateway.tool('danger', fresh())).status).toBe(202)
    expect((await gateway.tool('danger', fresh())).status).toBe(429)
    expect(await gateway.waiting()).toHaveLength(1)
    await gateway.decide('reject')
    await client.close()
  })

  test('do not count twice when they join, come back, are approved, or hear how it ended', async () => {
    const call = callAs(await newUser())
    await limit({ danger: { per_minute: 1 } })
    const args = fresh()
    const together = await Promise.all(Array.from({ length: 20 }, () => call('danger', args)))
    expect(together.map(({ status }) => status)).toEqual(Array(20).fill(202))
    expect(await gateway.waiting()).toHaveLength(1)
    expect((await call('danger', fresh())).status).toBe(429)
    expect((await call('danger', args)).status).toBe(202)
    // What a caller is told, only one who waits is told.
    const held = call('danger', args, 'wait=20')
    await until('it is held', async () => (await gateway.callers()) === 1)
    await gateway.decide('approve')
    expect((await held).status).toBe(200)
    expect((await call('danger', args)).status).toBe(429)
  })

  test('an approval that was given is used, whatever the limit', async () => {
    const call = callAs(await newUser())
    await limit({ danger: { per_minute: 1 } })
    const args = fresh()
    const asked = await call('danger', args)
    expect(asked.status).toBe(202)
    await gateway.decide('approve')
    expect((await call('danger', args)).status).toBe(200)
    expect((await call('danger', args)).status).toBe(429)
  })

  test('a call that was refused for another reason does not count', async () => {
    const call = callAs(await newUser())
    await limit({ unnamed: { per_minute: 1 }, danger: { per_minute: 10 } })
    expect((await call('unnamed', { n: 'no number' })).status).toBe(422)
    expect((await call('unnamed', { n: 'no number' })).status).toBe(422)
    expect((await call('unnamed', { n: 1 })).status).toBe(202)
    expect((await call('unnamed', { n: 2 })).status).toBe(429)
    await gateway.decide('reject', 'unnamed')
  })

  test('who asks without calling counts the same, and floods no approver', async () => {
    const user = await newUser()
    await limit({ danger: { per_minute: 2 }, peek: { per_minute: 1 } })
    const ask = (tool_name: string, args: object, as = user) =>
      gateway.call('POST', '/api/approvals', { tool_name, server: 'fake', arguments: args }, as)
    const [one, two] = [fresh(), fresh()]
    expect((await ask('danger', one)).status).toBe(201)
    expect((await ask('danger', two)).status).toBe(201)
    const refused = await ask('danger', fresh())
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited', per_minute: 2, burst: 0 } })
    expect(Number(refused.headers.get('retry-after'))).toBe(refused.json.retry_after)
    expect((await callAs(user)('danger', fresh())).status).toBe(429)
    expect(await gateway.waiting()).toHaveLength(2)
    // Joining asks nobody, nor does a tool that needs no approval.
    expect((await ask('danger', one)).status).toBe(200)
    expect((await callAs(user)('danger', one)).status).toBe(202)
    for (let n = 0; n < 3; n++) expect((await ask('peek', fresh())).json.status).toBe('not_required')
    // Taking it back gives back nothing: somebody was asked.
    for (const { request_id } of await gateway.waiting()) {
      expect((await gateway.call('POST', `/api/approvals/${request_id}/cancel`, {}, user)).status).toBe(200)
    }
    expect((await ask('danger', one)).status).toBe(429)
    expect((await ask('danger', fresh(), await newUser())).status).toBe(201)
    await gateway.decide('reject')
  })

  test('with the gate off every call counts, also the same one again', async () => {
    const call = callAs(await newUser())
    await limit({ danger: { per_minute: 5 } })
    const args = fresh()
    writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=false\n')
    await limit({ danger: { per_minute: 5 } })
    const ran = await Promise.all(Array.from({ length: 10 }, () => call('danger', args)))
    expect(ran.filter(({ status }) => status === 200)).toHaveLength(5)
    expect(ran.filter(({ status }) => status === 429)).toHaveLength(5)
  })

  test('RATE_LIMIT_ENABLED=false ends it at once', async () => {
    const call = callAs(await newUser())
    writeEnv(dir.path, 'RATE_LIMIT_ENABLED=false\n')
    await limit({ peek: { per_minute: 1 } })
    for (let n = 0; n < 5; n++) expect((await call('peek', fresh())).status).toBe(200)
    writeEnv(dir.path, '')
    await limit({ peek: { per_minute: 1 } })
    // What ran without a limit was not counted.
    expect((await call('peek', fresh())).status).toBe(200)
    expect((await call('peek', fresh())).status).toBe(429)
  })
})
