import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPublic } from '../src/tools/web-proxy.ts'
import { temporaryFolder, until } from './support/server.ts'
import { HAS_CHROMIUM, startTools, type Tools } from './support/tools.ts'

describe.skipIf(!HAS_CHROMIUM)('web_automate', () => {
  const { path: dir, remove } = temporaryFolder()
  const seen: string[] = []
  let site: Server
  let port: number
  let tools: Tools
  beforeAll(async () => {
    site = createServer((req, res) => {
      seen.push(`${req.headers.host?.split(':')[0]}${req.url}`)
      if (req.url === '/slow') return
      if (req.url === '/away') return void res.writeHead(302, { Location: `http://localhost:${port}/secret` }).end()
      res.setHeader('Content-Type', 'text/html; charset=utf-8')
      res.end(`<title>시험</title><input id="name"><button onclick="hello()">go</button><p id="said">nothing</p>
        <script>
          const hello = () => { document.querySelector('#said').textContent = 'hello ' + document.querySelector('#name').value }
          if (location.pathname === '/reach') fetch('http://localhost:${port}/secret', { mode: 'no-cors' })
            .then((r) => r.type, (e) => 'failed').finally(() => { document.querySelector('#said').textContent = 'tried' })
        </script>`)
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    port = (site.address() as AddressInfo).port
    tools = await startTools(dir, { WEB_ALLOWED_HOSTS: '127.0.0.1' })
  })
  afterAll(async () => {
    await tools.close()
    site.closeAllConnections()
    site.close()
    remove()
  })
  const page = (path: string, host = '127.0.0.1') => ({ action: 'goto', url: `http://${host}:${port}${path}` })
  const automate = (actions: object[], timeout_seconds = 90) => tools.call('web_automate', { actions, timeout_seconds })

  test('fills, clicks, reads and photographs a real page', async () => {
    const { facts, text, isError } = await automate([
      page('/'),
      { action: 'fill', selector: '#name', text: '세계' },
      { action: 'click', selector: 'button' },
      { action: 'text', selector: '#said' },
      { action: 'screenshot' },
    ])
    expect({ isError, text: text.split('\n')[0] }).toEqual({ isError: false, text: 'hello 세계' })
    expect(facts).toMatchObject({
      title: '시험',
      texts: ['hello 세계'],
      screenshots: 1,
      failure: null,
      timed_out: false,
    })
  })

  test('comes to nothing private, neither by itself, by a redirect, nor by a script of a page', async () => {
    const direct = await automate([page('/secret', 'localhost')])
    expect(direct.isError).toBe(true)
    expect(direct.text).toContain('localhost is not on the public web (WEB_ALLOWED_HOSTS')
    expect((await automate([page('/away')])).isError).toBe(true)
    const script = [page('/reach'), { action: 'text', selector: '#said:has-text("tried")' }]
    expect((await automate(script)).facts.texts).toEqual(['tried'])
    expect(seen).toContain('127.0.0.1/reach')
    expect(seen.filter((request) => request.includes('secret'))).toEqual([])
  })

  test('an action that cannot be done, and a page that hangs, are errors that name the action; no browser stays', async () => {
    const hung = await automate([page('/slow')], 8)
    expect(hung.facts).toMatchObject({
      timed_out: true,
      failure: expect.stringContaining('the deadline of 8 s passed'),
    })
    const missing = await automate([page('/'), { action: 'text', selector: '#[' }], 60)
    expect(missing.facts.failure).toMatch(/^action 2 \(text\): /)
    const children = () =>
      execFileSync('ps', ['-eo', 'ppid,args'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.trim().startsWith(`${tools.pid} `) && /chrom(?!.*<defunct>)/.test(line))
    await until('no browser is left', () => children().length === 0)
  })

  test('a browser that does not start in time is a deadline, too', async () => {
    const chromium = join(dir, 'never')
    writeFileSync(chromium, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
    const slow = await startTools(dir, { CHROMIUM_PATH: chromium })
    const visits = Array.from({ length: 20 }, (_, n) =>
      sleep(n * 37).then(() => slow.call('web_automate', { actions: [page('/')], timeout_seconds: 1 })),
    )
    for (const { facts, text } of await Promise.all(visits)) {
      expect(facts, text).toMatchObject({
        timed_out: true,
        failure: 'starting the browser: the deadline of 1 s passed',
      })
    }
    await slow.close()
  })

  test('pages are http and https alone', async () => {
    for (const url of ['file:///etc/passwd', 'chrome://version', 'javascript:1', 'data:text/html,x', '//x']) {
      const { isError, facts } = await automate([{ action: 'goto', url }])
      expect([isError, facts]).toEqual([true, undefined])
    }
  })

  test('without a browser it says how to get one', async () => {
    const none = await startTools(dir, { CHROMIUM_PATH: '/no/such/chromium' })
    const { isError, text } = await none.call('web_automate', { actions: [page('/')] })
    expect(isError).toBe(true)
    expect(text).toContain('there is no browser at /no/such/chromium. Nothing was visited: apt-get install chromium')
    await none.close()
  })
})

test('private is what no page of the public web has', () => {
  const away = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
  ]
  const away6 = [
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    'fe80::1',
    'fd00::1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ]
  expect([...away, ...away6, 'localhost', ''].filter(isPublic)).toEqual([])
  expect(['8.8.8.8', '172.32.0.1', '1.1.1.1', '2606:4700::1111'].filter((address) => !isPublic(address))).toEqual([])
})
