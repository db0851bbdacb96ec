import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { System } from '../system/system.ts'
import { type Container, containersOf, envFileOf, isStray, LABEL, type Service } from './compose-container.ts'
import { askOrFail, lastLine, troubleOf } from './compose-docker.ts'
import { differences, environments } from './compose-drift.ts'
import { handOver } from './compose-hand-over.ts'
import { complaint, composed, composedHash, invocation, type Tool, upCommand } from './compose-invocation.ts'
import { observeService } from './compose-observe.ts'
import { composeFailure, composeText } from './compose-words.ts'
import { becomesStable, type Look, readHealth } from './health.ts'
import { Failure, type Text } from './plan.ts'
import type { Runtime, RuntimeReference, Stability } from './runtime.ts'
import { textOf } from './words.ts'

export interface ComposeDeps {
  readonly system: System
  readonly now: () => number
  readonly stability: Stability
  /** The configuration of this folder: its server is preferred to any other. */
  readonly envFile: string
  /** Where Docker is, when the caller says so. */
  readonly dockerHost: string | undefined
  /** Settings that the caller's shell exports: compose does not get to see them. */
  readonly exported: readonly string[]
  /** Every setting and its default. */
  readonly defaults: Readonly<Record<string, string>>
}

export interface ComposeReference extends RuntimeReference {
  readonly kind: 'compose'
  readonly service: Service
  readonly tool: Tool
  readonly name: string
  readonly state: string
  readonly stopSeconds: number
  readonly how: 'folder' | 'image'
}

/** Stopping the old, making and starting the new container, on a machine that is busy. */
const UP_MS = 120_000
const LOGS_MS = 30_000
/** Another operator's compose, or one that was cut off, may be in the way; an engine may be starting again. */
const ATTEMPTS = 3
const ENGINE_MS = 30_000
const PAUSE_MS = 1_000
/** A server that has ended so often since it was made is not going to recover while we wait. */
const HOPELESS_RESTARTS = 2

/** The server in a container that compose made. */
export function composeRuntime(deps: ComposeDeps, reference: ComposeReference): Runtime {
  const { system } = deps
  const { service, tool, name } = reference
  const ran = !['created', 'exited', 'dead'].includes(reference.state)
  const up = upCommand(tool, service)

  /** Idempotent: it also starts what was made and not started, and clears away what a cut-off recreate left. */
  async function converge(): Promise<void> {
    const begun = performance.now()
    for (let attempt = 1; ; attempt++) {
      const result = await system.run(up, { timeoutMs: UP_MS })
      const engine = troubleOf(result)
      const problem = result.ok
        ? await unsettled().catch(textOf)
        : (engine ?? composeText('up_failed', { message: complaint(result) }))
      if (!problem) return
      const patient = engine ? performance.now() - begun < ENGINE_MS : attempt < ATTEMPTS
      if (!patient) throw new Failure(problem)
      await sleep(PAUSE_MS)
    }
  }

  /** What still differs from what compose was told to make. */
  async function unsettled(): Promise<Text | undefined> {
    const [containers, hash] = await Promise.all([containersOf(system, service), composedHash(system, tool, service)])
    const [container, ...others] = containers
    if (!container || others.length > 0 || isStray(container)) {
      return composeText('half_made', { names: containers.map((one) => one.name).join(', ') || '-' })
    }
    const made = container.labels[LABEL.hash] === hash
    return made && container.state !== 'created' ? undefined : composeText('not_settled', { state: container.state })
  }

  return {
    kind: 'compose',
    envFile: envFileOf(service),
    reference,
    target: `container ${name}`,
    outage: [1, reference.stopSeconds + 5],
    describe: () => describe(deps, reference, ran),
    commands: () => [up],
    observe: () => observeService(deps, reference),
    applyConfig: converge,
    handOver: (id, result) => handOver(system, service, id, result),

    async snapshot(folder) {
      const [container] = await containersOf(system, service)
      if (!container) return
      await keep(system, 'inspect', ['inspect', container.id], join(folder, 'container.json'))
      await keep(system, 'logs', logsOf(container), join(folder, 'container.log'))
    },

    async restore(folder) {
      await keepEvidence(system, service, folder)
      await converge()
      if (!ran) await system.run([...invocation(tool, service), 'stop', service.service], { timeoutMs: UP_MS })
    },

    async verifyEffective(expected, signal) {
      const look = looking(system, service)
      const first = await look()
      // It did not run, and whoever takes it back leaves it so: then its files are all there is to prove.
      if (!ran && first.who === undefined) return await assertTakenOver()
      await becomesStable(expected, { look, now: deps.now, stability: deps.stability, signal })
      await assertTakenOver()
    },
  }

  async function assertTakenOver(): Promise<void> {
    const [container] = await containersOf(system, service)
    if (!container) throw composeFailure('half_made', { names: '-' })
    const keys = differences(await environments(system, container, await composed(system, tool, service)))
    if (keys.length > 0) throw composeFailure('not_taken_over', { keys: keys.join(', ') })
  }
}

