import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { realSystem } from '../src/system/real.ts'

const open: (Server | TcpServer)[] = []
async function listen<S extends Server | TcpServer>(server: S): Promise<string> {
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const serve = (listener: RequestListener): Promise<string> => listen(createServer(listener))

afterEach(() => {
  for (const server of open.splice(0)) {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  }
})

describe('an HTTP request', () => {
  it('sends method, headers and body and returns status, headers and text', async () => {
    const url = await serve(async (req, res) => {
      let body = ''
      for await (const chunk of req) body += chunk
      res.writeHead(418, { 'X-Kind': 'tea' }).end(`${req.method} ${req.headers['x-a']} ${body}`)
    })
    const result = await realSystem.http({
      method: 'POST',
      url,
      headers: { 'X-A': '1' },
      body: '한글',
      timeoutMs: 9000,
    })
    expect(result).toMatchObject({ answered: true, status: 418, headers: { 'x-kind': 'tea' }, text: 'POST 1 한글' })
  })

  it('does not follow a redirect', async () => {
    const url = await serve((_, res) => res.writeHead(302, { location: '/elsewhere' }).end())
    expect(await realSystem.http({ url, timeoutMs: 9000 })).toMatchObject({ answered: true, status: 302 })
  })

  it('tells a closed port, an unknown name, a hang-up and a server that is no web server apart', async () => {
    // Below the ports that the system hands out: no server of another test is ever given it.
    const closed = 'http://127.0.0.1:100'
    expect(await realSystem.http({ url: closed, timeoutMs: 9000 })).toMatchObject({
      answered: false,
      failure: 'refused',
    })
    const unknown = await realSystem.http({ url: 'http://no-such-host.invalid/', timeoutMs: 9000 })
    expect(unknown).toMatchObject({ answered: false, failure: 'dns' })
    const hangUp = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())))
    expect(await realSystem.http({ url: hangUp, timeoutMs: 9000 })).toMatchObject({ answered: false, failure: 'reset' })
    const ssh = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
    expect(await realSystem.http({ url: ssh, timeoutMs: 9000 })).toMatchObject({ answered: false, failure: 'other' })
  })

  it('ends at its deadline when nothing answers, also in the middle of a body', async () => {
    const silent = await serve(() => {})
    expect(await realSystem.http({ url: silent, timeoutMs: 200 })).toMatchObject({ failure: 'timeout' })
    const stalled = await serve((_, res) => res.write('half'))
    expect(await realSystem.http({ url: stalled, timeoutMs: 200 })).toMatchObject({ failure: 'timeout' })
  })

  it('ends when the caller gives up', async () => {
    const stop = new AbortController()
    const url = await serve(() => stop.abort())
    expect(await realSystem.http({ url, timeoutMs: 9000, signal: stop.signal })).toMatchObject({ failure: 'aborted' })
  })

  it('refuses a body beyond the bound', async () => {
    const url = await serve((_, res) => res.end('x'.repeat(100_000)))
    expect(await realSystem.http({ url, timeoutMs: 9000, maxBytes: 99_999 })).toMatchObject({ failure: 'too_large' })
    expect(await realSystem.http({ url, timeoutMs: 9000, maxBytes: 100_000 })).toMatchObject({ answered: true })
  })
})
