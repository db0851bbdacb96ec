import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DOORS } from './support/doors.ts'
import { type Gateway, startGateway } from './support/gateway.ts'
import { temporaryFolder, until } from './support/server.ts'

const WAITS = /NOT RUN YET|"status":"pending"|input_required|is still pending/
let last = 0
const hanging = () => ({ n: ++last, mode: 'hang' })
const runsOf = (gateway: Gateway, { n }: { n: number }) =>
  gateway.received().filter((run) => run.name !== undefined && run.arguments.n === n).length

describe('a tool server that is killed after the approval was used and before it answers', () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await startGateway(dir, { extra: ['--with-child'], env: { APPROVAL_HOLD: '1' } })
  })
  afterAll(async () => {
    await gateway.kill('SIGTERM')
    remove()
  })
  const pid = (): number => gateway.received().findLast((line) => 'child' in line).pid

  test.each(Object.keys(DOORS))('the caller of %s hears so, and nothing is sent twice', async (name) => {
    const door = await DOORS[name]!(gateway)
    const args = hanging()
    const { request_id, short_id } = (await gateway.tool('danger', args)).json
    await gateway.decide('approve', 'danger')
    const calling = door.call('danger', args)
    await until('it runs', () => runsOf(gateway, args) === 1)
    const killed = pid()
    process.kill(killed, 'SIGKILL')
    const told = await calling
    expect(told).toContain('whether it took effect is not known')
    expect(told).toContain(`the approval ${short_id} is used`)
    expect((await gateway.call('GET', `/api/approvals/${request_id}`)).json.consumed_at).not.toBeNull()
    await until('it was started again', () => pid() !== killed)
    await until('it answers', async () => (await gateway.tool('peek', {})).status === 200)
    expect(await door.call('danger', args)).toMatch(WAITS)
    expect(runsOf(gateway, args)).toBe(1)
    await gateway.decide('reject', 'danger')
    await door.close()
  })
})

test('a desk that is killed in the middle of an approved call sends nothing again when it is back', async () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
  const args = hanging()
  const { request_id } = (await gateway.tool('danger', args)).json
  await gateway.decide('approve', 'danger')
  const calling = gateway.tool('danger', args, '').catch(() => 'the connection broke')
  await until('it runs', () => runsOf(gateway, args) === 1)
  await gateway.kill('SIGKILL')
  expect(await calling).toBe('the connection broke')
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
  expect((await gateway.call('GET', `/api/approvals/${request_id}`)).json.consumed_at).not.toBeNull()
  expect((await gateway.tool('danger', args, `wait=0&request_id=${request_id}`)).json.code).toBe('consumed')
  expect((await gateway.tool('danger', args)).status).toBe(202)
  expect(runsOf(gateway, args)).toBe(1)
  await gateway.kill('SIGTERM')
  remove()
})
