import type { HttpFailure, HttpRequest, HttpResult } from './system.ts'

const MAX_BYTES = 8 * 1024 * 1024

const FAILURES: Readonly<Record<string, HttpFailure>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
}

class TooLarge extends Error {}

export async function http(request: HttpRequest): Promise<HttpResult> {
  const started = performance.now()
  const deadline = AbortSignal.timeout(request.timeoutMs)
  const elapsed = (): number => performance.now() - started
  let status: number | undefined
  try {
    const response = await fetch(request.url, {
      method: request.method ?? 'GET',
      headers: { ...request.headers },
      redirect: 'manual',
      signal: request.signal ? AbortSignal.any([deadline, request.signal]) : deadline,
      ...(request.body === undefined ? {} : { body: request.body }),
    })
    status = response.status
    const text = await boundedText(response, request.maxBytes ?? MAX_BYTES)
    const headers = Object.fromEntries(response.headers)
    return { answered: true, status, headers, text, ms: elapsed() }
  } catch (error) {
    const failure = deadline.aborted
      ? 'timeout'
      : request.signal?.aborted
        ? 'aborted'
        : error instanceof TooLarge
          ? 'too_large'
          : failureOf(error)
    const began = status === undefined ? {} : { status }
    return { answered: false, failure, message: messageOf(error), ...began, ms: elapsed() }
  }
}

async function boundedText(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new TooLarge(`the answer is larger than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** fetch says only "fetch failed"; what happened is the code of its cause. */
function failureOf(error: unknown): HttpFailure {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException
    if (code !== undefined && FAILURES[code]) return FAILURES[code]
  }
  return 'other'
}

function messageOf(error: unknown): string {
  let deepest = error
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause
  if (!(deepest instanceof Error)) return String(deepest)
  return deepest.message || ((deepest as NodeJS.ErrnoException).code ?? deepest.name)
}
