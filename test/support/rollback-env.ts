import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'
import { configCommand } from '../../src/config-command.ts'
import { env as envScenario } from '../../src/rollback/env.ts'
import { rollbackCommand, type Seams } from '../../src/rollback-command.ts'
import { captured, type Ran } from './captured.ts'
import { environment, TSX } from './server.ts'

/** Quick to believe a server. */
const QUICK = { answers: 3, overMs: 200, everyMs: 50, withinMs: 8_000 }

/** `npm run rollback-env -- ...` in this process. */
export async function rollbackEnv(
  dir: string,
  args: readonly string[],
  { env = {}, seams = {} }: { env?: Record<string, string>; seams?: Seams } = {},
): Promise<Ran> {
  return await captured(['--lang', 'en', '--runtime', 'process', ...args], environment(dir, env), (own) =>
    rollbackCommand(envScenario, own, { stability: QUICK, ...seams }),
  )
}

export const apply = (dir: string, ...more: string[]): Promise<Ran> =>
  rollbackEnv(dir, ['--yes', '--reason', 'the settings do not match', ...more])

export const undo = (dir: string, ...more: string[]): Promise<Ran> =>
  rollbackEnv(dir, ['undo', '--yes', '--reason', 'the settings do not match', ...more])

/** `npm run config -- compare` in this process. */
export const compareIn = (dir: string, ...args: string[]): Promise<Ran> =>
  captured(['compare', '--lang', 'en', ...args], environment(dir), (own) => configCommand(own))

/**
 * The same as a process of its own, which gets the signal at the moment named, if it gets there. The moments it passed,
 * and what ended it.
 */
export async function killedAt(
  dir: string,
  moment: string | null,
  args: readonly string[],
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<{ moments: string[]; ended: number | string; text: string }> {
  const main = join(ROOT, 'test/support/rollback-env-victim.ts')
  const words = ['--lang', 'en', '--runtime', 'process', '--yes', '--reason', 'the settings do not match', ...args]
  const child = spawn(process.execPath, ['--import', TSX, main, moment ?? '-', signal, ...words], {
    ...{ env: environment(dir), cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  })
  const moments: string[] = []
  let text = ''
  child.on('message', (passed: string) => moments.push(passed))
  child.stdout!.on('data', (chunk) => (text += chunk))
  child.stderr!.on('data', (chunk) => (text += chunk))
  const ended = await new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'gone')),
  )
  return { moments, ended, text }
}