function describe({ exported }: ComposeDeps, reference: ComposeReference, ran: boolean): Text {
  const { service, tool, name, how, state } = reference
  const words = { directory: service.directory, tool: tool.words.join(' '), version: tool.version, name }
  const sentences = [
    composeText('found', { ...words, how: composeText(`how_${how}`) }),
    ...(ran ? [] : [composeText('starts', { state })]),
    ...(exported.length === 0 ? [] : [composeText('not_passed_on', { keys: exported.join(', ') })]),
  ]
  return { ko: sentences.map(({ ko }) => ko).join(' '), en: sentences.map(({ en }) => en).join(' ') }
}

/** One look after another, remembering how often each container had been restarted when it was seen first. */
function looking(system: System, service: Service): () => Promise<Look> {
  const restarts = new Map<string, number>()
  return async () => {
    const containers = await containersOf(system, service).catch(() => [])
    const container = containers.find((one) => !isStray(one))
    if (!container) return { who: undefined, health: undefined }
    const { id, startedAt, state, url } = container
    if (!restarts.has(id)) restarts.set(id, container.restarts)
    const more = container.restarts - restarts.get(id)!
    const ended = state === 'exited' || state === 'dead'
    if (ended || more >= HOPELESS_RESTARTS) {
      const logs = await askOrFail(system, 'logs', '--tail', '20', id).catch(() => undefined)
      const facts = { code: container.exitCode, log: lastLine(logs?.output ?? '') || '-' }
      const hopeless = ended
        ? composeText('has_ended', { ...facts, state })
        : composeText('keeps_ending', { ...facts, n: container.restarts })
      return { who: undefined, health: undefined, hopeless }
    }
    const health = state === 'running' && url ? await readHealth(system, url) : undefined
    return { who: `${id} ${startedAt} ${container.restarts}`, health }
  }
}

/** A recreate destroys what the container said; keeps it when it is not the one whose logs are kept already. */
async function keepEvidence(system: System, service: Service, folder: string): Promise<void> {
  try {
    const kept = await system.readText(join(folder, 'container.json')).catch(() => '')
    for (const container of await containersOf(system, service)) {
      if (kept.includes(container.id)) continue
      await keep(system, 'logs', logsOf(container), join(folder, `container-${container.id.slice(0, 12)}.log`))
    }
  } catch {
    // What it said is worth less than the server that is to come back.
  }
}

const logsOf = ({ id }: Container): string[] => ['logs', '--timestamps', '--since', '24h', id]

async function keep(system: System, what: string, words: readonly string[], outputFile: string): Promise<void> {
  const result = await system.run(['docker', ...words], {
    timeoutMs: LOGS_MS,
    outputFile,
    maxFileBytes: 100 * 1024 ** 2,
  })
  if (!result.ok) throw composeFailure('snapshot_failed', { what, message: lastLine(result.stderr) })
}
