import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { takeBackup } from '../../src/backup-take.ts'
import { backupsPath, type Config, KEYS, ROOT } from '../../src/config.ts'
import { createContext } from '../../src/context.ts'
import type { JobContext } from '../../src/jobs/job.ts'
import { readSql, sqlTime } from '../../src/sql.ts'
import { realSystem } from '../../src/system/real.ts'
import type { System } from '../../src/system/system.ts'

const HOUR = 3_600_000
/** Where the desk of the samples lives; what stands there is in a temporary folder. */
const HOME = '/srv/approval-ops'
const PID = 6203

/**
 * The world of a job at `now`, on the machine of the realistic month: its server answers, its disk has room, its
 * paths are those of an installation. All of it comes out the same everywhere; database and log are read as always.
 */
export function machineContext(config: Config, folder: string, now: number): JobContext {
  const settings = Object.fromEntries(
    Object.entries(config.settings).map(([key, value]) => [
      key,
      typeof value === 'string' ? shown(value, folder) : value,
    ]),
  ) as Config['settings']
  const real = (path: string) => path.replace(`${HOME}/data`, folder).replace(HOME, ROOT)
  const { signal } = new AbortController()
  const context = createContext({ settings, zone: 'Asia/Seoul', now, timeoutMs: 600_000, signal })
  const { system } = context
  const machine: System = {
    ...system,
    http: async ({ url }) => {
      if (!url.endsWith('/health')) throw new Error(`${url}: not in the samples`)
      return { answered: true, status: 200, headers: {}, text: JSON.stringify(health(config, folder, now)), ms: 4 }
    },
    statfs: async () => ({ free: 61_203_283_968, total: 126_692_069_376, type: 'ext4', remote: false }),
    async stat(path) {
      const facts = await system.stat(real(path))
      // The pages of a database depend on SQLite's version.
      return facts && path === settings.SECURITY_DB_PATH ? { ...facts, size: 6_340_608 } : facts
    },
    readText: (path, maxBytes) => system.readText(real(path), maxBytes),
    readFrom: (path, offset) => system.readFrom(real(path), offset),
    list: (path) => system.list(real(path)),
  }
  return {
    ...context,
    system: machine,
    containers: { server: async () => null },
    reader: (request = {}) => context.reader({ ...request, file: real(request.file ?? settings.SECURITY_DB_PATH) }),
  }
}

const shown = (text: string, folder: string): string => text.replace(folder, `${HOME}/data`).replace(ROOT, HOME)

/** What the server says of itself; see src/health.ts. */
function health({ given }: Config, folder: string, now: number): object {
  const started = Date.parse('2026-11-18T10:00:07Z')
  const absolute = (text: string) => (text.startsWith('./') ? `${HOME}${text.slice(1)}` : shown(text, folder))
  const effective = Object.fromEntries(KEYS.map((key) => [key, absolute(given[key])]))
  return {
    ...{
      status: 'ok',
      service: 'approval-ops',
      version: '0.1.0',
      pid: PID,
      started_at: new Date(started).toISOString(),
    },
    now: new Date(now).toISOString(),
    uptime_seconds: (now - started) / 1000,
    gate: { configured: true, effective: true, disabled_until: null },
    ...{ rbac: true, trust_user_header: false },
    policy: { path: `${HOME}/policy.json`, loaded_at: new Date(started).toISOString(), error: null },
    config: { loaded_at: new Date(started).toISOString(), error: null, effective },
    ...{ open: 0, max_pending: 50, store: { ok: true }, clock_behind_seconds: 0 },
  }
}

/** The server's log, last night's backup and the ledger of the scheduled jobs, as they are at `now`. */
export async function furnish(settings: Config['settings'], now: number): Promise<void> {
  const folder = dirname(settings.SECURITY_DB_PATH)
  await takeBackup({
    ...{ settings, envFile: `${folder}/.env`, system: realSystem, folder: backupsPath(settings), zone: 'Asia/Seoul' },
    ...{
      now: Date.parse('2026-11-22T18:30:00Z'),
      clock: () => Date.parse('2026-11-22T18:30:00Z'),
      checkDeadline() {},
      pause: async () => {},
    },
  })
  const line = (before: number, level: number, msg: string) =>
    JSON.stringify({ level, time: new Date(now - before).toISOString(), msg })
  const log = [
    line(30 * HOUR, 30, 'listening'),
    ...[7.2, 7.1, 6.9].map((hours) => line(hours * HOUR, 50, 'request failed: another program holds the database')),
    line(2 * HOUR, 40, 'policy: the old one stays in force'),
  ]
  writeFileSync(`${folder}/server.log`, `${log.join('\n')}\n`)
  const db = new Database(`${folder}/ops.db`)
  db.exec(readSql('migrations/ops/001-ledger'))
  const known = db.prepare('INSERT INTO scheduled_jobs (job, known_since) VALUES (?, ?)')
  const ran = db.prepare(`INSERT INTO job_runs (job, nominal_date, nominal, state, attempt, started_by, claimed_at,
      started_at, finished_at, exit_code, holder_host, holder_pid, holder_start, holder_boot)
    VALUES (?, ?, ?, 'DONE', 1, 'node-cron', ?, ?, ?, ?, 'desk-1', 1, '1', 'b')`)
  for (const job of ['daily-check', 'daily-report', 'weekly-summary', 'backup'])
    known.run(job, '2026-10-19 00:00:00.000')
  const run = (job: string, at: string, code: number) => {
    const [nominal, end] = [sqlTime(Date.parse(at)), sqlTime(Date.parse(at) + 2000)]
    ran.run(job, at.slice(0, 10), nominal, nominal, nominal, end, code)
  }
  run('daily-report', '2026-11-22T09:00:00Z', 1)
  run('daily-check', '2026-11-23T00:00:00Z', 1)
  run('weekly-summary', '2026-11-23T00:05:00Z', 1)
  db.prepare('INSERT INTO heartbeat (id, at, uptime, boot, settle_until) VALUES (1, ?, 1, ?, 0)').run(
    sqlTime(now - 20_000),
    'b',
  )
  db.close()
}
