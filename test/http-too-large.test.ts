import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NO_LIMIT, type RunningServer, startServer, temporaryFolder } from './support/server.ts'

const dir = temporaryFolder()
let server: RunningServer
const MB = 1_000_000
const TIMES = 20

beforeAll(async () => {
  server = await startServer(dir.path, NO_LIMIT)
  for (const size of SIZES) writeFileSync(`${dir.path}/${size}`, body(size))
})
afterAll(async () => {
  await server.kill('SIGTERM')
  dir.remove()
})

const bodyOf = (megabytes: number) =>
  Buffer.from(JSON.stringify({ tool_name: 'write_file', arguments: { content: 'x'.repeat(megabytes * MB) } }))
const SIZES = [2, 20]
const bodies = new Map(SIZES.map((size) => [size, bodyOf(size)]))
const body = (megabytes: number) => bodies.get(megabytes)!
const headers = () => ({ Authorization: `Bearer ${server.tokens.dev_user}`, 'Content-Type': 'application/json' })

interface Answer {
  readonly status: number | undefined
  readonly type: string | null | undefined
  readonly text: string
}

async function curl(size: number, ...more: string[]): Promise<Answer> {
  const args = ['-s', '-S', '-w', '\\n%{http_code} %{content_type}', `--data-binary`, `@${dir.path}/${size}`, ...more]
  for (const [name, value] of Object.entries(headers())) args.push('-H', `${name}: ${value}`)
  const child = spawn('curl', [...args, `${server.url}/api/approvals`], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [, json, status, type] = /^([\s\S]*)\n(\d+) (.*)$/.exec(out)!
  return { status: Number(status), type, text: json! + said }
}

async function byFetch(body: NonNullable<RequestInit['body']>, more: Record<string, string> = {}): Promise<Answer> {
  const init = { method: 'POST', headers: { ...headers(), ...more }, body, duplex: 'half' } as const
  const answer = await fetch(`${server.url}/api/approvals`, init)
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}

const inPieces = (bytes: Buffer) =>
  new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536))
      controller.close()
    },
  })

function byHttp(size: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { ...headers(), 'Content-Length': body(size).length }, agent }
    const asked = httpRequest(`${server.url}/api/approvals`, options, async (answer) =>
      resolve({ status: answer.statusCode, type: answer.headers['content-type'], text: await text(answer) }),
    )
    asked.on('error', reject)
    asked.end(body(size))
  })
}

/** Writes all before it reads anything, as simple clients do. */
async function writeThenRead(size: number, connection: string): Promise<Answer> {
  const { host, hostname, port } = new URL(server.url)
  const socket = connect({ port: Number(port), host: hostname })
  const lines = [
    'POST /api/approvals HTTP/1.1',
    `Host: ${host}`,
    `Content-Length: ${body(size).length}`,
    `Connection: ${connection}`,
  ]
  for (const [name, value] of Object.entries(headers())) lines.push(`${name}: ${value}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.write(body(size), () => resolve())
  })
  socket.end()
  const [head, json] = (await text(socket)).split('\r\n\r\n')
  return {
    status: Number(head!.split(' ')[1]),
    type: /^content-type: (.*)$/im.exec(head!)?.[1],
    text: json!,
  }
}

const ways: Record<string, (size: number) => Promise<Answer>> = {
  curl: (size) => curl(size),
  'curl, which does not ask first': (size) => curl(size, '-H', 'Expect:'),
  'curl, with a connection of its own': (size) => curl(size, '-H', 'Expect:', '-H', 'Connection: close'),
  fetch: (size) => byFetch(new Uint8Array(body(size))),
  'fetch, with a connection of its own': (size) => byFetch(new Uint8Array(body(size)), { Connection: 'close' }),
  'fetch, of unannounced length': (size) => byFetch(inPieces(body(size))),
  'node:http, kept alive': (size) => byHttp(size, agents.kept),
  'node:http, with a connection of its own': (size) => byHttp(size, agents.own),
  'a client that writes all before it reads': (size) => writeThenRead(size, 'keep-alive'),
  'a client that writes all before it reads, and has closed': (size) => writeThenRead(size, 'close'),
}
const agents = { kept: new Agent({ keepAlive: true }), own: new Agent({ keepAlive: false }) }

const hasCurl = spawnSync('curl', ['--version']).status === 0
const here = Object.entries(ways).filter(([name]) => hasCurl || !name.startsWith('curl'))

test.each(here)('a body that is too large is answered to %s, every time', async (_name, send) => {
  const answers: Record<string, number> = {}
  for (let n = 0; n < TIMES; n++) {
    const said = await send(SIZES[n % 2]!).then(
      ({ status, type, text }) => `${status} ${type} ${JSON.parse(text).code}`,
      (error) => `${error.cause?.code ?? error.code ?? error}`,
    )
    answers[said] = (answers[said] ?? 0) + 1
  }
  expect(answers).toEqual({ '413 application/problem+json too_large': TIMES })
})
