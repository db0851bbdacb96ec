import { Agent, request } from 'node:http'
import { performance } from 'node:perf_hooks'

export interface Load {
  readonly perSecond: number
  /** Milliseconds from sending to the whole answer. */
  readonly p50: number
  readonly p95: number
  /** Answers other than 2xx. */
  readonly bad: number
}

export interface Shot {
  readonly path: string
  readonly body: string
}

/** Sends `amount` POSTs over `callers` kept-alive connections, each as soon as the one before it is answered. */
export async function load(
  url: string,
  callers: number,
  amount: number,
  headers: Record<string, string>,
  next: (n: number) => Shot,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers })
  const latencies: number[] = []
  let n = 0
  let bad = 0
  const caller = async () => {
    while (n < amount) {
      const shot = next(n++)
      const start = performance.now()
      const status = await post(agent, url, headers, shot)
      latencies.push(performance.now() - start)
      if (status < 200 || status > 299) bad++
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  const seconds = (performance.now() - start) / 1000
  agent.destroy()
  latencies.sort((a, b) => a - b)
  return { perSecond: amount / seconds, p50: percentile(latencies, 50), p95: percentile(latencies, 95), bad }
}

/** Nearest rank; `sorted` ascending. */
export const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN

function post(agent: Agent, url: string, headers: Record<string, string>, shot: Shot): Promise<number> {
  return call(agent, url, headers, shot).then(({ status }) => status)
}

/** One call over a kept-alive connection, as bare as node:http allows; a GET without a body. */
export function call(
  agent: Agent,
  url: string,
  headers: Record<string, string>,
  { path, body }: { readonly path: string; readonly body?: string },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const content =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { agent, method: body === undefined ? 'GET' : 'POST', headers: { ...headers, ...content } }
    const sent = request(`${url}${path}`, options, (answer) => {
      let text = ''
      answer.on('data', (chunk) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
