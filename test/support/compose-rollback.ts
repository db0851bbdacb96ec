import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../../src/config.ts'
import type { Stability } from '../../src/rollback/runtime.ts'
import type { Ran } from './captured.ts'
import type { Project } from './compose-project.ts'
import { dockerEnv } from './docker.ts'
import { QUICK, REASON, rollback } from './rollback.ts'
import { environment, TSX } from './server.ts'

/** Believes a container after a second. */
const SOON: Stability = { ...QUICK, overMs: 1_000, withinMs: 30_000 }

/** `npm run rollback-disable -- ...` for the project's configuration, in this process. */
export const rollbackIn = (
  project: Project,
  args: readonly string[],
  { stability = SOON, env = {} }: { stability?: Stability; env?: Record<string, string> } = {},
): Promise<Ran> => rollback(project.folder, ['--runtime', 'compose', ...args], { env, seams: { stability } })

export const apply = (project: Project, stability?: Stability): Promise<Ran> =>
  rollbackIn(project, ['--yes', '--reason', REASON], stability ? { stability } : {})

/** The same as its own process, as cron or a shell starts it; `before` are words in front: another user, say. */
export async function rollbackMain(
  folder: string,
  args: readonly string[],
  { env = {}, before = [] }: { env?: Record<string, string>; before?: readonly string[] } = {},
): Promise<Ran & { readonly ms: number }> {
  const main = join(ROOT, 'ops/rollback-disable.ts')
  const [program = '', ...words] = [...before, process.execPath, '--import', TSX, main, '--lang', 'en', ...args]
  const began = performance.now()
  const child = spawn(program, words, {
    cwd: ROOT,
    env: { ...environment(folder), ...dockerEnv(), ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)))
  return { code, stdout, stderr, ms: performance.now() - began }
}
