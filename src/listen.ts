import type { Socket } from 'node:net'
import { type HttpBindings, type ServerType, serve } from '@hono/node-server'
import type { Settings } from './config.ts'
import type { Desk } from './desk.ts'
import { lingering } from './lingering.ts'

/** How long callers that are being answered may take when the server stops, ms. */
const GRACE = 3000
/**
 * How long a connection is kept on which nothing is said, ms. Who calls again just when it is closed learns only that
 * the call broke, not whether it ran: Node's 5 s are about as long as an agent thinks between two calls.
 */
const KEPT = 50_000

/** Opens the port. Rejects with the system's error when it cannot be had. */
export function listen(desk: Desk, { HOST, PORT }: Settings): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const fetch = async (request: Request, env: object) =>
      lingering(await desk.app.fetch(request, env), (env as HttpBindings).incoming)
    const options = { hostname: HOST, port: PORT, serverOptions: { keepAliveTimeout: KEPT } }
    const server = serve({ fetch, ...options }, () => resolve(server))
    server.once('error', reject)
    // What is no HTTP gets an answer in our format, too.
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
      const [status, title] =
        error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request']
      const body = JSON.stringify({
        type: 'about:blank',
        title,
        status,
        detail: 'not a request that HTTP allows',
        code: 'malformed',
      })
      socket.end(
        `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
    })
  })
}

/** Ends idle connections at once, the others when they are answered or the grace is over. */
export function closed(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    if (!('closeIdleConnections' in server)) return
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), GRACE).unref()
  })
}
