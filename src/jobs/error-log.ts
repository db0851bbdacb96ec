import type { LineSource, System } from '../system/system.ts'
import { Blocks, type LogEvent } from './error-log-blocks.ts'
import { type ErrorGroup, Groups } from './error-log-groups.ts'
import { readLine } from './error-log-lines.ts'

/** The errors that a log holds between two instants. */
export interface LogScan {
  readonly events: number
  readonly groups: readonly ErrorGroup[]
  /** Events of kinds beyond the limit of groups. */
  readonly ungrouped: number
  readonly lines: number
  /** When the first and the last line that was read was written; null when no line of the window says. */
  readonly begins: number | null
  readonly ends: number | null
  /** True when lines older than the window were seen: then nothing is missing at the window's beginning. */
  readonly fromTheStart: boolean
  /** The time to read ran out: what is newer than `ends` was not seen. */
  readonly cutShort: boolean
}

/** Half-open, in ms since 1970. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** Reads lines into events, oldest first. A line without a time is taken to be as old as the one before it. */
export class LogScanner {
  readonly #window: Window
  readonly #blocks = new Blocks()
  readonly #groups = new Groups()
  #at: number | null = null
  #lines = 0
  #begins: number | null = null
  #ends: number | null = null
  #older: boolean

  /** `older`: what comes first is known to be from before the window, though its first lines may not say so. */
  constructor(window: Window, older = false) {
    this.#window = window
    this.#older = older
    if (older) this.#at = window.from - 1
  }

  /** `at`: when the line was written, where somebody knows better than the line. */
  push(text: string, at: number | null = null): void {
    const read = readLine(text)
    const line = at === null ? read : { ...read, at }
    if (line.at !== null) this.#at = line.at
    if (line.at !== null && line.at < this.#window.from) this.#older = true
    if (this.#inWindow()) {
      this.#lines++
      if (line.at !== null) {
        this.#begins ??= line.at
        this.#ends = line.at
      }
    }
    this.#take(this.#blocks.push({ ...line, at: this.#at }))
  }

  end(cutShort = false): LogScan {
    this.#take(this.#blocks.end())
    return {
      events: this.#groups.events,
      groups: this.#groups.list(),
      ungrouped: this.#groups.ungrouped,
      lines: this.#lines,
      begins: this.#begins,
      ends: this.#ends,
      fromTheStart: this.#older,
      cutShort,
    }
  }

  #inWindow(at = this.#at): boolean {
    return at === null || (at >= this.#window.from && at < this.#window.to)
  }

  #take(event: LogEvent | undefined): void {
    if (event && this.#inWindow(event.at)) this.#groups.add(event)
  }
}

/** Of a log that writes more than this in the window, the newest part is read: about two seconds' worth. */
const MAX_BYTES = 128 * 1024 * 1024

/**
 * Scans a log file. `stop` is asked now and then: once it says yes, what was read so far is the answer.
 * Rejects when the file is absent or cannot be read.
 */
export async function scanLog(
  system: Pick<System, 'stat' | 'readFrom'>,
  path: string,
  window: Window,
  stop: () => boolean = () => false,
): Promise<LogScan> {
  const size = (await system.stat(path))?.size ?? 0
  const wanted = await offsetOf(system, path, size, window.from)
  const offset = Math.max(wanted, size - MAX_BYTES)
  const { lines } = await system.readFrom(path, offset)
  const scanner = new LogScanner(window, wanted > 0 && offset === wanted)
  let count = offset > wanted ? 0 : 1
  for await (const { text } of lines) {
    // Reading that begins anywhere begins with the rest of a line.
    if (count++ === 0) continue
    scanner.push(text)
    if (count % 4096 === 0 && stop()) return scanner.end(true)
  }
  return scanner.end()
}

/** Below this it is cheaper to read than to search. */
const NEAR = 256 * 1024
/** How many lines may lack a time before the search gives up and the log is read from its beginning. */
const PROBE_LINES = 200

/**
 * Where to begin reading so that nothing from `from` on is missed: logs grow in order of time, so a search by halves
 * finds the place in a log of a year in a few reads. Ends on a line older than `from`, if there is one.
 */
async function offsetOf(system: Pick<System, 'readFrom'>, path: string, size: number, from: number): Promise<number> {
  let low = 0
  let high = size
  while (high - low > NEAR) {
    const middle = Math.floor((low + high) / 2)
    const at = await firstTime(await system.readFrom(path, middle))
    if (at === undefined) return 0
    if (at < from) low = middle
    else high = middle
  }
  return low
}

async function firstTime({ lines }: LineSource): Promise<number | undefined> {
  let count = 0
  for await (const { text } of lines) {
    // The first line is most often the rest of one.
    if (count++ === 0) continue
    const { at } = readLine(text)
    if (at !== null) return at
    if (count > PROBE_LINES) break
  }
  return undefined
}
