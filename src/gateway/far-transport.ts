import {
  type JSONRPCMessage,
  ProtocolError,
  type RequestId,
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
} from '@modelcontextprotocol/client'

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1]

/** Marks an answer that no tool server gave. Only this very object does: nobody else can send it. */
const CUT = {}

export const isCutOff = (error: unknown): boolean => error instanceof ProtocolError && error.data === CUT

/**
 * A tool server elsewhere, of which every request gets an answer. The library waits for ever for the one whose stream
 * ended before it, as it does when a proxy loses patience: here that is an error of the call.
 */
export class FarTransport extends StreamableHTTPClientTransport {
  readonly #open = new Set<RequestId>()

  constructor(url: URL, options: StreamableHTTPClientTransportOptions) {
    super(url, options)
    let deliver: this['onmessage']
    Object.defineProperty(this, 'onmessage', {
      get: () => deliver,
      set: (next: this['onmessage']) => {
        deliver = (message, ...more) => {
          if ('id' in message && !('method' in message)) this.#open.delete(message.id!)
          next?.(message, ...more)
        }
      },
    })
  }

  override send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    if (Array.isArray(message) || !('method' in message)) return super.send(message, options)
    if (message.method === 'notifications/cancelled') this.#open.delete(message.params?.requestId as RequestId)
    if (!('id' in message)) return super.send(message, options)
    const { id } = message
    this.#open.add(id)
    const onRequestStreamEnd = () => {
      if (!this.#open.delete(id)) return
      const error = { code: -32000, message: 'the connection ended before the answer', data: CUT }
      this.onmessage?.({ jsonrpc: '2.0', id, error })
    }
    return super.send(message, { ...options, onRequestStreamEnd }).catch((error) => {
      this.#open.delete(id)
      throw error
    })
  }
}
