import { LIMITS, type Limits, Refusal } from './limits.ts'
import { type Ran, run, SandboxFailure } from './run.ts'
import { plain, sandboxed } from './sandbox.ts'
import { ownerOf } from './workspace.ts'

export interface ProgramSettings {
  readonly workspace: string
  /** false: SANDBOX_ENABLED=false was set. */
  readonly sandbox: boolean
  readonly limits?: Limits
}

const WAY_OUT =
  'Nothing was run. The sandbox needs bubblewrap 0.8 or newer (apt-get install bubblewrap), and a system that lets it ' +
  'make namespaces (most containers do not). SANDBOX_ENABLED=false runs programs without it; every check then warns.'

/**
 * Runs a program on the workspace.
 * @param timeout s
 * @throws Refusal when the sandbox is not to be had: without it nothing runs
 */
export async function runProgram(
  program: readonly string[],
  timeout: number,
  { workspace, sandbox, limits = LIMITS }: ProgramSettings,
  signal: AbortSignal,
): Promise<Ran> {
  if (process.platform !== 'linux') throw new Refusal('programs run on Linux alone: nothing else limits them')
  const wanted = { program, workspace, limits, owner: ownerOf(workspace), cpu: timeout + 1 }
  const options = { limits, workspace, deadline: timeout * 1000, signal }
  if (!sandbox) return run(plain(wanted), options)
  try {
    return await run(sandboxed(wanted), options)
  } catch (error) {
    if (error instanceof SandboxFailure) throw new Refusal(`${error.message}. ${WAY_OUT}`, { cause: error })
    throw error
  }
}
