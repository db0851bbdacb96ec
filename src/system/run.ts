import type { ChildProcess } from 'node:child_process'
import { $, quote } from 'zx/core'
import { forgetGroup, rememberGroup, signalGroup } from './groups.ts'
import { OutputFile } from './output-file.ts'
import type { RunOptions, RunResult } from './system.ts'
import { Tail } from './tail.ts'

const KILL_AFTER_MS = 5_000
/** How long a program that has ended may leave its output open (a child of it still holds the pipe). */
const DRAIN_MS = 2_000
const MAX_OUTPUT_BYTES = 1024 * 1024

/**
 * What a program sees of our environment. The rest stays out: ZX_* would change what zx runs, LANG how programs write
 * numbers, secrets of ours are nobody's business.
 */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'XDG_RUNTIME_DIR', 'SSH_AUTH_SOCK']
const INHERITED_PREFIX = /^DOCKER_/
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export async function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  if (argv.length === 0 || argv.some((word) => word.includes('\0'))) {
    throw new TypeError('a command is at least one word, and no word contains a NUL')
  }
  const started = performance.now()
  const limit = options.maxOutputBytes ?? MAX_OUTPUT_BYTES
  const store = { stdout: new Tail(limit), stderr: new Tail(limit), stdall: new Tail(limit) }
  const held = options.beforeStart !== undefined
  // `exec`: the program takes bash's place, so that its signals and exit code are its own. `read`: a held program
  // waits for a line from us; our death closes the pipe, and then it ends without having begun.
  const command = $({
    quiet: true,
    verbose: false,
    nothrow: true,
    detached: true,
    preferLocal: false,
    shell: '/bin/bash',
    // zx finds its quoting by looking for bash in PATH, and has none where there is no PATH.
    quote,
    prefix: held ? 'read -r && exec ' : 'exec ',
    postfix: held ? ' </dev/null' : '',
    stdio: [options.input || held ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: scrubbedEnv(process.env, options.env),
    store,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input ? { input: options.input } : {}),
  })`${argv}`
  const child = command.child as ChildProcess
  const keepOutput = options.outputFile === undefined ? null : new OutputFile(options.outputFile, options.maxFileBytes)
  if (keepOutput) keepOutput.follow(child)
  const { onOutput } = options
  if (onOutput) {
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (bytes: Buffer) => onOutput(stream, bytes))
    }
  }
  const watch = watchOver(child, options)
  const released = options.beforeStart && child.pid !== undefined ? release(child, options.beforeStart) : undefined
  const [output, refused] = await Promise.all([command, released])
  const timedOut = watch()
  keepOutput?.close()
  if (refused) throw refused.reason
  const { exitCode: code, signal } = output
  const failedToStart = child.pid === undefined ? `could not start ${argv[0]}: ${output.cause ?? 'no process'}` : ''
  return {
    ok: code === 0 && !timedOut,
    code: child.pid === undefined ? null : code,
    signal,
    timedOut,
    stdout: store.stdout.text(),
    stderr: failedToStart || store.stderr.text(),
    output: failedToStart || store.stdall.text(),
    ms: performance.now() - started,
  }
}

async function release(
  child: ChildProcess,
  beforeStart: (pid: number) => Promise<void>,
): Promise<{ reason: unknown } | undefined> {
  try {
    await beforeStart(child.pid!)
    child.stdin?.end('\n')
    return undefined
  } catch (reason) {
    child.stdin?.destroy()
    return { reason }
  }
}

/** Deadline, abort, and the end of the whole group. The answer stops the watch and says whether time ran out. */
function watchOver(child: ChildProcess, options: RunOptions): () => boolean {
  const { pid } = child
  if (pid === undefined) return () => false
  const timers: NodeJS.Timeout[] = []
  let timedOut = false
  const end = (): void => {
    signalGroup(pid, 'SIGTERM')
    timers.push(setTimeout(() => signalGroup(pid, 'SIGKILL'), options.killAfterMs ?? KILL_AFTER_MS))
  }
  const closeOutput = (): void => {
    signalGroup(pid, 'SIGKILL')
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
  rememberGroup(pid)
  // The program may end without reading its input: then the rest of it is not an error of ours.
  child.stdin?.on('error', () => {})
  child.once('exit', () => timers.push(setTimeout(closeOutput, DRAIN_MS)))
  timers.push(
    setTimeout(() => {
      timedOut = true
      end()
    }, options.timeoutMs),
  )
  if (options.signal?.aborted) end()
  options.signal?.addEventListener('abort', end, { once: true })
  return () => {
    for (const timer of timers) clearTimeout(timer)
    options.signal?.removeEventListener('abort', end)
    signalGroup(pid, 'SIGKILL')
    forgetGroup(pid)
    return timedOut
  }
}

function scrubbedEnv(own: NodeJS.ProcessEnv, added: RunOptions['env'] = {}): Record<string, string> {
  // A top-level bash whose stdin is a socket, as Node's pipes are, believes that rshd started it and runs ~/.bashrc.
  const env: Record<string, string> = { PATH, LANG: 'C.UTF-8', SHLVL: '1' }
  for (const [name, value] of Object.entries(own)) {
    if (value && (INHERITED.includes(name) || INHERITED_PREFIX.test(name))) env[name] = value
  }
  return { ...env, ...added }
}
