import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import pino, { type Logger } from 'pino'

export interface Log {
  readonly log: Logger
  /** Opens the file anew, after a rotation moved it. */
  reopen(): void
}

/**
 * The server's log: JSON lines, each written before the next step. A log that cannot be written never stops the
 * server: its lines go to stderr instead. (pino's own destination waits for ever on a full disk.)
 */
export function openLog(path: string): Log {
  let fd: number | undefined
  const lost = (error: unknown) => process.stderr.write(`log ${path}: ${(error as Error).message}\n`)

  function reopen(): void {
    try {
      mkdirSync(dirname(path), { recursive: true })
      const fresh = openSync(path, 'a', 0o640)
      if (fd !== undefined) closeSync(fd)
      fd = fresh
    } catch (error) {
      lost(error)
    }
  }

  function write(line: string): void {
    try {
      if (fd !== undefined) return void writeSync(fd, line)
    } catch (error) {
      lost(error)
    }
    process.stderr.write(line)
  }

  reopen()
  return { log: pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, { write }), reopen }
}
