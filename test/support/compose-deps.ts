import { RULES } from '../../src/config.ts'
import { composeRuntimeKind } from '../../src/rollback/compose-detect.ts'
import type { ComposeDeps } from '../../src/rollback/compose-runtime.ts'
import type { Expectation, Runtime } from '../../src/rollback/runtime.ts'
import { realSystem } from '../../src/system/real.ts'
import type { Project } from './compose-project.ts'

const defaults = Object.fromEntries(Object.entries(RULES).map(([key, { fallback }]) => [key, fallback]))

/** What the wiring gives the runtime, for the project's configuration; quick to believe a server. */
export const composeDeps = (project: Pick<Project, 'envFile'>, more: Partial<ComposeDeps> = {}): ComposeDeps => ({
  system: realSystem,
  now: Date.now,
  stability: { answers: 3, overMs: 1_000, everyMs: 200, withinMs: 90_000 },
  envFile: project.envFile,
  dockerHost: process.env.DOCKER_HOST,
  exported: [],
  defaults,
  ...more,
})

export async function runtimeOf(project: Project): Promise<Runtime> {
  const runtime = await composeRuntimeKind(composeDeps(project)).detect()
  if (!runtime) throw new Error('no container was found')
  return runtime
}

/** The gate off until further notice, nothing else asked. */
export const GATE_OFF: Expectation = {
  settings: { APPROVAL_WORKFLOW_ENABLED: 'false' },
  gate: { effective: false, until: null },
  unchanged: {},
}

export const GATE_ON: Expectation = {
  settings: { APPROVAL_WORKFLOW_ENABLED: 'true' },
  gate: { effective: true, until: null },
  unchanged: {},
}
