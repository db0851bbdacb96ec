import { EventEmitter } from 'node:events'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command of ours in this process, without a terminal: for what needs no process of its own, a second of CPU each. */
export async function captured(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  main: (own: NodeJS.Process) => Promise<number>,
): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const stream = (kept: string[]) =>
    Object.assign(new EventEmitter(), { isTTY: false, write: (text: string) => kept.push(text) > 0 })
  const own = Object.assign(new EventEmitter(), {
    ...{ argv: ['node', 'main', ...args], env, stdout: stream(out), stderr: stream(err) },
    stdin: Object.assign(new EventEmitter(), { isTTY: false }),
  })
  const code = await main(own as unknown as NodeJS.Process)
  return { code, stdout: out.join(''), stderr: err.join('') }
}
