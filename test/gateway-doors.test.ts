import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DOORS } from './support/doors.ts'
import { type Gateway, POLICY, startGateway, writePolicy } from './support/gateway.ts'
import { temporaryFolder, until } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
const NAMES = Object.keys(DOORS)
const RAN = /danger ran/
const WAITS = /NOT RUN YET|"status":"pending"|input_required|is still pending/

/** Arguments nobody used before, so that no test meets the request of another. */
let last = 0
const fresh = () => ({ n: ++last })

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

const count = () => gateway.received().length

async function newUser(user_id: string): Promise<string> {
  return (await gateway.call('POST', '/api/users', { user_id, role: 'developer' })).json.token
}

async function rejectAll(): Promise<void> {
  const ids = (await gateway.waiting()).map(({ request_id }) => request_id)
  await gateway.call('POST', '/api/approvals/batch', { action: 'reject', ids, reason: 'enough' })
}

async function policyWith(tools: Readonly<Record<string, string>>): Promise<void> {
  const loaded = async () => (await gateway.call('GET', '/health')).json.policy.loaded_at
  const before = await loaded()
  writePolicy(dir, tools)
  gateway.child.kill('SIGHUP')
  await until('the policy is read', async () => (await loaded()) !== before)
}

describe.each(NAMES)('%s', (name) => {
  const open = DOORS[name]!

  test('runs what was approved, once, and nothing before', async () => {
    const [args, before, door] = [fresh(), count(), await open(gateway)]
    expect(await door.call('danger', args)).toMatch(WAITS)
    expect(count()).toBe(before)
    await gateway.decide('approve', 'danger')
    expect(await door.call('danger', args)).toMatch(RAN)
    expect(gateway.received().slice(before)).toEqual([expect.objectContaining({ name: 'danger', arguments: args })])
    expect(await door.call('danger', args)).toMatch(WAITS)
    expect(count()).toBe(before + 1)
    await rejectAll()
    await door.close()
  })

  test('takes no approval of other arguments, another tool, another user or another server', async () => {
    const [args, before, door] = [fresh(), count(), await open(gateway)]
    const stranger = await open(gateway, await newUser(`stranger-${last}`))
    await gateway.tool('danger', args)
    await gateway.decide('approve', 'danger')
    const ofNone = { tool_name: 'danger', arguments: fresh(), server: 'another' }
    await gateway.call('POST', '/api/approvals', ofNone, 'dev_user')
    await gateway.decide('approve', 'danger')
    const others = [
      { name: 'danger', args: fresh() },
      { name: 'danger', args: { ...args, text: '' } },
      { name: 'unnamed', args },
      { name: 'danger', args: ofNone.arguments },
    ]
    const told = await Promise.all(others.map((other) => door.call(other.name, other.args)))
    for (const answer of told) expect(answer).toMatch(WAITS)
    expect(await stranger.call('danger', args)).toMatch(WAITS)
    expect(count()).toBe(before)
    expect(await door.call('danger', args)).toMatch(RAN)
    expect(count()).toBe(before + 1)
    await rejectAll()
    await Promise.all([door.close(), stranger.close()])
  })

  test('knows a tool by its exact name alone', async () => {
    const [before, door] = [count(), await open(gateway)]
    for (const other of ['Danger', 'dаnger', 'ｄanger', 'danger\u200b', 'fake__danger']) {
      expect(await door.call(other, fresh()), other).toContain('no tool is named')
    }
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toEqual([])
    await door.close()
  })

  test('opened before the policy became stricter, it is no way around it', async () => {
    const door = await open(gateway)
    expect(await door.call('peek', fresh())).toMatch(/peek ran/)
    const before = count()
    await policyWith({ ...POLICY, peek: 'HIGH' })
    expect(await door.call('peek', fresh())).toMatch(WAITS)
    expect(count()).toBe(before)
    await policyWith(POLICY)
    await rejectAll()
    await door.close()
  })

  test('opened before its user was disabled, or before its token was replaced, it is shut', async () => {
    for (const [what, path] of [
      ['disabled', 'disable'],
      ['replaced', 'token'],
    ] as const) {
      const user = `${what}-${++last}`
      const door = await open(gateway, await newUser(user))
      const args = fresh()
      expect(await door.call('peek', args)).toMatch(/peek ran/)
      expect(await door.call('danger', args)).toMatch(WAITS)
      await gateway.decide('approve', 'danger')
      const before = count()
      expect((await gateway.call('POST', `/api/users/${user}/${path}`, {})).status).toBe(200)
      const told = [await door.call('danger', args), await door.call('peek', args)]
      expect(told.join(), what).not.toMatch(/ ran/)
      expect(count(), what).toBe(before)
      await door.close()
    }
  })
})

test('after a restart every way waits for what was asked before, and uses an approval once', async () => {
  const asked = NAMES.map((name) => ({ name, approved: fresh(), open: fresh() }))
  for (const { approved, open } of asked) {
    await gateway.tool('danger', approved)
    await gateway.decide('approve', 'danger')
    await gateway.tool('unnamed', open)
  }
  await gateway.kill('SIGTERM')
  const before = count()
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
  for (const { name, approved, open } of asked) {
    const door = await DOORS[name]!(gateway)
    expect(await door.call('unnamed', open), name).toMatch(WAITS)
    expect(await door.call('danger', approved), name).toMatch(RAN)
    expect(await door.call('danger', approved), name).toMatch(WAITS)
    await door.close()
  }
  const runs = gateway.received().slice(before)
  expect(runs.map((run) => run.arguments)).toEqual(asked.map(({ approved }) => approved))
  // Each of the second calls asked anew, none of the open ones did.
  expect(await gateway.waiting()).toHaveLength(2 * NAMES.length)
})
