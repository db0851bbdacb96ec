import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../src/config.ts'

const TSX = import.meta.resolve('tsx')

export interface Child {
  readonly url: string
  readonly dir: string
  readonly pid: number
  readonly tokens: { readonly admin_user: string; readonly dev_user: string }
  stop(): Promise<void>
}

/** The real server, on a database of its own, with room for as many requests as a bench makes. */
export async function ours(more: Record<string, string> = {}): Promise<Child> {
  const dir = mkdtempSync(join(tmpdir(), 'approval-bench-'))
  const env = {
    ...process.env,
    SECURITY_DB_PATH: join(dir, 'security.db'),
    OPS_DB_PATH: join(dir, 'ops.db'),
    LOG_PATH: join(dir, 'server.log'),
    APPROVAL_ENV_FILE: join(dir, '.env'),
    // What is measured here is the desk, and one user calls thousands of times.
    RATE_LIMIT_ENABLED: 'false',
    PORT: '0',
    APPROVAL_MAX_PENDING: '1000000',
    APPROVAL_TIMEOUT: '3600',
    ...more,
  }
  const child = spawn(process.execPath, ['--import', TSX, join(ROOT, 'src/server.ts'), '--no-scheduler'], { env })
  const url = await printed(child, /http:\/\/\S+:\d+/)
  return { ...running(child, url, dir), tokens: JSON.parse(readFileSync(join(dir, 'credentials.json'), 'utf8')) }
}

/** The same HTTP library with nothing behind it, or with one durable insert. */
export async function bare(mode: 'none' | 'insert'): Promise<Child> {
  const dir = mkdtempSync(join(tmpdir(), 'approval-bench-'))
  const child = spawn(process.execPath, [
    '--import',
    TSX,
    join(ROOT, 'bench/bare-server.ts'),
    mode,
    join(dir, 'bare.db'),
  ])
  const port = await printed(child, /^\d+/)
  return { ...running(child, `http://127.0.0.1:${port}`, dir), tokens: { admin_user: '', dev_user: '' } }
}

function running(child: ChildProcess, url: string, dir: string) {
  return {
    ...{ url, dir, pid: child.pid! },
    async stop() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = ''
  child.stderr?.on('data', (chunk) => process.stderr.write(chunk))
  for await (const chunk of child.stdout!) {
    text += chunk
    const found = pattern.exec(text)
    if (found && text.includes('\n')) {
      child.stdout!.resume()
      return found[0]
    }
  }
  throw new Error(`did not start: ${text}`)
}

/** CPU seconds that a process has used so far; Linux only. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
