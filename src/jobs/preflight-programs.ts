import { join } from 'node:path'
import { z } from 'zod'
import { ROOT, rollbacksPath } from '../config.ts'
import type { Evidence } from '../report/preflight-data.ts'
import { shellWord } from '../report/unmeasured.ts'
import type { RunResult, System } from '../system/system.ts'
import type { JobContext } from './job.ts'
import { proof } from './preflight-checks.ts'

/** How a program of ours is started so that it sees the configuration that we see. */
export interface Programs {
  readonly node: string
  readonly env: Readonly<Record<string, string>>
}

export const SCENARIOS = ['disable', 'cli', 'env'] as const
type Scenario = (typeof SCENARIOS)[number]

/** A cold start of Node on a busy machine takes seconds. */
const PROGRAM_MS = 30_000
const REHEARSED_WITHIN = 90 * 86_400_000

const start = (system: Pick<System, 'run'>, { node, env }: Programs, ...args: string[]): Promise<RunResult> =>
  system.run([node, ...args], { cwd: ROOT, env, timeoutMs: PROGRAM_MS, killAfterMs: 1000 })

/** What it said last, as the toolkit's programs do: "cause. next command". */
const lastLine = ({ stderr, timedOut }: RunResult): string =>
  timedOut ? `${PROGRAM_MS / 1000} s` : (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300) || '–'

/** Makes the plan that somebody would make at night, by the same command; nothing is changed. */
export async function planOf(
  { system }: Pick<JobContext, 'system'>,
  programs: Programs,
  scenario: Scenario,
): Promise<Evidence> {
  const argv = ['--import', 'tsx/esm', `ops/rollback-${scenario}.ts`, '--dry-run', '--format', 'json']
  const result = await start(system, programs, ...argv)
  if (result.ok) return proof('plan.planned', 'ok', { scenario })
  const next = `npm run rollback-${scenario} -- --dry-run`
  const state = result.code === 2 ? 'critical' : 'unknown'
  return proof('plan.refused', state, { scenario, message: lastLine(result) }, { next })
}

const rehearsal = z.object({
  at: z.iso.datetime(),
  scenario: z.enum(SCENARIOS),
  ok: z.boolean(),
  apply_seconds: z.number().optional(),
  undo_seconds: z.number().optional(),
  text: z.object({ ko: z.string(), en: z.string() }),
})

/** The last rehearsal of each rollback, as `--rehearse` recorded it. */
export async function rehearsals({
  system,
  settings,
  now,
}: Pick<JobContext, 'system' | 'settings' | 'now'>): Promise<Evidence[]> {
  const path = join(rollbacksPath(settings), 'rehearsals.jsonl')
  const text = (await system.stat(path)) === null ? '' : await system.readText(path)
  const all = text.split('\n').flatMap((line) => rehearsal.safeParse(parsed(line)).data ?? [])
  return SCENARIOS.map((scenario) => {
    const last = all.findLast((one) => one.scenario === scenario && Date.parse(one.at) <= now)
    const next = `npm run rollback-${scenario} -- --rehearse`
    if (!last) return proof('rehearsal.never', 'critical', { scenario }, { next })
    const { at, ok, text: said } = last
    if (!ok) return proof('rehearsal.failed', 'critical', { scenario, message: said.en }, { at, next })
    if (now - Date.parse(at) > REHEARSED_WITHIN) return proof('rehearsal.old', 'critical', { scenario }, { at, next })
    const seconds = (value: number | undefined) => value?.toFixed(1) ?? null
    const facts = { scenario, apply_seconds: seconds(last.apply_seconds), undo_seconds: seconds(last.undo_seconds) }
    return proof('rehearsal.passed', 'ok', facts, { at })
  })
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** A real call of the approver's command line that only reads. */
export async function commandLine({ system }: Pick<JobContext, 'system'>, programs: Programs): Promise<Evidence> {
  const result = await start(system, programs, join(ROOT, 'bin/approval.js'), 'list', '--json')
  const body = parsed(result.stdout) as { count?: unknown } | undefined
  const took_millis = Math.round(result.ms)
  if (result.ok && typeof body?.count === 'number') {
    return proof('tool.works', 'ok', { open: body.count, took_millis })
  }
  const facts = { exit_code: result.code, message: result.ok ? '–' : lastLine(result) }
  return proof('tool.failed', 'critical', facts, { next: 'npx approval list' })
}

const PENDING = "SELECT COUNT(*) FROM approval_requests WHERE status = 'pending';"

/** The one-liners of the guide need the shell of SQLite; it opens the file for reading alone. */
export async function sqliteShell({ system, settings }: Pick<JobContext, 'system' | 'settings'>): Promise<Evidence> {
  const path = settings.SECURITY_DB_PATH
  const result = await system.run(['sqlite3', '-readonly', path, PENDING], { timeoutMs: 5000, killAfterMs: 500 })
  if (result.ok && /^\d+\n$/.test(result.stdout)) return proof('sql.shell', 'ok', { rows: Number(result.stdout) })
  if (result.code === 127 || result.code === null) {
    return proof('sql.no_shell', 'warning', {}, { next: 'apt-get install sqlite3' })
  }
  const next = `sqlite3 -readonly ${shellWord(path)} "${PENDING}"`
  return proof('sql.shell_failed', 'critical', { message: lastLine(result) }, { next })
}
