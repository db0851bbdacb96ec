import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { type Desk, openDesk } from '../src/desk.ts'
import { readUnanswered } from '../src/jobs/unanswered.ts'
import { closed, listen } from '../src/listen.ts'
import { reportQueries } from '../src/queries.ts'
import type { Case } from '../src/report/unanswered.ts'
import { openReader } from '../src/store/reader.ts'
import { lockElsewhere } from './support/lock.ts'
import { environment, NO_LIMIT, request, startServer, temporaryFolder, until } from './support/server.ts'

const DAY = 86_400_000
const LATER = 600_000

/** The desk itself on a real port, whose clock can be set forward: nobody waits five minutes for a deadline. */
async function runningDesk(dir: string, start = 0) {
  let shift = start
  const config = loadConfig(environment(dir))
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined }
  const desk: Desk = await openDesk({ config, env: {}, wall: () => Date.now() + shift, log })
  const server = await listen(desk, config.settings)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let admin = ''
  const call = (method: string, path: string, body?: unknown, token = admin) =>
    request(`${url}${path}`, method, body, { Authorization: `Bearer ${token}` })
  const tokens = JSON.parse(readFileSync(`${dir}/credentials.json`, 'utf8')) as Record<string, string>
  admin = tokens.admin_user!
  const dev = tokens.dev_user!
  const deadlines = new Map<string, number>()
  const ask = async (tool_name = 'execute_python'): Promise<string> => {
    const { json } = await call('POST', '/api/approvals', { tool_name, arguments: { n: Math.random() } }, dev)
    deadlines.set(json.request_id, Date.parse(json.expires_at))
    return json.request_id
  }
  const life = async (id: string): Promise<string[]> =>
    (await call('GET', `/api/approvals/${id}`)).json.life.map(({ what }: { what: string }) => what)
  return {
    ...{ url, admin, dev, call, ask, life, deadlines },
    now: () => Date.now() + shift,
    /** Lets their deadlines pass one after the other, in the order in which they were asked, each with its sweep. */
    async expire(ids: readonly string[], asked = deadlines) {
      for (const id of ids) {
        shift = Math.max(shift, asked.get(id)! + 1 - Date.now())
        const { status } = (await call('GET', `/api/approvals/${id}/status`, undefined, dev)).json
        expect(status).toBe('expired')
      }
    },
    async stop() {
      desk.release()
      await closed(server)
      await desk.close()
    },
  }
}

function casesOf(dir: string, now: number): Map<string, Case> {
  const reader = openReader(`${dir}/security.db`, Object.values(reportQueries))
  try {
    const period = { from: now - DAY, until: now }
    const { latest, total, reasons } = reader.read((tx) => readUnanswered(tx, period, now, 'Asia/Seoul', 1000))
    expect(Object.values(reasons).reduce((sum, n) => sum + n)).toBe(total)
    expect(latest).toHaveLength(total)
    return new Map(latest.map((one) => [one.request_id, one]))
  } finally {
    reader.close()
  }
}

let dir: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  dir = temporaryFolder()
})
afterEach(() => dir.remove())

