import { lookup } from 'node:dns/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, BlockList, connect, isIP, type Socket } from 'node:net'
import { Refusal } from './limits.ts'

/** What is not the public web: this machine, its networks, the clouds' metadata, and detours to them. */
const PRIVATE = { 4: new BlockList(), 6: new BlockList() }
for (const [address, bits] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
]) {
  PRIVATE[4].addSubnet(address, bits, 'ipv4')
}
for (const [address, bits] of [
  ...([
    ['::', 96],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 32],
    ['2001::', 32],
    ['2002::', 16],
  ] as const),
  ...([
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ] as const),
]) {
  PRIVATE[6].addSubnet(address, bits, 'ipv6')
}

export const isPublic = (address: string): boolean => {
  // Of one list for both, the range of IPv4 in IPv6 would take all of IPv4 for private.
  const family = isIP(address)
  return family === 6 ? !PRIVATE[6].check(address, 'ipv6') : family === 4 && !PRIVATE[4].check(address, 'ipv4')
}

/**
 * The browser's only way out: a proxy that looks up each name once, refuses what is not public, and connects to the
 * very address it looked at. So redirects, frames, scripts and names that change their address all end here.
 * @param allowed host names that may be private
 */
export async function startWebProxy(allowed: readonly string[]) {
  const sockets = new Set<Socket>()
  /** What was refused, for the answer. */
  const refused = new Set<string>()

  async function addressOf(host: string): Promise<string> {
    const name = host.replace(/^\[|\]$/g, '').toLowerCase()
    const found = isIP(name) ? [name] : (await lookup(name, { all: true })).map(({ address }) => address)
    const address = allowed.includes(name) ? found[0] : found.find(isPublic)
    if (address !== undefined) return address
    refused.add(name)
    throw new Refusal(`${name} is not on the public web`)
  }

  async function forward(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '')
    if (url.protocol !== 'http:') throw new Refusal(`${url.protocol} is not for this proxy`)
    const headers = Object.entries(req.headers).filter(([name]) => !/^(proxy-.*|connection|keep-alive)$/.test(name))
    const target = { host: await addressOf(url.hostname), port: url.port || 80, path: url.pathname + url.search }
    const onward = request({
      ...{ ...target, method: req.method, setHost: false, agent: false },
      headers: { ...Object.fromEntries(headers), host: url.host },
    })
    onward.on('socket', (socket) => keep(socket))
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(res)
    })
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  }

  async function tunnel(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { hostname, port } = new URL(`tunnel://${req.url}`)
    const onward = keep(connect(Number(port || 443), await addressOf(hostname)))
    onward.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    onward.on('close', () => socket.destroy())
    socket.on('close', () => onward.destroy())
  }

  function keep<S extends Socket>(socket: S): S {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  const server = createServer((req, res) => {
    forward(req, res).catch((error) => res.writeHead(403, { 'Content-Type': 'text/plain' }).end(String(error)))
  })
  server.on('connection', keep)
  server.on('connect', (req, socket: Socket, head) => {
    tunnel(req, socket, head).catch(() => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: (): string[] => [...refused],
    close(): void {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
