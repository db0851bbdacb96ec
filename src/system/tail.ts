/**
 * The last bytes of a stream, in the shape in which zx keeps output: an array of chunks that only grows by `push`.
 * Its own arrays would hold all of a program's output in memory.
 */
export class Tail extends Array<Buffer> {
  readonly #limit: number
  #bytes = 0

  // Array's own methods (map, slice) make plain arrays of a Tail.
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  constructor(limit: number) {
    super()
    this.#limit = limit
  }

  override push(...chunks: (Buffer | string)[]): number {
    for (const chunk of chunks) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      super.push(bytes)
      this.#bytes += bytes.length
    }
    while (this.length > 0 && this.#bytes - this[0]!.length >= this.#limit) this.#bytes -= this.shift()!.length
    return this.length
  }

  /** At most `limit` bytes, from the first whole character on. */
  text(): string {
    return lastUtf8(Buffer.concat(this), this.#limit)
  }
}

/** The last `limit` bytes as text: cut at a character, and what is no UTF-8 replaced, so that it fits again. */
export function lastUtf8(bytes: Buffer, limit: number): string {
  let text = cutUtf8(bytes, limit)
  // Replacement characters take three bytes where one invalid byte was.
  while (Buffer.byteLength(text) > limit) text = cutUtf8(Buffer.from(text), limit)
  return text
}

function cutUtf8(bytes: Buffer, limit: number): string {
  let start = Math.max(0, bytes.length - limit)
  if (start > 0) while (start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++
  return bytes.toString('utf8', start)
}
