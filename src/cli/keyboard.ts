import { PassThrough } from 'node:stream'
import type { Terminal } from './terminal.ts'

const CTRL_C = '\x03'
const CTRL_D = '\x04'
const CTRL_Z = '\x1a'

interface Handlers {
  /** Ctrl-C, Ctrl-D, or the terminal is gone: nobody will answer any more. */
  readonly end: () => void
  /** Back after Ctrl-Z: whatever was drawn may have scrolled away. */
  readonly resume: () => void
  readonly key?: (key: string) => void
}

/**
 * The keys of a terminal in raw mode. Ctrl-C, Ctrl-D and Ctrl-Z are handled here, because the prompts wait for ever
 * when input ends, and because stopping must stop the whole job (npx waits in front of us) with the terminal in order.
 */
export class Keyboard {
  /** What the prompts read: a terminal to them, without the keys above. */
  readonly stream: PassThrough & { isTTY: true; setRawMode: (raw: boolean) => void }
  readonly #terminal: Terminal
  readonly #handlers: Handlers
  /** What the terminal was in when it was stopped. */
  #leave: (() => void) | undefined
  #stopped = false

  constructor(terminal: Terminal, handlers: Handlers) {
    this.#terminal = terminal
    this.#handlers = handlers
    this.stream = Object.assign(new PassThrough(), {
      isTTY: true as const,
      setRawMode: (raw: boolean) => terminal.setRawMode(raw),
    })
    const { stdin } = terminal
    stdin.setEncoding('utf8')
    stdin.on('data', this.#onData).on('end', handlers.end).on('error', handlers.end)
    process.on('SIGTSTP', this.#onStop).on('SIGCONT', this.#onContinue)
  }

  /** Stopped by Ctrl-Z, or continued so recently that the screen is not ours again: do not draw. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Drops what was typed before anybody asked for it, so that no answer is given in advance. */
  drain(): void {
    while (this.stream.read() !== null);
  }

  close(): void {
    const { stdin } = this.#terminal
    stdin.off('data', this.#onData).off('end', this.#handlers.end).off('error', this.#handlers.end)
    process.off('SIGTSTP', this.#onStop).off('SIGCONT', this.#onContinue)
    this.#terminal.setRawMode(false)
    stdin.pause()
    stdin.unref?.()
  }

  readonly #onData = (chunk: string): void => {
    if (chunk.includes(CTRL_C) || chunk.includes(CTRL_D)) this.#handlers.end()
    else if (chunk.includes(CTRL_Z)) {
      // The whole foreground job, as the terminal itself would have done it.
      this.#stop(0)
    } else {
      this.#handlers.key?.(chunk)
      this.stream.write(chunk)
    }
  }

  readonly #onStop = (): void => this.#stop(process.pid)

  /** The terminal first: once the shell has taken it back, touching it would stop us a second time. */
  #stop(pid: number): void {
    this.#stopped = true
    this.#leave = this.#terminal.suspend()
    process.off('SIGTSTP', this.#onStop)
    process.kill(pid, 'SIGTSTP')
  }

  readonly #onContinue = (): void => {
    process.off('SIGTSTP', this.#onStop).on('SIGTSTP', this.#onStop)
    this.#leave?.()
    this.#leave = undefined
    this.#stopped = false
    this.#handlers.resume()
  }
}
