import type { ExitCode } from '../exit-codes.ts'

/** Ends the command: one sentence that says why, the command that helps, and the exit code. */
export class Failure extends Error {
  readonly exit: ExitCode
  readonly next: string | undefined

  constructor(exit: ExitCode, cause: string, next?: string) {
    super(cause)
    this.name = 'Failure'
    this.exit = exit
    this.next = next
  }
}

/** The server answered, and its answer is an error: problem+json of RFC 9457, or something that is not ours at all. */
export class ServerError extends Error {
  readonly status: number
  /** `not_approval_ops` when the answer was not in our format. */
  readonly code: string
  readonly facts: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, detail: string, facts: Record<string, unknown>) {
    super(detail)
    this.name = 'ServerError'
    this.status = status
    this.code = code
    this.facts = facts
  }
}

/** No answer. `sent` when the server may have acted on the call all the same. */
export class Unreachable extends Error {
  readonly url: string
  /** e.g. ECONNREFUSED, TIMEOUT */
  readonly why: string
  readonly sent: boolean

  constructor(url: string, why: string, sent: boolean, options?: ErrorOptions) {
    super(`${url}: ${why}`, options)
    this.name = 'Unreachable'
    this.url = url
    this.why = why
    this.sent = sent
  }
}

/** Worth trying again: the server is starting, stopping or busy. */
export const isTransient = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof ServerError && (error.status >= 500 || error.status === 429))
