import { cliText } from './cli-words.ts'
import { Failure } from './plan.ts'
import type { RollbackContext } from './scenario.ts'

/** A call that goes through the restored files to the server and changes nothing there. */
export interface Check {
  readonly argv: readonly string[]
  /** As people read it. */
  readonly label: string
  readonly cwd: string
  /** What is printed must be the server's list of waiting requests. */
  readonly list: boolean
}

const CHECK_MS = 60_000
/** What the caller CLI says when no server answers. */
const UNREACHABLE = 69

/** @throws Failure with what the call said when it did not work, or when nobody can know */
export async function check(
  { system, server }: Pick<RollbackContext, 'system' | 'server'>,
  { argv, label: command, cwd, list }: Check,
  signal?: AbortSignal,
): Promise<void> {
  const {
    ok,
    code,
    timedOut,
    stdout,
    output,
    signal: ended,
  } = await system.run(argv, {
    ...{ timeoutMs: CHECK_MS, cwd, env: server.env },
    ...(signal ? { signal } : {}),
  })
  const said = output.trim().split('\n').at(-1)?.slice(0, 300) || '-'
  if (timedOut) throw new Failure(cliText('check_hangs', { command, seconds: CHECK_MS / 1000 }))
  if (list && code === UNREACHABLE) throw new Failure(cliText('check_impossible', { said }))
  if (!ok) throw new Failure(cliText('check_failed', { command, code: code ?? ended ?? '?', said }))
  if (list && !isList(stdout)) throw new Failure(cliText('check_odd', { command, said }))
}

function isList(text: string): boolean {
  try {
    const { pending_approvals, count } = JSON.parse(text) as { pending_approvals?: unknown; count?: unknown }
    return Array.isArray(pending_approvals) && typeof count === 'number'
  } catch {
    return false
  }
}
