import type { ReadStream, WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import { truncate } from '../report/printable.ts'

type OneStyle = Extract<Parameters<typeof styleText>[0], string>
export type Style = OneStyle | readonly OneStyle[]

/**
 * The three streams. Results go to stdout and everything else to stderr. Whatever changes the terminal (cursor, raw
 * mode, alternate screen) is done here, so that `restore` can undo it however the program ends.
 */
export class Terminal {
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
  #status = ''
  #undo = ''

  constructor(streams: { stdin: ReadStream; stdout: WriteStream; stderr: WriteStream }) {
    this.stdin = streams.stdin
    this.stdout = streams.stdout
    this.stderr = streams.stderr
  }

  /** Whether a person is there to be asked. */
  get canAsk(): boolean {
    return this.stdin.isTTY === true && this.stderr.isTTY === true
  }

  /** Whether a person looks at the result and can press keys. */
  get canDraw(): boolean {
    return this.stdin.isTTY === true && this.stdout.isTTY === true
  }

  /** Columns of a stream that is a terminal, undefined for a pipe. Some terminals say 0 before they know. */
  columns(stream: WriteStream = this.stdout): number | undefined {
    return stream.isTTY ? stream.columns || 80 : undefined
  }

  get rows(): number {
    return this.stdout.rows || 24
  }

  /** Coloured where the stream is a terminal and NO_COLOR is not set. */
  paint(style: Style, text: string, stream: WriteStream = this.stdout): string {
    // One at a time: given a list, Node 20 colours whatever the stream is.
    const styles = typeof style === 'string' ? [style] : style
    return styles.reduce((painted, one) => styleText(one, painted, { stream }), text)
  }

  out(text: string): void {
    this.stdout.write(`${text}\n`)
  }

  /** A line on stderr, above the status line if there is one. */
  err(text: string): void {
    const status = this.#status
    this.setStatus('')
    this.stderr.write(`${text}\n`)
    this.setStatus(status)
  }

  /** One line that is rewritten in place; '' removes it. Only for terminals. */
  setStatus(text: string): void {
    const columns = this.columns(this.stderr)
    if (columns === undefined || (text === '' && this.#status === '')) return
    this.#status = text
    this.stderr.write(`\r\x1b[K${truncate(text, columns - 1)}`)
  }

  bell(): void {
    if (this.stdout.isTTY) this.stdout.write('\x07')
  }

  /** Takes the whole screen and the keys, until `restore`. */
  enterScreen(): void {
    if (this.#undo !== '') return
    this.setRawMode(true)
    this.stdout.write('\x1b[?1049h\x1b[?25l\x1b[H\x1b[J')
    this.#undo = '\x1b[?25h\x1b[?1049l'
  }

  /** Replaces the screen line by line: no flicker, and nothing of the old one remains. Nothing before `enterScreen`. */
  drawScreen(lines: readonly string[]): void {
    if (this.#undo === '') return
    this.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`)
  }

  setRawMode(raw: boolean): void {
    if (this.stdin.isTTY && this.stdin.isRaw !== raw) this.stdin.setRawMode(raw)
  }

  /** Gives the terminal back while the program is stopped. @returns what takes it again */
  suspend(): () => void {
    const raw = this.stdin.isTTY && this.stdin.isRaw
    const onScreen = this.#undo !== ''
    this.restore()
    return () => {
      this.setRawMode(raw)
      if (onScreen) this.enterScreen()
    }
  }

  /** As it was before. Harmless when there is nothing to undo. */
  restore(): void {
    this.setStatus('')
    if (this.#undo !== '') this.stdout.write(this.#undo)
    this.#undo = ''
    this.setRawMode(false)
  }
}
