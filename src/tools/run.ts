import { spawn } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { Tail } from '../system/tail.ts'
import { type Limits, Refusal } from './limits.ts'
import type { Start } from './sandbox.ts'

/** How a program ended. */
export interface Ran {
  readonly stdout: string
  readonly stderr: string
  /** null when it was ended before it could end; 128 + n when signal n ended it. */
  readonly exit_code: number | null
  readonly timed_out: boolean
  /** Only the last bytes of its output were kept. */
  readonly cut: boolean
}

export interface RunOptions {
  readonly limits: Limits
  readonly workspace: string
  /** ms */
  readonly deadline: number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** What a shell says when there is no such program. */
const NOT_FOUND = 127

/** The program was not reached. */
export class SandboxFailure extends Error {}

/**
 * Ends the whole group as soon as descriptor 4 closes, which it does when this process ends, in whatever way: neither
 * bwrap's --die-with-parent nor setpriv's --pdeathsig holds from the first moment on, or for all that was started.
 */
const WATCHED = ['-c', '(read -r _ <&4; kill -KILL 0) >/dev/null 2>&1 3>&- & exec "$@" 4<&-', 'sh']

/** How long a program that has ended may leave its output open, ms. */
const DRAIN = 2000
/** How often the disk is looked at, ms. */
const LOOK = 250

/** Groups that are alive: none of them outlives this process. */
const groups = new Set<number>()
process.on('exit', () => groups.forEach(kill))

/**
 * Runs a program to its end, or ends it and all that it started at the deadline.
 * @throws Refusal when the disk is full, SandboxFailure, or why the first word could not be started
 */
export async function run(start: Start, { limits, workspace, deadline, signal }: RunOptions): Promise<Ran> {
  await assertFree(workspace, limits.free)
  signal.throwIfAborted()
  const child = spawn('/bin/sh', [...WATCHED, ...start.argv], {
    ...{ cwd: start.cwd, env: start.env, detached: true },
    stdio: ['ignore', 'pipe', 'pipe', start.reports ? 'pipe' : 'ignore', 'pipe'],
  })
  const { pid } = child
  const stdout = collect(child.stdout!, limits.output)
  const stderr = collect(child.stderr!, limits.output)
  child.stdio[4]!.on('error', () => undefined)
  const status = start.reports ? collect(child.stdio[3] as Readable, 4096) : undefined
  let ended: 'timeout' | 'abort' | Refusal | undefined
  const end = (why: NonNullable<typeof ended>) => {
    ended ??= why
    if (pid !== undefined) kill(pid)
  }
  const abort = () => end('abort')
  const timers = [
    setTimeout(() => end('timeout'), deadline),
    setInterval(() => void assertFree(workspace, limits.free).catch(end), LOOK),
  ]
  signal.addEventListener('abort', abort)
  if (pid !== undefined) groups.add(pid)
  try {
    const { code, by } = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, by) => resolve({ code, by }))
      child.on('exit', () => {
        // What it left behind would hold its output open.
        kill(pid!)
        const drained = setTimeout(() => {
          for (const stream of child.stdio) stream?.destroy()
        }, DRAIN)
        child.on('close', () => clearTimeout(drained))
      })
    })
    if (ended instanceof Refusal) throw ended
    signal.throwIfAborted()
    if (ended === undefined && status && !status.text().includes('"exit-code"')) {
      const why = stderr.text().trim() || `bwrap ended with ${code ?? by}`
      throw new SandboxFailure(
        code === NOT_FOUND ? 'bubblewrap (bwrap) is not installed' : `the sandbox could not be set up: ${why}`,
      )
    }
    return {
      ...{ stdout: stdout.text(), stderr: stderr.text(), cut: stdout.cut() || stderr.cut() },
      exit_code: ended ? null : by ? 128 + constants.signals[by] : code,
      timed_out: ended === 'timeout',
    }
  } finally {
    timers.forEach(clearTimeout)
    signal.removeEventListener('abort', abort)
    if (pid !== undefined) groups.delete(pid)
  }
}

function collect(stream: Readable, limit: number) {
  const tail = new Tail(limit)
  let bytes = 0
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    tail.push(chunk)
  })
  return { text: () => tail.text(), cut: () => bytes > limit }
}

async function assertFree(folder: string, least: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= least) return
  throw new Refusal(`less than ${Math.round(least / 1024 ** 2)} MiB are left on the disk of ${folder}; make room there`)
}

function kill(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nobody of the group is left.
  }
}
