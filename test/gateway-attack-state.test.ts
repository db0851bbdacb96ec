import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ModernCall, modernCall } from './support/bare-client.ts'
import { type Gateway, startGateway } from './support/gateway.ts'
import { temporaryFolder } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
let last = 0
const fresh = () => ({ n: ++last })

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
  const { token } = (await gateway.call('POST', '/api/users', { user_id: 'other', role: 'developer' })).json
  Object.assign(gateway.tokens, { other: token })
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

const count = () => gateway.received().length

describe('a complete envelope of the newest revision, with a state that nobody gave the caller', () => {
  /** A request that was approved and not used. */
  async function approved(name: string, args: object, as = 'dev_user'): Promise<string> {
    const { request_id } = (await gateway.tool(name, args, 'wait=0', as)).json
    await gateway.decide('approve', name)
    return request_id
  }
  const told = async (params: ModernCall) => JSON.stringify((await modernCall(gateway, params)).json)

  test.each<[string, () => Promise<ModernCall>, RegExp]>([
    [
      'of another user’s identical call',
      async () => {
        const args = fresh()
        return { name: 'danger', arguments: args, requestState: `${await approved('danger', args, 'other')} 1` }
      },
      /not_found/,
    ],
    [
      'of another user’s, shown to somebody who sees all',
      async () => {
        const args = fresh()
        return {
          as: 'admin_user',
          name: 'danger',
          arguments: args,
          requestState: `${await approved('danger', args)} 1`,
        }
      },
      /"code":"role"/,
    ],
    [
      'of a call with other arguments',
      async () => ({ name: 'danger', arguments: fresh(), requestState: `${await approved('danger', fresh())} 1` }),
      /digest_mismatch/,
    ],
    [
      'of another tool',
      async () => {
        const args = fresh()
        return { name: 'unnamed', arguments: args, requestState: `${await approved('danger', args)} 1` }
      },
      /digest_mismatch/,
    ],
    [
      'of a gated tool, for one that is not',
      async () => {
        const args = fresh()
        return { name: 'peek', arguments: args, requestState: `${await approved('danger', args)} 1` }
      },
      /digest_mismatch/,
    ],
    [
      'that names no request',
      async () => ({ name: 'danger', arguments: fresh(), requestState: `${'-'.repeat(36)} 1` }),
      /not_found/,
    ],
  ])('%s: refused', async (_, params, why) => {
    const asked = await params()
    const before = count()
    expect(await told(asked)).toMatch(why)
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toEqual([])
  })

  test.each(['0', '9', '999', '1e3', '-1'])('with %s rounds behind it: it waits all the same', async (rounds) => {
    const [args, before] = [fresh(), count()]
    const { request_id } = (await gateway.tool('danger', args)).json
    const answer = await told({ name: 'danger', arguments: args, requestState: `${request_id} ${rounds}` })
    expect(answer).toMatch(/input_required|NOT RUN YET/)
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toHaveLength(1)
    await gateway.decide('reject')
  })

  test('its own, twice: it runs once', async () => {
    const [args, before] = [fresh(), count()]
    const own = { name: 'danger', arguments: args, requestState: `${await approved('danger', args)} 1` }
    const both = await Promise.all([told(own), told(own)])
    both.push(await told(own))
    expect(both.filter((answer) => answer.includes('danger ran'))).toHaveLength(1)
    expect(both.filter((answer) => answer.includes('"code":"consumed"'))).toHaveLength(2)
    expect(gateway.received().slice(before)).toEqual([{ name: 'danger', arguments: args }])
    expect(await gateway.waiting()).toEqual([])
  })

  test.each([
    ['another tool', { 'Mcp-Name': 'peek' }],
    ['another method', { 'Mcp-Method': 'tools/list' }],
    ['another revision', { 'Mcp-Protocol-Version': '2025-06-18' }],
  ])('whose headers name %s: refused', async (_, headers) => {
    const before = count()
    expect(await told({ name: 'danger', arguments: fresh(), headers })).toMatch(/-32020|-32602|-32600/)
    expect(count()).toBe(before)
    expect(await gateway.waiting()).toEqual([])
  })
})
