import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../../src/config.ts'

export const TSX = import.meta.resolve('tsx/esm')

/** A folder of its own, removed with `remove()`. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'approval-'))
  // Whoever was just killed may still be writing its last file there.
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) }
}

/** For tests that ask faster than people do. */
export const NO_LIMIT = { RATE_LIMIT_ENABLED: 'false' }

/** The environment under which everything of the product works in `dir` alone. */
export function environment(dir: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) =>
        !/^(APPROVAL_|OPS_|RBAC_|SECURITY_|POLICY_|MCP_|SANDBOX_|WORKSPACE_|LOG_PATH|HOST$|PORT$|VITEST|NODE_OPTIONS)/.test(
          key,
        ),
    ),
  )
  return {
    ...clean,
    SECURITY_DB_PATH: join(dir, 'security.db'),
    OPS_DB_PATH: join(dir, 'ops.db'),
    LOG_PATH: join(dir, 'server.log'),
    // No tool server, unless a test has one.
    MCP_CONFIG_PATH: join(dir, 'mcp.json'),
    WORKSPACE_PATH: join(dir, 'workspace'),
    APPROVAL_ENV_FILE: join(dir, '.env'),
    PORT: '0',
    ...more,
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever the server answered.
  readonly json: any
}

export interface RunningServer {
  readonly url: string
  readonly dir: string
  readonly env: NodeJS.ProcessEnv
  readonly child: ChildProcess
  readonly tokens: Readonly<Record<'admin_user' | 'dev_user', string>>
  /** What it printed so far, stdout and stderr. */
  output(): string
  /** Calls as `admin_user` unless told otherwise; null = without a token. */
  call(method: string, path: string, body?: unknown, as?: string | null, signal?: AbortSignal): Promise<Answer>
  /** A new request of dev_user, with arguments nobody else uses. */
  ask(code?: string): Promise<{ request_id: string; short_id: string; digest: string; expires_at: string }>
  kill(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts the real server as its own process, on a free port, and waits until it answers. */
export async function startServer(dir: string, more: Record<string, string> = {}): Promise<RunningServer> {
  const env = environment(dir, more)
  const child = spawn(process.execPath, ['--import', TSX, join(ROOT, 'src/server.ts'), '--no-scheduler'], {
    env,
    cwd: dir,
  })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (text += chunk))
  // Not 'exit': its last words may come after that.
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)))
  let over = false
  void ended.then(() => (over = true))
  let url: string | undefined
  while (!over && !url) {
    url = /http:\/\/\S+:\d+/.exec(text)?.[0]
    if (!url) await sleep(20)
  }
  if (!url) throw new Error(`the server did not start: ${text}`)
  const tokens = JSON.parse(readFileSync(join(dir, 'credentials.json'), 'utf8'))
  const call: RunningServer['call'] = (method, path, body, as = 'admin_user', signal) =>
    request(`${url}${path}`, method, body, as === null ? {} : { Authorization: `Bearer ${tokens[as] ?? as}` }, signal)
  return {
    ...{ url, dir, env, child, tokens, call },
    output: () => text,
    async ask(code = Math.random().toString(36)) {
      return (await call('POST', '/api/approvals', { tool_name: 'execute_python', arguments: { code } }, 'dev_user'))
        .json
    },
    kill(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** One HTTP call; a text or bytes as `body` go out as they are. */
export async function request(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as string }),
    ...(signal ? { signal } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text.startsWith('{') ? JSON.parse(text) : text }
}

/** Writes `.env` of the folder. */
export const writeEnv = (dir: string, text: string): void => writeFileSync(join(dir, '.env'), text)

/** Waits until `condition` holds; fails with its name when it never does. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  for (let left = seconds * 50; left > 0; left--) {
    if (await condition()) return
    await sleep(20)
  }
  throw new Error(`never: ${what}`)
}

/** The lines that are whole: whoever writes the next one may be half way through it. */
export const lines = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1).filter(Boolean) : []

export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
