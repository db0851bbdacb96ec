import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../src/config.ts'
import { drill } from '../src/jobs/drill.ts'
import { realSystem } from '../src/system/real.ts'
import { type RunningServer, startServer, TSX, temporaryFolder } from './support/server.ts'

const kinds = (steps: Awaited<ReturnType<typeof drill>>) =>
  steps.map(({ step, problem }) => [step, problem?.kind ?? null])

describe('at a working desk', () => {
  const folder = temporaryFolder()
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer(folder.path)
  })
  afterAll(async () => {
    await server.kill('SIGTERM')
    folder.remove()
  })

  const target = (id = randomUUID()) => ({
    url: server.url,
    requesterToken: server.tokens.dev_user,
    approverToken: server.tokens.admin_user,
    id,
    timeoutMs: 30_000,
  })
  const canaries = async (id: string): Promise<Record<string, string>> => {
    const { json } = await server.call('GET', '/api/approvals?tool_name=ops-canary&limit=100')
    const own = json.approvals.filter((request: { request_data: string }) => request.request_data.includes(id))
    return Object.fromEntries(
      own.map((r: { request_data: string; status: string }) => [JSON.parse(r.request_data).step, r.status]),
    )
  }

  it('each canary goes its way, and none stays open', async () => {
    const id = randomUUID()
    const steps = await drill(realSystem, target(id))
    expect(kinds(steps)).toEqual([
      ['approve', null],
      ['reject', null],
      ['expire', null],
    ])
    for (const { ms } of steps) expect(ms).toBeGreaterThan(0)
    expect(await canaries(id)).toEqual({ approve: 'approved', reject: 'rejected', expire: 'expired' })
    expect((await server.call('GET', '/api/approvals/pending')).json.count).toBe(0)
  })

  it('a wrong token is told apart from a wrong desk', async () => {
    const stranger = await drill(realSystem, { ...target(), requesterToken: 'apv_nobody' })
    expect(kinds(stranger).map(([, kind]) => kind)).toEqual(['unauthenticated', 'unauthenticated', 'unauthenticated'])
  })

  it('a user who may not decide is named, and the canaries are taken back', async () => {
    const id = randomUUID()
    const steps = await drill(realSystem, { ...target(id), approverToken: server.tokens.dev_user })
    expect(kinds(steps).slice(0, 2)).toEqual([
      ['approve', 'role'],
      ['reject', 'role'],
    ])
    expect(await canaries(id)).toMatchObject({ approve: 'cancelled', reject: 'cancelled' })
  })

  it('kill -9 in the middle leaves nothing pending once its short deadline is over', async () => {
    const id = randomUUID()
    const program = `
      import { drill } from '${ROOT}/src/jobs/drill.ts'
      import { realSystem } from '${ROOT}/src/system/real.ts'
      const http = async (request) => {
        const result = await realSystem.http(request)
        process.stdout.write('asked\\n')
        return new Promise(() => setInterval(() => {}, 1000))
      }
      await drill({ http }, ${JSON.stringify(target(id))})`
    const file = join(folder.path, 'half-a-drill.mts')
    writeFileSync(file, program)
    const child = spawn(process.execPath, ['--import', TSX, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const settled = async () => Object.values(await canaries(id))
    await expect.poll(settled, { timeout: 30_000, interval: 500 }).not.toContain('pending')
    expect(await settled()).toContain('expired')
  })
})

describe('at a desk whose gate is off', () => {
  const folder = temporaryFolder()
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer(folder.path, { APPROVAL_WORKFLOW_ENABLED: 'false' })
  })
  afterAll(async () => {
    await server.kill('SIGTERM')
    folder.remove()
  })

  it('says that the door is open', async () => {
    const tokens = { requesterToken: server.tokens.dev_user, approverToken: server.tokens.admin_user }
    const steps = await drill(realSystem, { url: server.url, ...tokens, id: randomUUID(), timeoutMs: 30_000 })
    expect(kinds(steps).map(([, kind]) => kind)).toEqual(['bypassed', 'bypassed', 'bypassed'])
  })
})

describe('at a desk whose queue is full', () => {
  const folder = temporaryFolder()
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer(folder.path, { APPROVAL_MAX_PENDING: '1' })
    await server.ask()
  })
  afterAll(async () => {
    await server.kill('SIGTERM')
    folder.remove()
  })

  it('says that no new request is taken', async () => {
    const tokens = { requesterToken: server.tokens.dev_user, approverToken: server.tokens.admin_user }
    const steps = await drill(realSystem, { url: server.url, ...tokens, id: randomUUID(), timeoutMs: 30_000 })
    expect(kinds(steps).map(([, kind]) => kind)).toEqual(['queue_full', 'queue_full', 'queue_full'])
  })
})

describe('at something that is no working desk', () => {
  let server: Server
  let answer: (url: string) => { status: number; body: string } | null
  beforeEach(async () => {
    server = createServer((request, response) => {
      const { status, body } = answer(request.url ?? '') ?? {}
      if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const run = (timeoutMs = 30_000) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return drill(realSystem, { url, requesterToken: 'a', approverToken: 'b', id: randomUUID(), timeoutMs })
  }
  const id = randomUUID()

  it('an approval that the record does not confirm is found out', async () => {
    answer = (url) => {
      if (url.endsWith('/status')) return { status: 200, body: '{"status":"pending"}' }
      return {
        status: url === '/api/approvals' ? 201 : 200,
        body: JSON.stringify({ request_id: id, status: 'approved' }),
      }
    }
    expect((await run())[0]).toMatchObject({
      step: 'approve',
      ms: null,
      problem: { kind: 'wrong', detail: 'expected approved, the record says pending' },
    })
  })

  it('a late approval that is accepted is found out', async () => {
    answer = (url) => {
      if (url === '/api/approvals') return { status: 201, body: JSON.stringify({ request_id: id }) }
      return { status: 200, body: '{"status":"expired"}' }
    }
    expect((await run())[2]).toMatchObject({
      step: 'expire',
      problem: { kind: 'wrong', detail: 'expected HTTP 410, got HTTP 200 expired' },
    })
  })

  it('silence ends at the deadline', async () => {
    answer = () => null
    expect(kinds(await run(300)).map(([, kind]) => kind)).toEqual(['no_answer', 'no_answer', 'no_answer'])
  })

  it('an answer that is not JSON is wrong', async () => {
    answer = () => ({ status: 200, body: '<html>' })
    expect(kinds(await run()).map(([, kind]) => kind)).toEqual(['wrong', 'wrong', 'wrong'])
  })
})
