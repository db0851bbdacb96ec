import { afterAll, beforeAll, expect, test } from 'vitest'
import { modernCall } from './support/bare-client.ts'
import { type Gateway, startGateway, textOf } from './support/gateway.ts'
import { temporaryFolder, until } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
let last = 0
const fresh = () => ({ n: ++last })

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway(dir, {
    env: { APPROVAL_MAX_PENDING: '1000', RATE_LIMIT_ENABLED: 'false', APPROVAL_HOLD: '250' },
  })
  await until('the upstream is up', async () => (await gateway.tool('peek', {})).status === 200)
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

const runsOf = ({ n }: { n: number }) => gateway.received().filter((run) => run.arguments?.n === n).length

async function rejectAll(): Promise<void> {
  for (;;) {
    const ids = (await gateway.waiting()).map(({ request_id }) => request_id).slice(0, 100)
    if (ids.length === 0) return
    await gateway.call('POST', '/api/approvals/batch', { action: 'reject', ids, reason: 'enough' })
  }
}

test('100 callers of the identical call over every protocol: one prompt, and as many runs as approvals', async () => {
  const args = fresh()
  const clients = await Promise.all(Array.from({ length: 4 }, () => gateway.client()))
  const waits = { timeout: 250_000 }
  const ask = [
    async () => JSON.stringify((await gateway.tool('danger', args, 'wait=250')).json),
    ...clients.map((client) => async () => textOf(await client.callTool({ name: 'danger', arguments: args }, waits))),
    async () => JSON.stringify((await modernCall(gateway, { name: 'danger', arguments: args })).json),
  ]
  let callers = 100
  for (let approvals = 1; approvals <= 3; approvals++) {
    const held = Array.from({ length: callers }, (_, n) => ask[n % ask.length]!())
    await until('all of them wait', async () => (await gateway.callers()) === callers)
    expect(await gateway.waiting()).toHaveLength(1)
    await gateway.decide('approve', 'danger')
    const told = await Promise.all(held)
    expect(told.filter((text) => text.includes('danger ran'))).toHaveLength(1)
    expect(told.filter((text) => /used by another, identical call/.test(text))).toHaveLength(callers - 1)
    expect(runsOf(args)).toBe(approvals)
    expect(await gateway.waiting()).toEqual([])
    callers--
  }
  await Promise.all(clients.map((client) => client.close()))
})

test('while 1,000 calls are held, those that need nobody are answered over every protocol, and none runs that waits', async () => {
  const args = Array.from({ length: 1000 }, fresh)
  const held = args.map((own) => gateway.tool('danger', own, 'wait=250'))
  await until('they all wait', async () => (await gateway.callers()) === 1000, 200)
  const client = await gateway.client()
  for (let n = 0; n < 20; n++) {
    const own = fresh()
    expect((await gateway.tool('peek', own)).status).toBe(200)
    expect(textOf(await client.callTool({ name: 'look', arguments: own }))).toBe('look ran')
    expect((await modernCall(gateway, { name: 'peek', arguments: own })).json.result.isError).toBeUndefined()
    expect(runsOf(own)).toBe(3)
  }
  expect(await gateway.callers()).toBe(1000)
  expect((await gateway.tool('danger', fresh())).json.code).toBe('queue_full')
  await rejectAll()
  for (const answer of await Promise.all(held)) expect(answer.json.approval_status).toBe('rejected')
  const ran = gateway.received().map((run) => run.arguments?.n)
  expect(args.filter(({ n }) => ran.includes(n))).toEqual([])
  await client.close()
})
