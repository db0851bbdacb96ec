import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { steadyClock } from '../src/clock.ts'
import { loadConfig } from '../src/config.ts'
import { type Desk, openDesk } from '../src/desk.ts'
import { T0 } from './store-contract.ts'
import { environment, temporaryFolder } from './support/server.ts'

const HOUR = 3_600_000

describe('the steady clock', () => {
  let wall: number
  let monotonic: number
  const pass = (ms: number) => {
    wall += ms
    monotonic += ms
  }
  const clock = (notBefore?: number) =>
    steadyClock(
      () => wall,
      () => monotonic,
      notBefore,
    )

  beforeEach(() => {
    wall = T0
    monotonic = 5000
  })

  test('is the wall clock while that behaves', () => {
    const { now, behind } = clock()
    pass(1234)
    expect([now(), behind()]).toEqual([T0 + 1234, 0])
  })

  test('goes on at its own pace when the wall clock is set back, and says by how much', () => {
    const { now, behind } = clock()
    pass(1000)
    now()
    wall -= HOUR
    pass(500)
    expect([now(), behind()]).toEqual([T0 + 1500, HOUR])
  })

  test('follows a wall clock that is set forward, or a machine that slept', () => {
    const { now, behind } = clock()
    wall += HOUR
    expect([now(), behind()]).toEqual([T0 + HOUR, 0])
  })

  test('starts no earlier than an instant that has certainly passed', () => {
    const { now } = clock(T0 + 2000)
    pass(10)
    expect(now()).toBe(T0 + 2010)
  })
})

describe('a desk whose clock', () => {
  let dir: ReturnType<typeof temporaryFolder>
  let wall: number
  let desk: Desk
  let began: number

  beforeEach(() => {
    dir = temporaryFolder()
    wall = T0
    began = performance.now()
  })
  afterEach(async () => {
    await desk.close()
    dir.remove()
  })

  const quiet = { error: () => undefined, warn: () => undefined, info: () => undefined }
  async function open(): Promise<Record<string, string>> {
    const env = environment(dir.path)
    // It goes on like any clock: how far it is behind does not depend on how long the test takes.
    const clock = () => wall + Math.floor(performance.now() - began)
    desk = await openDesk({ config: loadConfig(env), env, wall: clock, log: quiet })
    const { readFileSync } = await import('node:fs')
    return JSON.parse(readFileSync(`${dir.path}/credentials.json`, 'utf8'))
  }
  async function call(token: string, path: string, body?: object) {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Host: 'localhost' }
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers }
    const answer = await desk.app.request(`http://localhost${path}`, init)
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const ask = { tool_name: 'execute_python', arguments: { code: '1' } }

  test('is set forward past the deadline: the request is expired, not decided', async () => {
    const { admin_user, dev_user } = await open()
    const { json } = await call(dev_user!, '/api/approvals', ask)
    wall += HOUR
    const late = await call(admin_user!, `/api/approvals/${json.request_id}/approve`, { reason: 'late' })
    expect([late.status, late.json.code]).toEqual([410, 'expired'])
  })

  test('is set back an hour: no deadline grows, and no answer is dated before its question', async () => {
    const { admin_user, dev_user } = await open()
    const { json } = await call(dev_user!, '/api/approvals', ask)
    wall -= HOUR
    const decided = await call(admin_user!, `/api/approvals/${json.request_id}/approve`, { reason: 'in time' })
    expect(Date.parse(decided.json.responded_at as string)).toBeGreaterThanOrEqual(T0)
    const again = await call(dev_user!, '/api/approvals', { ...ask, arguments: { code: '2' } })
    expect(Date.parse(again.json.requested_at as string)).toBeGreaterThanOrEqual(T0)
    expect((await call('', '/health')).json.clock_behind_seconds).toBe(3600)
  })

  test('was set back while the server was down: new events are not dated before old ones', async () => {
    const { dev_user } = await open()
    await call(dev_user!, '/api/approvals', ask)
    await desk.close()
    wall -= HOUR
    await open()
    const again = await call(dev_user!, '/api/approvals', { ...ask, arguments: { code: '2' } })
    expect(Date.parse(again.json.requested_at as string)).toBeGreaterThanOrEqual(T0)
  })
})
