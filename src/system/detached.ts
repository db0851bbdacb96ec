import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { DetachedOptions } from './system.ts'

export async function startDetached(
  [program = '', ...args]: readonly string[],
  { cwd, env, outputFile }: DetachedOptions,
): Promise<number> {
  const output = await open(outputFile, 'a', 0o600)
  try {
    const stdio = ['ignore', output.fd, output.fd] as const
    const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: [...stdio] })
    await once(child, 'spawn')
    child.unref()
    return child.pid!
  } finally {
    await output.close()
  }
}
