import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, loadConfig, ROOT, serverFilePath } from './config.ts'
import { apply } from './rollback/apply.ts'
import { fileState } from './rollback/configure.ts'
import type { Engine, Outcome } from './rollback/engine.ts'
import { envBytes, envText } from './rollback/env-edit.ts'
import { Failure, Refusal } from './rollback/plan.ts'
import type { Args, Flags, RollbackContext, ScenarioCommand } from './rollback/scenario.ts'
import { undo } from './rollback/undo.ts'
import { failure, rollbackText, textOf } from './rollback/words.ts'
import { openLock } from './rollback-lock.ts'

interface Rehearsal {
  readonly command: ScenarioCommand
  readonly args: Args<Flags>
  readonly config: Config
  readonly context: RollbackContext
  readonly engine: Engine
  /** The same wiring for the copy's configuration. */
  readonly contextOf: (config: Config) => RollbackContext
}

const START_MS = 30_000
const LOOK_MS = 100
const END_MS = 10_000
const LONGEST_MS = 600_000
/** Loaded by the copy's server before itself: who is killed ends nobody, so the server looks whether we are there. */
const ENDS_WITH_US = `setInterval(() => process.ppid !== ${process.pid} && process.kill(process.pid), 1000).unref()`

/**
 * All of a rollback and its undo on a throwaway copy: its own data folder, its own server on a free port, the real
 * wiring. What it took is kept in `rehearsals.jsonl`, beside the records.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<Outcome> {
  const { command, config, context, engine } = rehearsal
  const { system, folder, now } = context
  if (!command.rehearsal) return { exit: 2, text: rollbackText('no_rehearsal') }
  const real = await fileState(system, config.envFile)
  const copy = join(tmpdir(), `approval-rehearsal-${system.newId()}`)
  await system.makeFolder(copy)
  let outcome: Outcome
  let times = {}
  try {
    const { apply_seconds, undo_seconds } = await perform(rehearsal, copy)
    times = { apply_seconds, undo_seconds }
    const again = await fileState(system, config.envFile)
    if (again?.sha256 !== real?.sha256) throw failure('rehearsal_touched', { file: config.envFile })
    const text = rollbackText('rehearsed', { apply: apply_seconds.toFixed(1), undo: undo_seconds.toFixed(1) })
    outcome = { exit: 0, text }
    await system.remove(copy)
  } catch (error) {
    outcome = { exit: 1, text: rollbackText('rehearsal_failed', { problem: textOf(error) }), next: `ls -l ${copy}` }
  }
  const { scenario } = command
  const at = new Date(now()).toISOString()
  const facts = {
    at,
    scenario,
    runtime: 'process',
    ok: outcome.exit === 0,
    ...times,
    by: engine.by,
    text: outcome.text,
  }
  try {
    await system.makeFolder(folder)
    await system.appendLine(join(folder, 'rehearsals.jsonl'), JSON.stringify(facts))
  } catch (error) {
    throw new Refusal(rollbackText('not_recorded', { summary: outcome.text, problem: textOf(error) }))
  }
  return outcome
}

async function perform(rehearsal: Rehearsal, copy: string): Promise<{ apply_seconds: number; undo_seconds: number }> {
  const { command, args, config, context, engine, contextOf } = rehearsal
  const { system } = context
  const { before = (text: string) => text, after } = command.rehearsal!
  const envFile = join(copy, '.env')
  const original = (await system.stat(config.envFile)) ? await system.readBytes(config.envFile) : Buffer.alloc(0)
  await system.replaceFile(envFile, envBytes(before(envText(original))))
  const env = {
    ...{ APPROVAL_ENV_FILE: envFile, HOST: '127.0.0.1', PORT: '0', APPROVAL_URL: '' },
    SECURITY_DB_PATH: join(copy, 'security.db'),
    OPS_DB_PATH: join(copy, 'ops.db'),
    LOG_PATH: join(copy, 'server.log'),
  }
  const copied = loadConfig(env)
  const server = await startServer(context, env, serverFilePath(copied.settings), copy)
  try {
    if (after) await system.replaceFile(envFile, envBytes(after(envText(await system.readBytes(envFile)))))
    const start = await fileState(system, envFile)
    const { url } = JSON.parse(await system.readText(serverFilePath(copied.settings))) as { url: string }
    const own: RollbackContext = {
      ...contextOf(copied),
      ...{ copy, server: { url, env: { ...env, APPROVAL_URL: url } } },
      ...{ reason: 'rehearsal on a throwaway copy', ticket: 'rehearsal' },
    }
    const ours: Engine = {
      ...engine,
      ...{ folder: own.folder, reason: own.reason, ticket: own.ticket },
      lock: openLock(system, own.folder),
      confirm: async () => true,
    }
    const rollback = command.create(own, args)
    const apply_seconds = await timed(() => apply(ours, rollback))
    const undo_seconds = await timed(() => undo(ours, rollback, undefined, false))
    if ((await fileState(system, envFile))?.sha256 !== start?.sha256) throw failure('file_wrong', { file: envFile })
    return { apply_seconds, undo_seconds }
  } finally {
    await server.end()
  }
}

/** Seconds; a run that did nothing is no rehearsal. */
async function timed(run: () => Promise<Outcome>): Promise<number> {
  const started = performance.now()
  const { exit, result, text } = await run()
  if (exit !== 0 || !result) throw new Failure(text)
  return (performance.now() - started) / 1000
}

async function startServer(
  { system }: RollbackContext,
  env: Readonly<Record<string, string>>,
  serverFile: string,
  copy: string,
): Promise<{ end: () => Promise<void> }> {
  const controller = new AbortController()
  const outputFile = join(copy, 'server-output.log')
  const argv = [
    process.execPath,
    ...['--import', `data:text/javascript,${encodeURIComponent(ENDS_WITH_US)}`],
    ...['--import', import.meta.resolve('tsx/esm')],
    join(ROOT, 'src/server.ts'),
    '--no-scheduler',
  ]
  let over = false
  const run = system
    .run(argv, { cwd: dirname(serverFile), env, outputFile, timeoutMs: LONGEST_MS, signal: controller.signal })
    .then(() => {
      over = true
    })
  const end = async () => {
    controller.abort()
    await Promise.race([run, sleep(END_MS, undefined, { ref: false })])
  }
  const until = performance.now() + START_MS
  while (!(await system.stat(serverFile))) {
    if (over || performance.now() > until) {
      await end()
      throw failure('server_not_up', { file: outputFile })
    }
    await sleep(LOOK_MS)
  }
  return { end }
}
