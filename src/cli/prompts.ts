import type { WriteStream } from 'node:tty'
import { type CANCEL_SYMBOL, isCancel, type Option, select, selectKey, text } from '@clack/prompts'
import { Keyboard } from './keyboard.ts'
import type { Messages } from './messages.ts'
import type { Terminal } from './terminal.ts'

export type Answer<T, Why> =
  | { readonly kind: 'answer'; readonly value: T }
  /** Esc. */
  | { readonly kind: 'back' }
  /** Ctrl-C, Ctrl-D, or the program is told to end. */
  | { readonly kind: 'quit' }
  /** Back from Ctrl-Z: ask again. */
  | { readonly kind: 'again' }
  /** Something happened that makes the question pointless. */
  | { readonly kind: 'event'; readonly why: Why }

/** A text that may change while the question stands, e.g. a countdown. */
export type Live = () => string

interface Asked {
  readonly input: Keyboard['stream']
  readonly output: WriteStream
  readonly signal: AbortSignal
}

/**
 * Questions on a terminal, by clack, with what clack lacks: the end of input ends the question, a question can be
 * ended by an event with its reason, and its text may tick.
 */
export class Prompts<Why = never> {
  readonly #keyboard: Keyboard
  readonly #output: WriteStream
  readonly #signal: AbortSignal
  #ended = false
  #current: { controller: AbortController; keys: Readonly<Record<string, Why>> } | undefined

  constructor(terminal: Terminal, output: WriteStream, signal: AbortSignal) {
    this.#output = output
    this.#signal = signal
    this.#keyboard = new Keyboard(terminal, {
      end: () => {
        this.#ended = true
        this.#end({ kind: 'quit' })
      },
      resume: () => this.#end({ kind: 'again' }),
      key: (key) => {
        const why = this.#current?.keys[key]
        if (why !== undefined) this.interrupt(why)
      },
    })
  }

  /** Ends the question that stands, if one does. */
  interrupt(why: Why): void {
    this.#end({ kind: 'event', why })
  }

  /** @param keys single keys that end the question with an event */
  choose(
    message: Live,
    options: readonly { value: string; label: Live }[],
    keys: Readonly<Record<string, Why>>,
  ): Promise<Answer<string, Why>> {
    const live = options.map(({ value, label }) => withLive<Option<string>>({ value }, 'label', label))
    const question = { options: live, showInstructions: false }
    return this.#ask(keys, message, (asked) =>
      select(withLive({ ...asked, ...question, message: '' }, 'message', message)),
    )
  }

  /** Answered by one of the keys, without Enter; Enter is no answer. */
  key<K extends string>(
    message: Live,
    options: readonly { value: K; label: string }[],
  ): Promise<Answer<K | undefined, Why>> {
    const question = { options: options as Option<K>[], message: '' }
    return this.#ask({}, message, (asked) => selectKey<K>(withLive({ ...asked, ...question }, 'message', message)))
  }

  reason(message: string, t: Messages): Promise<Answer<string, Why>> {
    const validate = (value: string | undefined) => {
      const length = value?.trim().length ?? 0
      return length >= 1 && length <= 2000 ? undefined : t.decide.reasonEmpty
    }
    return this.#ask({}, undefined, (asked) => text({ ...asked, message, validate }))
  }

  close(): void {
    this.#keyboard.close()
  }

  async #ask<T>(
    keys: Readonly<Record<string, Why>>,
    live: Live | undefined,
    question: (asked: Asked) => Promise<T | typeof CANCEL_SYMBOL>,
  ): Promise<Answer<T, Why>> {
    if (this.#ended || this.#signal.aborted) return { kind: 'quit' }
    const controller = new AbortController()
    this.#current = { controller, keys }
    const quit = () => this.#end({ kind: 'quit' })
    this.#signal.addEventListener('abort', quit, { once: true })
    // clack draws again on this event: that is how the countdown in a question ticks.
    const tick = () => this.#keyboard.stopped || this.#output.emit('resize')
    const timer = live && setInterval(tick, 1000)
    try {
      this.#keyboard.drain()
      const value = await question({ input: this.#keyboard.stream, output: this.#output, signal: controller.signal })
      if (controller.signal.aborted) return controller.signal.reason as Answer<T, Why>
      return isCancel(value) ? { kind: 'back' } : { kind: 'answer', value: value as T }
    } finally {
      clearInterval(timer)
      this.#signal.removeEventListener('abort', quit)
      this.#current = undefined
    }
  }

  #end(answer: Exclude<Answer<never, Why>, { kind: 'answer' }>): void {
    this.#current?.controller.abort(answer)
  }
}

function withLive<T extends object>(target: T, key: keyof T, read: Live): T {
  return Object.defineProperty(target, key, { get: read, enumerable: true, configurable: true })
}
