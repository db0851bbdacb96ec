import { createParser } from 'eventsource-parser'
import { type Answer, askDesk } from './answer.ts'
import { type Envelope, isMessage, modernHeaders, refusal } from './gateway-messages.ts'
import { pause } from './pause.ts'

export interface PumpOptions {
  readonly url: string
  readonly token: string
  /** Takes one message for the host: JSON text without a line break. */
  readonly write: (line: string) => void
  /** Aborts when the host has gone. */
  readonly signal: AbortSignal
}

const LARGEST_MESSAGE = 64_000_000
const AGAIN_MS = 1000

/**
 * Carries a host's messages to the desk and back, unread and unchanged. A desk that was started again has forgotten the
 * session: it is begun anew with the host's own first message, and the host notices nothing.
 */
export function createPump({ url, token, write, signal }: PumpOptions) {
  const endpoint = new URL(`${url}/mcp`)
  let session: { id: string; version: string | undefined } | undefined
  let first: string | undefined
  let beginning: Promise<void> | undefined
  /** What the host has asked and is not answered yet: how it is ended, and by which id the host may cancel it. */
  const open = new Map<AbortController, string | number | undefined>()
  const endAll = () => {
    for (const controller of open.keys()) controller.abort()
  }
  // A signal for each message that is made of two costs a tenth of what carrying the message does.
  signal.addEventListener('abort', endAll)

  const headers = (more: Record<string, string> = {}) => ({
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    ...(session && { 'mcp-session-id': session.id }),
    ...(session?.version && { 'mcp-protocol-version': session.version }),
    ...more,
  })
  const post = (text: string, more: Record<string, string>, ended: AbortSignal) =>
    askDesk(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...more },
      body: text,
      signal: ended,
    })

  /** Takes one line of the host. Resolves when the next may be sent. */
  async function send(text: string): Promise<void> {
    let said: unknown
    try {
      said = JSON.parse(text)
    } catch {
      return fail(null, -32700, 'Parse error: not JSON')
    }
    if (!Array.isArray(said) || said.length === 0) return take(text, said)
    // A batch, as revision 2025-03-26 had it: each of its messages is asked and cancelled by itself.
    for (const one of said) await take(JSON.stringify(one), one)
  }

  async function take(text: string, said: unknown): Promise<void> {
    if (!isMessage(said))
      return fail(null, -32600, 'Invalid Request: neither a request nor a notification nor an answer')
    const message = said
    const { id, method, params } = message
    if (method === 'notifications/cancelled') cancel(params?.requestId)
    if (method === undefined || id === undefined) return tell(text, method)
    if (method === 'initialize') {
      first = text
      session = undefined
      return ask(text, message, undefined)
    }
    // The answer may take as long as a human: the host's next message does not wait for it.
    void ask(text, message, id)
  }

  /** The connection of a cancelled request ends, which the desk takes for the caller's leaving. */
  function cancel(id: unknown): void {
    for (const [controller, asked] of open) if (asked !== undefined && asked === id) controller.abort()
  }

  async function tell(text: string, method: string | undefined): Promise<void> {
    try {
      const answer = await post(text, headers(), signal)
      answer.drop()
    } catch {
      // Notifications are not answered: the next request says that the desk is away.
    }
    if (method === 'notifications/initialized') void listen()
  }

  async function ask(text: string, message: Envelope, cancelledBy: string | number | undefined): Promise<void> {
    const id = message.id!
    const controller = new AbortController()
    const { signal: ended } = controller
    open.set(controller, cancelledBy)
    if (signal.aborted) controller.abort()
    try {
      await beginning
      const own = session?.id
      let answer = await post(text, headers(modernHeaders(message)), ended)
      if (answer.status === 404 && own !== undefined && first !== undefined) {
        answer.drop()
        await beginAgain(own)
        answer = await post(text, headers(), ended)
      }
      if (message.method === 'initialize') remember(answer)
      if (!(await deliver(answer, id))) throw new Error('the connection ended')
    } catch (error) {
      if (!ended.aborted) fail(id, -32000, sentence(error))
    } finally {
      open.delete(controller)
    }
  }

  function remember(answer: Answer): void {
    const id = answer.header('mcp-session-id')
    if (id !== undefined) session = { id, version: undefined }
  }

  /** Of several who find the session gone one begins it anew. */
  function beginAgain(gone: string): Promise<void> {
    if (session?.id !== gone) return beginning ?? Promise.resolve()
    session = undefined
    beginning = (async () => {
      const answer = await post(first!, headers(), signal)
      remember(answer)
      await answer.text()
      const told = await post('{"jsonrpc":"2.0","method":"notifications/initialized"}', headers(), signal)
      told.drop()
      void listen()
      write('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
    })().finally(() => {
      beginning = undefined
    })
    return beginning
  }

  /** What the desk tells by itself, for as long as the session lives. */
  async function listen(): Promise<void> {
    const own = session?.id
    while (own !== undefined && session?.id === own && !signal.aborted) {
      try {
        const answer = await askDesk(endpoint, { headers: headers({ accept: 'text/event-stream' }), signal })
        if (answer.status === 404 && first !== undefined) return await beginAgain(own)
        if (answer.status !== 200) return answer.drop()
        await deliver(answer, null)
      } catch {
        // The desk is away. It will be back.
      }
      await pause(AGAIN_MS, signal)
    }
  }

  /** Hands on all messages of an answer. Says whether the one for `id` was among them. */
  async function deliver(answer: Answer, id: string | number | null): Promise<boolean> {
    const type = answer.header('content-type') ?? ''
    if (!type.includes('text/event-stream')) {
      const text = await answer.text()
      if (answer.ok && text === '') return true
      write(answer.ok ? text : refusal(text, answer.status, id))
      return true
    }
    let answered = false
    const parser = createParser({
      maxBufferSize: LARGEST_MESSAGE,
      onEvent({ data }) {
        if (data === '') return
        const message = JSON.parse(data) as Envelope & { result?: { protocolVersion?: string } }
        if (id !== null && message.id === id && message.method === undefined) answered = true
        if (session && !session.version) session.version = message.result?.protocolVersion
        write(data)
      },
    })
    await answer.read((chunk) => parser.feed(chunk))
    return answered
  }

  function fail(id: string | number | null, code: number, message: string): void {
    write(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }))
  }

  function sentence(error: unknown): string {
    const { cause, message } = error as { cause?: { code?: string }; message: string }
    if (cause?.code === 'ECONNREFUSED') return `the approval desk does not answer at ${url}. Start it with npm start`
    return `the connection to the approval desk at ${url} broke (${cause?.code ?? message}); what came of this is not known`
  }

  return {
    send,
    /** Ends the session on the desk, as far as it can be reached. */
    async close(): Promise<void> {
      endAll()
      if (!session) return
      const limit = AbortSignal.timeout(1000)
      await askDesk(endpoint, { method: 'DELETE', headers: headers(), signal: limit }).catch(() => undefined)
    },
  }
}
