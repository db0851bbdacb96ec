import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const MAX_BYTES = 10 * 1024 * 1024

/**
 * What a program writes, kept in a file of bounded size. Pieces are written at once, not queued: a program that
 * writes faster than the disk is slowed down and never fills our memory. A disk that fails costs the kept output, not
 * the program.
 */
export class OutputFile {
  readonly #limit: number
  #fd: number | null = null
  #kept = 0
  #dropped = 0

  constructor(path: string, limit = MAX_BYTES) {
    this.#limit = limit
    this.#try(() => {
      mkdirSync(dirname(path), { recursive: true })
      this.#fd = openSync(path, 'w', 0o600)
    })
  }

  follow(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => this.#write(chunk))
  }

  close(): void {
    if (this.#fd === null) return
    const fd = this.#fd
    this.#try(() => {
      if (this.#dropped > 0) writeSync(fd, `\n[${this.#dropped} more bytes were not kept]\n`)
      closeSync(fd)
    })
    this.#fd = null
  }

  #write(chunk: Buffer): void {
    const part = chunk.subarray(0, this.#limit - this.#kept)
    this.#dropped += chunk.length - part.length
    this.#kept += part.length
    const fd = this.#fd
    if (fd === null) return
    this.#try(() => {
      for (let at = 0; at < part.length; ) at += writeSync(fd, part, at)
    })
  }

  #try(work: () => void): void {
    try {
      work()
    } catch {
      this.#fd = null
    }
  }
}
