import type { LogLine } from './error-log-lines.ts'

/** One thing that went wrong, however many lines the log spends on it. */
export interface LogEvent {
  readonly at: number | null
  /** Its first line, and the exception that a traceback ends with. */
  readonly text: string
}

interface Block {
  readonly at: number | null
  readonly head: string
  /** The first line declares a level: a logger wrote it, and may put the exception on the next line. */
  readonly levelled: boolean
  exception: string
  /** Inside a Python traceback, whose last line is the exception. */
  traceback: boolean
  /** The text says that another traceback of the same event follows. */
  chained: boolean
  lines: number
}

const TRACEBACK = /Traceback \(most recent call last\):$/
const CHAIN = /^(?:During handling of the above exception|The above exception was the direct cause)/
const GO_TRACE = /^(?:goroutine \d+ \[|\[signal |exit status \d|created by |[\w./]+\.[\w.()*]+\(.*\)$)/
/** Lines that only ever belong to what stands above them. */
const APPENDIX = /^(?:Caused by: |Suppressed: |note: run with `RUST|stack backtrace:|\}\)?$)/
const POSTGRES_APPENDIX = /\] (?:STATEMENT|DETAIL|HINT|CONTEXT): /
const QUALIFIED_EXCEPTION = /^(?:[a-z_]\w*\.)+[A-Z]\w*(?:Error|Exception)(?::|$)/

/** Gathers the lines of a log into events: a stack trace is one event, not one per line. */
export class Blocks {
  #open: Block | undefined

  /** The event that this line ends, if it ends one. */
  push(line: LogLine): LogEvent | undefined {
    // Other streams write between the lines of a traceback: what is complete in itself interrupts nothing.
    if (line.whole) return line.error ? { at: line.at, text: line.text } : undefined
    const open = this.#open
    if (open && belongs(line, open)) {
      open.lines++
      return undefined
    }
    if (line.text.trim() === '') return undefined
    this.#open = line.error ? begin(line) : undefined
    return open && eventOf(open)
  }

  end(): LogEvent | undefined {
    const open = this.#open
    this.#open = undefined
    return open && eventOf(open)
  }
}

const begin = (line: LogLine): Block => ({
  at: line.at,
  head: line.text.trim(),
  levelled: line.levelled,
  exception: '',
  traceback: TRACEBACK.test(line.text),
  chained: false,
  lines: 1,
})

const eventOf = (block: Block): LogEvent => ({
  at: block.at,
  text: TRACEBACK.test(block.head)
    ? block.exception || block.head
    : block.head + (block.exception && `: ${block.exception}`),
})

function belongs(line: LogLine, block: Block): boolean {
  const { text } = line
  if (text.trim() === '') return false
  if (/^\s/.test(text)) return true
  if (TRACEBACK.test(text)) {
    const follows = block.chained || block.lines === 1 || /^Exception ignored in/.test(block.head)
    if (!follows || block.traceback) return false
    block.traceback = true
    block.chained = false
    return true
  }
  if (CHAIN.test(text)) {
    block.chained = true
    return true
  }
  if (block.traceback && !line.levelled) {
    block.traceback = false
    block.exception = text
    return true
  }
  if (block.lines === 1 && block.levelled && QUALIFIED_EXCEPTION.test(text)) {
    block.exception = text
    return true
  }
  if (block.lines === 1 && /panicked at .*:$/.test(block.head)) return true
  if (/^(?:panic: |fatal error: )/.test(block.head) && GO_TRACE.test(text)) return true
  return APPENDIX.test(text) || POSTGRES_APPENDIX.test(text)
}
