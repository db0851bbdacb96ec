import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { checkServer } from '../src/jobs/check-server.ts'
import { realSystem } from '../src/system/real.ts'
import type { System } from '../src/system/system.ts'

const NOW = '2026-11-22T00:00:00.000Z'
const HEALTH = {
  status: 'ok',
  service: 'approval-ops',
  version: '0.1.0',
  pid: 4120,
  started_at: NOW,
  now: NOW,
  uptime_seconds: 61,
  gate: { configured: true, effective: true, disabled_until: null },
  rbac: true,
  trust_user_header: false,
  policy: { path: '/srv/policy.json', loaded_at: NOW, error: null },
  config: { loaded_at: NOW, error: null, effective: {} },
  open: 0,
  max_pending: 50,
  store: { ok: true },
  clock_behind_seconds: 0,
}

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

/** Answers as they are, but as quick as if this machine had nothing else to do. */
const quick: System = { ...realSystem, http: async (request) => ({ ...(await realSystem.http(request)), ms: 1 }) }

/** What the check says of a server that answers like this. */
async function seen(answer: RequestListener, deadline = 20_000, system = quick) {
  server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const checked = await checkServer(system, url, () => Date.parse(NOW), deadline)
  // Whatever is wrong, somebody has to know what to type.
  if (checked.finding.state !== 'ok') expect(checked.finding.next_command).toMatch(/^(npm run|grep) /)
  return checked
}

const json =
  (body: unknown, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

describe('the three probes', () => {
  it('pass a server that answers as it should', async () => {
    let asked = 0
    const { finding, health } = await seen((request, response) => {
      asked++
      json(HEALTH)(request, response)
    })
    expect(asked).toBe(3)
    expect(health?.pid).toBe(4120)
    expect(finding).toMatchObject({ check: 'server', state: 'ok', code: 'answers', facts: { uptime_ms: 61_000 } })
  })

  it('let a newer server say more', async () => {
    expect((await seen(json({ ...HEALTH, moon: 'full' }))).finding.state).toBe('ok')
  })

  it('tell a slow server', async () => {
    const late: RequestListener = (request, response) => void setTimeout(() => json(HEALTH)(request, response), 700)
    const { finding } = await seen(late, 20_000, realSystem)
    expect(finding).toMatchObject({ state: 'warning', code: 'slow' })
    expect(finding.facts.slowest_millis).toBeGreaterThan(500)
  })

  it('tell a server that answers only sometimes', async () => {
    let asked = 0
    const { finding, health } = await seen((request, response) => {
      asked++
      if (asked === 2) request.socket.destroy()
      else json(HEALTH)(request, response)
    })
    expect(finding).toMatchObject({ state: 'warning', code: 'flaky', facts: { answered: 2, failure: 'broken' } })
    expect(health).not.toBeNull()
  })

  it('tell a server that has lost its database, by its own words', async () => {
    const store = { ok: false, error: 'the disk that holds the database is full' }
    const { finding, health } = await seen(json({ ...HEALTH, status: 'degraded', open: null, store }, 503))
    expect(finding).toMatchObject({ state: 'critical', code: 'degraded', facts: { error: store.error } })
    expect(health?.open).toBeNull()
  })

  it('tell nobody there', async () => {
    // Below the ports that the system hands out: no server of another test is ever given it.
    const { finding, health } = await checkServer(realSystem, 'http://127.0.0.1:100', () => 0)
    expect(finding).toMatchObject({ state: 'critical', code: 'refused', next_command: 'npm start' })
    expect(health).toBeNull()
  })

  it('tell a server that hangs, within the deadline', async () => {
    const { finding } = await seen(() => {}, 400)
    expect(finding).toMatchObject({ state: 'critical', code: 'silent' })
  })

  it('tell a server that drips its answer', async () => {
    const { finding } = await seen((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{')
      const drip = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drip))
    }, 3000)
    expect(finding).toMatchObject({ state: 'critical', code: 'dripping', facts: { status: 200 } })
  })

  it('tell HTTP 500', async () => {
    const { finding } = await seen((_, response) => response.writeHead(500).end('oops'))
    expect(finding).toMatchObject({ state: 'critical', code: 'status', facts: { status: 500, text: 'oops' } })
  })

  it('tell a redirect, and do not follow it', async () => {
    const { finding } = await seen((_, response) => response.writeHead(302, { location: '/health' }).end())
    expect(finding).toMatchObject({ state: 'critical', code: 'status', facts: { status: 302 } })
  })

  it('tell an answer that is not JSON', async () => {
    const { finding } = await seen((_, response) => response.end('<html>It works!</html>'))
    expect(finding).toMatchObject({ state: 'critical', code: 'foreign', facts: { problem: 'not JSON' } })
  })

  it('tell the JSON of another program, which is what the old system says', async () => {
    const { finding } = await seen(json({ status: 'ok' }))
    expect(finding).toMatchObject({ state: 'critical', code: 'foreign' })
    expect(finding.facts.problem).toContain('service')
  })

  it('tell an answer without end', async () => {
    const { finding } = await seen((_, response) => {
      const filler = 'x'.repeat(64 * 1024)
      const write = () => {
        while (response.writable && response.write(filler));
      }
      response.on('drain', write)
      write()
    })
    expect(finding).toMatchObject({ state: 'critical', code: 'foreign' })
  })

  it('tell a connection that breaks in the middle of the answer', async () => {
    const { finding } = await seen((request, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('{"status"', () => request.socket.resetAndDestroy())
    })
    expect(finding).toMatchObject({ state: 'critical', code: 'broken' })
  })

  it('cannot measure a name that nobody knows', async () => {
    const http = async () => ({ answered: false, failure: 'dns', message: 'ENOTFOUND desk', ms: 1 }) as const
    const { finding } = await checkServer({ http }, 'http://desk:8020', () => 0)
    expect(finding).toMatchObject({ state: 'unknown', code: 'unreachable' })
  })
})
