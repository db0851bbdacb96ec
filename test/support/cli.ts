import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { onTestFinished } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { Terminal } from '../../src/cli/terminal.ts'
import { ROOT } from '../../src/config.ts'
import { until } from './server.ts'

export const PROGRAM = join(ROOT, 'bin/approval.js')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of stderr: "cause. next command". */
  readonly last: string
}

export interface Started {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Waits until stdout and stderr together contain the text. */
  sees(text: string): Promise<void>
  readonly finished: Promise<Finished>
}

/** Starts the real program as a child process, without a terminal. English unless the arguments say otherwise. */
export function startCli(env: NodeJS.ProcessEnv, args: readonly string[], input?: string | Uint8Array): Started {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { OPS_LANG: 'en', ...env }, cwd: '/' })
  // A test that fails must not leave a caller that waits, or a watcher, behind.
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
  child.stdin.on('error', () => undefined).end(input)
  const finished = new Promise<Finished>((resolve) =>
    child.on('close', (code) => resolve({ code, stdout, stderr, last: stderr.trimEnd().split('\n').at(-1) ?? '' })),
  )
  return {
    ...{ child, finished, stdout: () => stdout, stderr: () => stderr },
    sees: (text) => until(`"${text}" in ${stdout}${stderr}`, () => (stdout + stderr).includes(text)),
  }
}

/** The same program within this process: for what needs no process of its own, a second of CPU each. */
export async function cliHere(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> {
  const [stdout, stderr, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()]
  stdin.end()
  const terminal = new Terminal({ stdin, stdout, stderr } as unknown as ConstructorParameters<typeof Terminal>[0])
  const around = { env: { OPS_LANG: 'en', ...env }, terminal, signal: new AbortController().signal, self: PROGRAM }
  const code = await runProgram(args, around)
  const [out, err] = [stdout, stderr].map((stream) => String(stream.end().read() ?? '')) as [string, string]
  return { code, stdout: out, stderr: err, last: err.trimEnd().split('\n').at(-1) ?? '' }
}

export const cli = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> => startCli(env, args).finished

export interface OnTerminal {
  /** Everything written so far, escape sequences removed. */
  text(): string
  /** The same, as written. */
  raw(): string
  type(keys: string): void
  /** Waits for a text that comes after what was last waited for. */
  sees(text: string): Promise<void>
  readonly exit: Promise<number | null>
  stop(): void
}

/**
 * Runs a shell command on a pseudo terminal of 80 x 40, by script(1) of util-linux. In bash, whatever SHELL says: dash
 * ends with its command at a Ctrl-C, and could not tell how that ended.
 */
export function onTerminal(env: NodeJS.ProcessEnv, command: string): OnTerminal {
  const child = spawn('script', ['-qec', `stty cols 80 rows 40; ${command}`, '/dev/null'], {
    env: { OPS_LANG: 'en', TERM: 'xterm-256color', ...env, SHELL: '/bin/bash' },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  let raw = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (chunk) => (raw += chunk))
  child.stdin.on('error', () => undefined)
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve))
  const text = () => stripVTControlCharacters(raw)
  return {
    ...{ text, exit, raw: () => raw },
    type: (keys) => void child.stdin.write(keys),
    async sees(wanted) {
      await until(`"${wanted}" after ${JSON.stringify(text().slice(seen))}`, () => text().indexOf(wanted, seen) >= 0)
      seen = text().indexOf(wanted, seen) + wanted.length
    },
    stop: () => void child.kill('SIGKILL'),
  }
}