describe('why nobody answered', () => {
  test('each reason, as it happens to real clients of a real desk', async () => {
    const desk = await runningDesk(dir.path)
    try {
      // Nobody: asked while no approver looks.
      const nobody = await desk.ask()
      // Notified: an approver's event stream is open, and nobody else looks.
      const stream = await fetch(`${desk.url}/api/events`, { headers: { Authorization: `Bearer ${desk.admin}` } })
      const events = stream.body!.getReader()
      let streamed = ''
      const notified = await desk.ask('run_command')
      while (!streamed.includes(notified)) streamed += new TextDecoder().decode((await events.read()).value)
      // The requester's own stream tells nobody who may decide.
      await events.cancel()
      const own = await fetch(`${desk.url}/api/events`, { headers: { Authorization: `Bearer ${desk.dev}` } })
      const ownEvents = own.body!.getReader()
      const untold = await desk.ask()
      for (let text = ''; !text.includes(untold); ) text += new TextDecoder().decode((await ownEvents.read()).value)
      await ownEvents.cancel()
      // Opened, and opened after that too late.
      const opened = await desk.ask()
      await desk.call('GET', `/api/approvals/${opened}/status`)
      const late = await desk.ask()
      await desk.call('GET', `/api/approvals/${late}`)
      // The caller is a program of its own, killed while it waits.
      const gone = await desk.ask()
      const program = `fetch(process.argv[1], { headers: { Authorization: 'Bearer ' + process.argv[2] } })`
      const caller = spawn(process.execPath, ['-e', program, `${desk.url}/api/approvals/${gone}?wait=50`, desk.dev])
      await until('the caller waits', async () => (await desk.life(gone)).includes('waiting'))
      caller.kill('SIGKILL')
      await once(caller, 'exit')
      await until('it is missed', async () => (await desk.life(gone)).includes('left'))
      // A caller that hung up and came back has not gone.
      const back = await desk.ask()
      const first = new AbortController()
      const waiting = request(
        `${desk.url}/api/approvals/${back}?wait=50`,
        'GET',
        undefined,
        { Authorization: `Bearer ${desk.dev}` },
        first.signal,
      ).catch(() => undefined)
      await until('it waits', async () => (await desk.life(back)).includes('waiting'))
      first.abort()
      await waiting
      await until('it is missed', async () => (await desk.life(back)).includes('left'))
      await desk.call('GET', `/api/approvals/${back}`, undefined, desk.dev)

      // In the order of their asking, each of them missed by nobody but the sweeper.
      await desk.expire([nobody, notified, untold, opened, late, gone, back])
      const tooLate = await desk.call('POST', `/api/approvals/${late}/approve`, { reason: 'ok' })
      expect([tooLate.status, tooLate.json.code]).toEqual([410, 'expired'])
      const listed = await desk.ask()
      await desk.call('GET', '/api/approvals/pending')
      await desk.expire([listed])
      await desk.stop()

      const cases = casesOf(dir.path, desk.now())
      const reasonOf = (id: string) => cases.get(id)?.reason
      expect({
        ...{ nobody: reasonOf(nobody), untold: reasonOf(untold), notified: reasonOf(notified) },
        ...{ listed: reasonOf(listed), opened: reasonOf(opened), late: reasonOf(late), gone: reasonOf(gone) },
        back: reasonOf(back),
      }).toEqual({
        ...{ nobody: 'nobody', untold: 'nobody', notified: 'notified', listed: 'notified' },
        ...{ opened: 'opened', late: 'too_late', gone: 'caller_gone', back: 'opened' },
      })
      expect(cases.get(notified)).toMatchObject({ notified: ['admin_user'], opened: [], late: null })
      expect(cases.get(late)).toMatchObject({ opened: ['admin_user'], late: { user_id: 'admin_user' } })
    } finally {
      await desk.stop().catch(() => undefined)
    }
  })

  test('a server killed before it wrote what it saw: never "nobody was notified"', async () => {
    const server = await startServer(dir.path, NO_LIMIT)
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      const { request_id } = await server.ask()
      ids.push(request_id)
      await server.call('GET', `/api/approvals/${request_id}`)
    }
    await server.kill('SIGKILL')
    const desk = await runningDesk(dir.path, LATER)
    await desk.stop()
    const cases = casesOf(dir.path, desk.now())
    expect(ids.map((id) => cases.get(id)?.reason)).toEqual(ids.map(() => 'server_down'))
  })

  test('a server that was stopped over the deadline: it was down; one that was restarted quickly: it was not', async () => {
    const first = await runningDesk(dir.path)
    const quick = await first.ask()
    await first.call('GET', `/api/approvals/${quick}`)
    await first.stop()
    const second = await runningDesk(dir.path)
    await second.expire([quick], first.deadlines)
    const long = await second.ask()
    await second.stop()
    const third = await runningDesk(dir.path, 3 * LATER)
    await third.stop()
    const cases = casesOf(dir.path, third.now())
    expect(cases.get(quick)?.reason).toBe('opened')
    expect(cases.get(long)?.reason).toBe('server_down')
  })

  test('looking goes on while nothing can be written, and who looked is written afterwards', async () => {
    const desk = await runningDesk(dir.path)
    try {
      const id = await desk.ask()
      const unlock = await lockElsewhere(`${dir.path}/security.db`)
      const pending = await desk.call('GET', '/api/approvals/pending')
      const one = await desk.call('GET', `/api/approvals/${id}`)
      expect([pending.status, pending.json.count, one.status, one.json.life]).toEqual([200, 1, 200, []])
      await unlock()
      await until('both are written', async () => (await desk.life(id)).join() === 'listed,opened')
    } finally {
      await desk.stop()
    }
  })

  test('the record stays whole and verifiable, and a request shows who saw it to those who decide only', async () => {
    const desk = await runningDesk(dir.path)
    const id = await desk.ask()
    await desk.call('GET', `/api/approvals/${id}`)
    await until('written', async () => (await desk.life(id)).includes('opened'))
    const seen = (await desk.call('GET', `/api/approvals/${id}`)).json.life
    expect(seen).toEqual([expect.objectContaining({ what: 'opened', who: 'admin_user' })])
    expect((await desk.call('GET', `/api/approvals/${id}`, undefined, desk.dev)).json.life).toBeNull()
    expect((await desk.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true })
    await desk.stop()
  })
})
