import { createServer, type ServerResponse } from 'node:http'
import { ProtocolError } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseUpstreams } from '../src/gateway/config.ts'
import { startUpstream, type Upstream } from '../src/gateway/upstream.ts'
import { until } from './support/server.ts'

/** Where fetch keeps what decides how long it waits. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1')
// biome-ignore lint/suspicious/noExplicitAny: the library inside Node has no types.
const world = globalThis as any

/**
 * A tool server elsewhere that is silent in a call until the test says otherwise: for a long time, as far as fetch is
 * concerned, whose patience of five minutes is one second here.
 */
describe('a tool elsewhere that takes longer than fetch waits', () => {
  const calls: { response: ServerResponse; id: number; streams: boolean }[] = []
  const json = (response: ServerResponse, id: unknown, result: object) =>
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  const server = createServer(async (asked, response) => {
    if (asked.method !== 'POST') return response.writeHead(405).end()
    let text = ''
    for await (const piece of asked) text += piece
    const { id, method, params } = JSON.parse(text)
    if (id === undefined) return response.writeHead(202).end()
    if (method === 'initialize') {
      const { protocolVersion } = params
      const serverInfo = { name: 'far', version: '1' }
      return json(response, id, { protocolVersion, serverInfo, capabilities: { tools: {} } })
    }
    if (method === 'tools/list')
      return json(response, id, { tools: [{ name: 'slow', inputSchema: { type: 'object' } }] })
    if (method !== 'tools/call') return json(response, id, {})
    const { streams } = params.arguments
    if (streams) response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    return calls.push({ response, id, streams })
  })
  const usual = world[DISPATCHER]
  let url: string
  let upstream: Upstream

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}/mcp`
    // Node has it once somebody has fetched something.
    await fetch(url)
    world[DISPATCHER] = new world[DISPATCHER].constructor({ headersTimeout: 1000, bodyTimeout: 1000 })
    const log = { info: () => undefined, warn: () => undefined }
    upstream = startUpstream({
      ...{ config: parseUpstreams(JSON.stringify({ mcpServers: { far: { url } } }))[0]!, version: '1', folder: '.' },
      ...{ clock: () => 0, log, onLists: () => undefined, onConnected: () => undefined },
      onNotification: () => undefined,
    })
    await upstream.settled()
  })
  afterAll(async () => {
    world[DISPATCHER] = usual
    await upstream.close()
    server.close()
    server.closeAllConnections()
  })

  test.each([
    ['before its first byte', false],
    ['in the middle of a stream', true],
  ])('%s: its answer arrives', async (_, streams) => {
    const args = { name: 'slow', arguments: { streams } }
    const { signal } = new AbortController()
    const running = upstream.request('tools/call', args, { signal })
    await until('it runs', () => calls.length === 1)
    // Fetch asks the same, and gives up.
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'fetch', method: 'tools/call', params: args })
    const impatient = fetch(url, { method: 'POST', body }).then((answer) => answer.text())
    await expect(impatient)
      .rejects.toMatchObject({ cause: { name: /TimeoutError$/ } })
      .catch(() => undefined)
    const [{ response, id }] = calls as [(typeof calls)[number]]
    const result = { content: [{ type: 'text', text: 'at last' }] }
    if (streams) response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
    else json(response, id, result)
    expect(await running).toEqual(result)
    calls.length = 0
  })

  test.each([
    ['before its first byte', false],
    ['in the middle of a stream', true],
  ])('whose connection is cut %s, by whatever stands in between: the caller hears of it', async (_, streams) => {
    const { signal } = new AbortController()
    const running = upstream.request('tools/call', { name: 'slow', arguments: { streams } }, { signal })
    const failed = running.catch((error: Error) => error)
    await until('it runs', () => calls.length === 1)
    calls[0]!.response.destroy()
    calls.length = 0
    const error = await failed
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(ProtocolError)
    expect(upstream.facts().status).toBe('up')
  })
})
