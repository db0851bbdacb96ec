import type { Settings } from '../config.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { shellWord } from '../report/unmeasured.ts'
import { Failure, ServerError, Unreachable } from './failure.ts'
import { instant } from './format.ts'
import type { Messages } from './messages.ts'

/** A signal ended the command before it was done. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals
  /** A tool may have been running for it. */
  readonly midCall: boolean

  constructor(signal: NodeJS.Signals, midCall = false) {
    super(signal)
    this.name = 'Interrupted'
    this.signal = signal
    this.midCall = midCall
  }
}

const SIGNAL_EXIT: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
export const signalExit = (signal: NodeJS.Signals): number => SIGNAL_EXIT[signal] ?? 1

/** The error's sentence for a person, in their language and on the team's clock. */
export function sentenceOf(error: unknown, t: Messages, settings: Pick<Settings, 'OPS_TIMEZONE'>): string {
  if (error instanceof ServerError) return printable(inWords(error, t.problem, settings))
  if (error instanceof Unreachable)
    return (error.sent ? t.unknownOutcome : t.unreachable)(error.url, printable(error.why))
  if (error instanceof Failure) return printable(error.message)
  if (error instanceof Interrupted) return (error.midCall ? t.cutOff : t.interrupted)(error.signal)
  return t.internal(printable(error instanceof Error ? error.message : String(error)))
}

type Words = Messages['said']

/** What the server said, to stand in a sentence of ours. */
export const saidBy = (error: ServerError, t: Messages, settings: Pick<Settings, 'OPS_TIMEZONE'>): string =>
  printable(`${inWords(error, t.said, settings)}.`)

function inWords({ code, message, facts }: ServerError, say: Words, settings: Pick<Settings, 'OPS_TIMEZONE'>): string {
  const time = (iso: unknown) => (typeof iso === 'string' ? instant(iso, settings) : '-')
  return say(code, message.replace(/\.$/, ''), facts, time)
}

/** The same in a word, for a line that already says that the server is away. */
export function reasonOf(error: unknown): string {
  if (error instanceof Unreachable) return printable(error.why)
  return printable(error instanceof ServerError ? error.code : String(error))
}

/**
 * What to type next, if there is something that helps.
 * @param words of the whole command line
 * @param command of it, the command's name; undefined when that is unknown
 */
export function nextOf(error: unknown, self: string, words: readonly string[], command = ''): string | undefined {
  const help = [self, command, '--help'].filter(Boolean).join(' ')
  if (error instanceof Failure) return error.next ?? (error.exit === EXIT.USAGE ? help : undefined)
  if (error instanceof Unreachable) return error.sent ? `${self} list --all` : 'npm start'
  if (error instanceof Interrupted && error.midCall) return `${self} list --all`
  if (!(error instanceof ServerError)) return undefined
  if (error.status === 401 || error.status === 403) return `${self} users list --as admin_user`
  if (error.code === 'queue_full' || [404, 409, 410].includes(error.status)) {
    return `${self} ${command.startsWith('users') ? 'users list' : 'list'}`
  }
  if (error.code === 'rate_limited') {
    return `sleep ${Number(error.facts.retry_after)} && ${[self, ...words].map(shellWord).join(' ')}`
  }
  if (error.code === 'not_approval_ops' || error.status >= 500) return 'npm run daily-check'
  return exitOfStatus(error) === EXIT.USAGE ? help : undefined
}

export function exitOf(error: unknown): number {
  if (error instanceof Failure) return error.exit
  if (error instanceof Unreachable) return EXIT.UNREACHABLE
  if (error instanceof Interrupted) return signalExit(error.signal)
  if (error instanceof ServerError) return exitOfStatus(error)
  // A fault of this program, which is none of the meanings above.
  return 70
}

function exitOfStatus({ status, code }: ServerError): ExitCode {
  if (code === 'not_approval_ops' || status >= 500) return EXIT.UNREACHABLE
  if (status === 429) return EXIT.NOT_NOW
  if (status === 401 || status === 403) return EXIT.NOT_PERMITTED
  return status === 404 || status === 409 || status === 410 ? EXIT.CLOSED : EXIT.USAGE
}
