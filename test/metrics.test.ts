import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NO_LIMIT, type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

const dir = temporaryFolder()
let server: RunningServer

beforeAll(async () => {
  server = await startServer(dir.path, NO_LIMIT)
})
afterAll(async () => {
  await server.kill('SIGKILL')
  dir.remove()
})

const metric = async (name: string): Promise<number> => {
  const text: string = (await server.call('GET', '/metrics')).json
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.split(' ').at(-1))
}
const total = (status: string) => metric(`approval_requests_total{status="${status}",level="CRITICAL"}`)

describe('/metrics', () => {
  test('counts each request once for what became of it, however often it is looked at or used', async () => {
    const { request_id, digest } = await server.ask()
    const soon = { tool_name: 'execute_python', arguments: { code: 'soon' }, timeout_seconds: 1 }
    const expiring = (await server.call('POST', '/api/approvals', soon, 'dev_user')).json.request_id
    expect((await server.call('POST', '/api/approvals', soon, 'dev_user')).status).toBe(200)
    const look = (id: string) => server.call('GET', `/api/approvals/${id}?wait=5`, undefined, 'dev_user')
    await until('it is expired', async () => (await look(expiring)).json.status === 'expired')
    for (let n = 0; n < 5; n++) await look(expiring)
    await server.call('POST', `/api/approvals/${request_id}/approve`, { reason: 'ok' })
    await server.call('POST', `/api/approvals/${request_id}/consume`, { digest }, 'dev_user')
    const counted = {
      pending: await total('pending'),
      approved: await total('approved'),
      expired: await total('expired'),
    }
    expect(counted).toEqual({ pending: 2, approved: 1, expired: 1 })
  })

  test('times the human, from the question to the answer, and nobody who did not answer', async () => {
    expect(await metric('approval_response_time_seconds_count')).toBe(1)
    const [before, { request_id, short_id }] = [await metric('approval_response_time_seconds_sum'), await server.ask()]
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await server.call('POST', `/api/approvals/${short_id}/reject`, { reason: 'no' })
    const { requested_at, responded_at } = (await server.call('GET', `/api/approvals/${request_id}`)).json
    const took = (Date.parse(responded_at) - Date.parse(requested_at)) / 1000
    expect(took).toBeGreaterThanOrEqual(1.5)
    expect((await metric('approval_response_time_seconds_sum')) - before).toBeCloseTo(took, 3)
  })
})
