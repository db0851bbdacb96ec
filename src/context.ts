import { envPath, type Settings } from './config.ts'
import type { JobContext } from './jobs/job.ts'
import { reportQueries } from './queries.ts'
import { wireContainers } from './server-container.ts'
import { openReader, type Statement } from './store/reader.ts'
import { realSystem } from './system/real.ts'

/** Thrown out of a run whose own deadline has passed. */
export class DeadlineError extends Error {
  constructor() {
    super('the deadline has passed')
    this.name = 'DeadlineError'
  }
}

export interface ContextOptions {
  readonly settings: Settings
  /** Where docker and the settings file are; this process's own when absent. */
  readonly env?: NodeJS.ProcessEnv
  readonly zone: string
  /** The one instant of the run. */
  readonly now: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Wires the toolkit: the only place where a job's SQLite, machine and clock come from. (The server has its own wiring
 * in server.ts.) A deadline also ends a reading that is under way, between two rows.
 */
export function createContext({
  settings,
  env = process.env,
  zone,
  now,
  timeoutMs,
  signal,
}: ContextOptions): JobContext {
  const end = performance.now() + timeoutMs
  const check = () => {
    if (performance.now() > end) throw new DeadlineError()
  }
  return {
    now,
    zone,
    settings,
    system: realSystem,
    containers: wireContainers({ system: realSystem, envFile: envPath(env), dockerHost: env.DOCKER_HOST, signal }),
    signal,
    reader: ({ file = settings.SECURITY_DB_PATH, queries = Object.values<Statement>(reportQueries), busyMs } = {}) =>
      openReader(file, queries, { check, ...(busyMs === undefined ? {} : { busyMs }) }),
  }
}
