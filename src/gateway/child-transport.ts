import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import type { CommandUpstream } from './config.ts'

/** What a tool server inherits: nothing of ours, secrets least of all. The rest is in mcp.json. */
const INHERITED = ['PATH', 'HOME', 'LANG']
/** How long a child may take to end by itself once its input has ended, and then after SIGTERM, ms. */
const GRACE = 700

/** Groups that are alive: a process that ends in a hurry still takes them with it. */
const groups = new Set<number>()
process.on('exit', () => {
  for (const group of groups) signal(group, 'SIGKILL')
})

/**
 * A tool server as a child process, in a process group of its own, so that whatever it starts ends with it (the
 * library's own transport ends the child alone). What it writes to stderr goes to `onLine`.
 */
export class ChildTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #config: CommandUpstream
  readonly #cwd: string
  readonly #onLine: (line: string) => void
  readonly #buffer = new ReadBuffer()
  #delivering = false
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  /** How it ended, for whoever asks why it is down. */
  ending = ''

  constructor(config: CommandUpstream, cwd: string, onLine: (line: string) => void) {
    this.#config = config
    this.#cwd = cwd
    this.#onLine = onLine
  }

  start(): Promise<void> {
    const { command, args, env, cwd = this.#cwd } = this.#config
    const inherited = INHERITED.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]]))
    const child = spawn(command, args, {
      env: { ...Object.fromEntries(inherited), ...env },
      cwd,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdin.on('error', (error) => this.onerror?.(error))
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    createInterface({ input: child.stderr }).on('line', this.#onLine)
    this.#ended = new Promise((resolve) => {
      child.on('exit', (code, by) => {
        this.ending = by === null ? `it ended with code ${code}` : `it was ended by ${by}`
        // What it left behind would hold its streams, and its work, open.
        if (child.pid !== undefined) signal(child.pid, 'SIGKILL')
      })
      child.on('close', () => {
        if (child.pid !== undefined) groups.delete(child.pid)
        resolve()
        this.onclose?.()
      })
    })
    return new Promise((resolve, reject) => {
      child.once('spawn', () => {
        groups.add(child.pid!)
        resolve()
      })
      child.once('error', (error) => reject(new Error(`${command} cannot be started: ${error.message}`)))
    })
  }

  #read(chunk: Buffer): void {
    try {
      this.#buffer.append(chunk)
    } catch (error) {
      // A message without end.
      this.onerror?.(error as Error)
      void this.close()
      return
    }
    if (!this.#delivering) void this.#deliver()
  }

  async #deliver(): Promise<void> {
    this.#delivering = true
    for (;;) {
      try {
        const message = this.#buffer.readMessage()
        if (message === null) break
        this.onmessage?.(message)
        // What is told together with a result would come after it: it is handed on a moment later.
        if (!('id' in message)) await new Promise(setImmediate)
      } catch (error) {
        this.onerror?.(error as Error)
      }
    }
    this.#delivering = false
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (!stdin?.writable) return Promise.reject(new Error('the tool server has ended'))
    return new Promise((resolve, reject) => {
      // Whose input is shut is about to end, mostly: how it ends says more than that it could not be written to.
      const fail = (error: Error) => void Promise.race([this.#ended, sleep(GRACE)]).then(() => reject(error))
      stdin.write(serializeMessage(message), (error) => (error ? fail(error) : resolve()))
    })
  }

  /** Ends it as the protocol has it: its input ends, then SIGTERM, then SIGKILL, for the whole group. */
  async close(): Promise<void> {
    const pid = this.#child?.pid
    if (pid === undefined) return
    this.#child!.stdin?.end()
    for (const next of ['SIGTERM', 'SIGKILL'] as const) {
      if (await Promise.race([this.#ended.then(() => true), sleep(GRACE, false)])) return
      signal(pid, next)
    }
    await this.#ended
  }
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name)
  } catch {
    // Nobody of the group is left.
  }
}
