/**
 * A tool server of the tests that has everything the protocol's conformance suite calls by name, made with the stock
 * library of the first generation. Argument: `stdio`, or `http`, which prints its URL once it listens.
 */
import { randomUUID } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import {
  type EventStore,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  type JSONRPCMessage,
  LATEST_PROTOCOL_VERSION,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { PROMPTS, RESOURCES, SCHEMAS, TOOLS, templated } from './conformance-offer.ts'

function found<T>(all: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(all, name)) throw new McpError(ErrorCode.InvalidParams, `Unknown: ${name}`)
  return all[name]!
}

function offering(): Server {
  const capabilities = { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {}, logging: {} }
  const server = new Server({ name: 'conformance', version: '1' }, { capabilities })
  const described = (name: string) => ({ name, description: `The suite's ${name}` })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.keys(TOOLS).map((name) => ({
      ...described(name),
      inputSchema: (SCHEMAS[name] ?? { type: 'object' }) as { type: 'object' },
    })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => ({
    ...(await found(TOOLS, params.name)(params.arguments ?? {}, extra)),
  }))
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(PROMPTS).map(([name, { takes }]) => ({
      ...described(name),
      arguments: takes.map((taken) => ({ name: taken, required: true })),
    })),
  }))
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: found(PROMPTS, params.name).messages(params.arguments ?? {}) as never[],
  }))
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: Object.keys(RESOURCES).map((uri) => ({ uri, ...described(uri) })),
  }))
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', ...described('template') }],
  }))
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => {
    const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? []
    return { contents: [{ uri, ...(id === undefined ? found(RESOURCES, uri) : templated(id)) } as never] }
  })
  server.setRequestHandler(SubscribeRequestSchema, () => ({}))
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}))
  server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: ['paris', 'park'] } }))
  return server
}

/** Numbered, because the library's own example mixes up events of the same millisecond. */
function eventStore(): EventStore {
  const events: { streamId: string; message: JSONRPCMessage }[] = []
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message }) - 1),
    async replayEventsAfter(last, { send }) {
      const { streamId } = events[Number(last)]!
      for (const [n, event] of events.entries()) {
        if (n > Number(last) && event.streamId === streamId) await send(String(n), event.message)
      }
      return streamId
    },
  }
}

function overHttp(): void {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  async function begin(host: string) {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      eventStore: eventStore(),
      retryInterval: 10,
      ...{ enableDnsRebindingProtection: true, allowedHosts: [host], allowedOrigins: [`http://${host}`] },
    })
    await offering().connect(transport as Transport)
    return transport
  }
  const listening = serve({
    ...{ hostname: '127.0.0.1', port: 0 },
    async fetch(request) {
      const id = request.headers.get('mcp-session-id')
      const { port } = listening.address() as { port: number }
      const transport = (id !== null && sessions.get(id)) || (await begin(`127.0.0.1:${port}`))
      // The suite negotiates this revision, and then names one that cannot resume a stream, to ask for a stream to resume.
      if (id !== null) request.headers.set('mcp-protocol-version', LATEST_PROTOCOL_VERSION)
      return transport.handleRequest(request)
    },
  })
  listening.on('listening', () => console.log(`http://127.0.0.1:${(listening.address() as { port: number }).port}/mcp`))
}

if (process.argv[2] === 'http') overHttp()
else await offering().connect(new StdioServerTransport())
