import {
  Client,
  type ProgressCallback,
  ProtocolError,
  SSEClientTransport,
  type Transport,
} from '@modelcontextprotocol/client'
import { redactText } from '../approval/redact.ts'
import { patientFetch } from '../patient-fetch.ts'
import { ChildTransport } from './child-transport.ts'
import type { UpstreamConfig } from './config.ts'
import { FarTransport } from './far-transport.ts'
import { progressTo, type Raw, withoutToken } from './raw.ts'

export interface GatewayLog {
  readonly info: (facts: object, text: string) => void
  readonly warn: (facts: object, text: string) => void
}

export interface Passing {
  readonly signal: AbortSignal
  readonly onprogress?: ProgressCallback | undefined
}

export interface ConnectionDeps {
  readonly config: UpstreamConfig
  readonly version: string
  /** Where programs run that say nothing else: the folder of mcp.json. */
  readonly folder: string
  readonly log: GatewayLog
  /** What the tool server is told that its client can do. */
  readonly capabilities?: Raw
  /** Answers what it asks of its client; without this it is told that there is nobody to ask. */
  readonly ask?: (method: string, params: Raw, passing: Passing) => Promise<Raw>
  readonly onNotification: (method: string, params: Raw) => void
}

const CONNECT_TIMEOUT = 60_000
const PING_TIMEOUT = 5000

/** A connection to a tool server that begins with `begin`, and says when and why it ended. */
export function createConnection(deps: ConnectionDeps) {
  const { config, log, ask } = deps
  const told = (error: Error) => ({ upstream: config.name, problem: redactText(String(error.message).slice(0, 500)) })
  const complain = (error: Error) => log.info(told(error), 'an upstream failed')
  const transport = open()
  const client = new Client({ name: 'approval-ops', version: deps.version }, { capabilities: deps.capabilities ?? {} })
  let isUp = false
  let isChecking = false

  const ended = new Promise<string>((resolve) => {
    client.onclose = () => resolve(transport instanceof ChildTransport ? transport.ending : 'the connection ended')
    // A connection over HTTP ends without a word: whoever had trouble with it has it looked at.
    client.onerror = (error) => {
      log.info(told(error), 'an upstream has trouble')
      if ('command' in config || isChecking || !isUp) return
      isChecking = true
      client
        .ping({ timeout: PING_TIMEOUT })
        .catch((failure) => failure instanceof ProtocolError || resolve((failure as Error).message))
        .finally(() => {
          isChecking = false
        })
    }
  })
  client.fallbackNotificationHandler = async ({ method, params }) => deps.onNotification(method, (params ?? {}) as Raw)
  if (ask) {
    client.fallbackRequestHandler = ({ method, params = {} }, { mcpReq: { signal, notify } }) =>
      ask(method, withoutToken(params), {
        ...{ signal, ...progressTo(params, (method, params) => void notify({ method, params }).catch(complain)) },
      })
  }

  function open(): Transport {
    if ('command' in config) {
      return new ChildTransport(config, deps.folder, (line) =>
        log.info({ upstream: config.name, stderr: redactText(line.slice(0, 2000)) }, 'an upstream wrote'),
      )
    }
    const options = { requestInit: { headers: { ...config.headers } }, fetch: patientFetch }
    const url = new URL(config.url)
    return config.sse ? new SSEClientTransport(url, options) : new FarTransport(url, options)
  }

  return {
    client,

    /** @throws Error with the reason why it could not, or that `stop` was aborted */
    async begin(stop: AbortSignal): Promise<void> {
      await client.connect(transport, { timeout: CONNECT_TIMEOUT, signal: stop })
      stop.throwIfAborted()
      isUp = true
    },

    /** Resolves with the reason once it has ended. */
    ended,

    /** The last word of a program that was started; empty for others, and while it runs. */
    lastWord: () => (transport instanceof ChildTransport ? transport.ending : ''),

    async close(): Promise<void> {
      isUp = false
      await client.close().catch(complain)
      await transport.close().catch(complain)
    },
  }
}
