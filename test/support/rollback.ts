import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'
import { disable } from '../../src/rollback/disable.ts'
import { rollbackWords } from '../../src/rollback/words.ts'
import { rollbackCommand } from '../../src/rollback-command.ts'
import type { Seams } from '../../src/rollback-context.ts'
import { captured, type Ran } from './captured.ts'
import { environment, TSX } from './server.ts'

/** How often a rollback has said that it heard this signal: whoever sends one waits for that before it may go on. */
export function heard(text: string, signal: NodeJS.Signals): number {
  const say = rollbackWords('en')
  return text.split(signal === 'SIGHUP' ? say('hangup') : say('safe_point', { signal })).length - 1
}

/** Quick to believe a server: the tests are about what happens, not about how long it is watched. */
export const QUICK = { answers: 3, overMs: 200, everyMs: 50, withinMs: 30_000 }
export const REASON = 'the desk does not answer'

/** `npm run rollback-disable -- ...` in this process. Containers of other tests are none of its business. */
export async function rollback(
  dir: string,
  args: readonly string[],
  { env = {}, seams = {} }: { env?: Record<string, string>; seams?: Seams } = {},
): Promise<Ran> {
  return await captured(['--lang', 'en', '--runtime', 'process', ...args], environment(dir, env), (own) =>
    rollbackCommand(disable, own, { stability: QUICK, ...seams }),
  )
}

export const apply = (dir: string, ...more: string[]): Promise<Ran> =>
  rollback(dir, ['--yes', '--reason', REASON, ...more])

export const undo = (dir: string, ...more: string[]): Promise<Ran> =>
  rollback(dir, ['undo', '--yes', '--reason', 'all is well again', ...more])

/** The same as a process of its own, which stops at the points that are named until it is told to go on. */
export interface Victim {
  readonly child: ChildProcess
  /** The next point at which it stands. `undefined`: it has ended. */
  reached(): Promise<string | undefined>
  /** Lets it go on. */
  release(): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly text: () => string
}

export function startVictim(dir: string, points: readonly string[], args: readonly string[]): Victim {
  const main = join(ROOT, 'test/support/rollback-victim.ts')
  const argv = ['--import', TSX, main, JSON.stringify(points), '--lang', 'en', '--runtime', 'process', ...args]
  const child = spawn(process.execPath, argv, {
    env: environment(dir),
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  child.stdout!.on('data', (chunk) => (text += chunk))
  child.stderr!.on('data', (chunk) => (text += chunk))
  const points_: string[] = []
  const waiting: ((point: string | undefined) => void)[] = []
  child.on('message', (point: string) => {
    const next = waiting.shift()
    if (next) next(point)
    else points_.push(point)
  })
  let over = false
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => {
      over = true
      for (const next of waiting.splice(0)) next(undefined)
      resolve(code ?? signal ?? 'gone')
    }),
  )
  return {
    child,
    ended,
    reached: () =>
      points_.length > 0 || over ? Promise.resolve(points_.shift()) : new Promise((resolve) => waiting.push(resolve)),
    release: () => void (child.connected && child.send('go', () => {})),
    text: () => text,
  }
}

/** Everything under a folder: names, modes, sizes, times and bytes. The database's own files come and go with readers. */
export function fingerprint(dir: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (/^security\.db|^server\.log/.test(name)) continue
    const path = join(dir, name)
    const facts = lstatSync(path)
    const bytes = facts.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
    found[name] = `${facts.mode} ${facts.size} ${facts.mtimeMs} ${facts.ino} ${bytes}`
  }
  return found
}
