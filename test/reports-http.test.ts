import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer, temporaryFolder } from './support/server.ts'

const dir = temporaryFolder()
let server: RunningServer
let approver: string
let guest: string
const folder = `${dir.path}/reports`
const bytes = '## 보고 \ud83d\ude00\n'

beforeAll(async () => {
  server = await startServer(dir.path)
  const add = async (user_id: string, role: string): Promise<string> =>
    (await server.call('POST', '/api/users', { user_id, role })).json.token
  approver = await add('kim', 'approver')
  guest = await add('guest1', 'guest')
})
afterAll(async () => {
  await server.kill('SIGKILL')
  dir.remove()
})

const get = (path: string, as: string | null = approver, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, {
    headers: { ...(as === null ? {} : { Authorization: `Bearer ${as}` }), ...headers },
  })

/** The path as it stands, which fetch would tidy up. */
function raw(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${approver}\r\nConnection: close\r\n\r\n`,
    )
  })
}

describe('/reports', () => {
  test('is an empty list before the first evening', async () => {
    expect(await (await get('/reports')).json()).toEqual({ reports: [] })
  })

  describe('with kept reports and other files in the folder', () => {
    beforeAll(() => {
      mkdirSync(`${folder}/2026-11-20-daily.md`, { recursive: true })
      writeFileSync(`${folder}/2026-11-22-daily.md`, bytes)
      writeFileSync(`${folder}/2026-11-22-daily.r2.html`, '<!doctype html><title>x</title>')
      for (const revision of [9, 10]) writeFileSync(`${folder}/2026-11-19-daily.r${revision}.json`, '{}')
      writeFileSync(`${folder}/2026-W47-weekly.json`, '{"schema":"ops.weekly-summary.v1"}\n')
      writeFileSync(`${folder}/2026-11-22-daily.md.approval-ops-new`, 'half')
      writeFileSync(`${folder}/notes.md`, 'private')
      symlinkSync(`${dir.path}/credentials.json`, `${folder}/2026-11-21-daily.json`)
    })

    test('lists exactly the kept ones, newest first, as JSON or as links', async () => {
      const names = [
        ...['2026-W47-weekly.json', '2026-11-22-daily.r2.html', '2026-11-22-daily.md'],
        ...['2026-11-19-daily.r10.json', '2026-11-19-daily.r9.json'],
      ]
      for (const accept of ['application/json', '*/*', '']) {
        expect(await (await get('/reports', approver, { Accept: accept })).json()).toEqual({ reports: names })
      }
      const page = await get('/reports', approver, { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
      expect(page.headers.get('content-type')).toMatch(/^text\/html; charset=utf-8/i)
      const html = await page.text()
      expect([...html.matchAll(/href="([^"]+)"/g)].map((match) => match[1])).toEqual(
        names.map((name) => `/reports/${name}`),
      )
    })

    test.each([
      ['2026-11-22-daily.md', 'text/markdown; charset=utf-8'],
      ['2026-11-22-daily.r2.html', 'text/html; charset=utf-8'],
      ['2026-W47-weekly.json', 'application/json'],
    ])('gives %s byte by byte, with a policy that lets it run nothing', async (name, type) => {
      const answer = await get(`/reports/${name}`)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe(type)
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(readFileSync(`${folder}/${name}`))
      expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none';.*frame-ancestors 'none'/)
      expect(answer.headers.get('content-security-policy')).not.toMatch(/script-src|\*/)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('cache-control')).toBe('no-store')
    })

    test.each([
      ...['notes.md', '2026-11-22-daily.md.approval-ops-new', '2026-11-21-daily.json', '2026-11-20-daily.md'],
      ...['2026-11-22-daily', '2026-11-22-daily.MD', '2026-11-22-daily.r2.html%00', '2026-11-22-daily.md/', '%0a'],
      ...['..%2fcredentials.json', '%2e%2e%2fcredentials.json', '..%5ccredentials.json', '2026-11-22-daily.md%2f..'],
      '....//credentials.json',
    ])('has no %s', async (name) => {
      const answer = await get(`/reports/${name}`)
      expect([answer.status, await answer.text()]).toEqual([404, expect.not.stringContaining('private')])
    })

    test.each(['/reports/../credentials.json', '/reports/..%2f..%2fetc%2fpasswd', '//reports/2026-11-22-daily.md/..'])(
      'leads nowhere by %s',
      async (path) => {
        const text = await raw(path)
        expect(text).toMatch(/^HTTP\/1.1 (400|404) /)
        expect(text).not.toContain(server.tokens.admin_user)
      },
    )

    test('is read by approvers and admins; reports name people', async () => {
      for (const path of ['/reports', '/reports/2026-11-22-daily.md', '/reports/none']) {
        expect((await get(path, server.tokens.admin_user)).status).toBe(path.endsWith('none') ? 404 : 200)
        for (const other of [guest, server.tokens.dev_user]) {
          const answer = await get(path, other)
          expect(answer.status).toBe(403)
          expect(await answer.json()).toMatchObject({ code: 'role', required_role: 'approver' })
        }
        expect((await get(path, null)).status).toBe(401)
        expect((await get(path, 'not-a-token-at-all')).status).toBe(401)
        expect((await get(path, null, { 'X-User-ID': 'kim' })).status).toBe(401)
      }
    })

    test('is not read any more by somebody who was disabled', async () => {
      const { token } = (await server.call('POST', '/api/users', { user_id: 'lee', role: 'approver' })).json
      expect((await get('/reports', token)).status).toBe(200)
      await server.call('POST', '/api/users/lee/disable')
      expect((await get('/reports', token)).status).toBe(401)
    })

    test('is read, and nothing else', async () => {
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const answer = await fetch(`${server.url}/reports/2026-11-22-daily.md`, {
          method,
          headers: { Authorization: `Bearer ${approver}` },
        })
        expect([404, 405]).toContain(answer.status)
      }
      expect(readFileSync(`${folder}/2026-11-22-daily.md`, 'utf8')).toBe(bytes)
    })

    test('stands in the published description', async () => {
      const { paths } = (await server.call('GET', '/openapi.json')).json
      expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/reports', '/reports/{name}']))
      expect(paths['/reports'].get.security).toEqual([{ bearer: [] }])
    })
  })
})
