import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessIdentity, System } from '../system/system.ts'
import { becomesStable, type Look, readHealth } from './health.ts'
import { Refusal } from './plan.ts'
import type { Expectation, Health, Observed, Runtime, RuntimeKind, RuntimeReference, Stability } from './runtime.ts'
import { failure, rollbackText } from './words.ts'

/** What a running server writes beside its database, and removes when it stops. */
export interface ServerFile {
  readonly process: ProcessIdentity
  readonly url: string
  readonly env_file: string
}

export interface ProcessDeps {
  readonly system: System
  readonly now: () => number
  readonly stability: Stability
  /** Where the server of this configuration writes that file. */
  readonly serverFile: string
  /** What configures a server that is started now. */
  readonly envFile: string
  readonly configured: (envFile: string) => Promise<Readonly<Record<string, string>>>
  /** Keys that only a start reads: a reload cannot change them. */
  readonly startOnly: ReadonlySet<string>
}

interface Reference extends RuntimeReference {
  readonly kind: 'process' | 'none'
  readonly serverFile: string
  readonly envFile: string
  /** The pid that was seen, for people. */
  readonly pid: number | null
}

/** The server reads its files again within this time, or it does not do so at all. */
const TAKE_OVER_MS = 10_000
/** A supervisor starts a server again within this time, or there is none. */
const SUPERVISOR_MS = 3_000
const START_MS = 20_000
const LOOK_MS = 100

/** The server of `npm start`, and the case that no server runs: then only the file is edited. */
export function processRuntimeKind(deps: ProcessDeps): RuntimeKind {
  return {
    kind: 'process',
    async detect() {
      const server = await runningServer(deps.system, deps.serverFile)
      const { serverFile } = deps
      if (!server) return undefined
      const reference = { kind: 'process', serverFile, envFile: server.env_file, pid: server.process.pid } as const
      return processRuntime(deps, reference)
    },
    open: (reference) => processRuntime(deps, reference as Reference),
  }
}

export function noRuntime(deps: ProcessDeps): Runtime {
  const { serverFile, envFile } = deps
  return processRuntime(deps, { kind: 'none', serverFile, envFile, pid: null })
}

function processRuntime(deps: ProcessDeps, reference: Reference): Runtime {
  const { system } = deps
  const { kind, envFile, serverFile, pid } = reference
  const server = () => runningServer(system, serverFile)

  async function applyConfig(): Promise<void> {
    const running = await server()
    if (!running) {
      if (kind === 'none') return
      throw failure('server_ended')
    }
    await reload(system, running, Math.min(TAKE_OVER_MS, deps.stability.withinMs))
  }

  return {
    kind,
    envFile,
    reference,
    target: kind === 'none' ? 'no server' : `process ${pid}`,
    outage: [0, 0],
    describe: () =>
      kind === 'none'
        ? rollbackText('runtime_none', { file: envFile })
        : rollbackText('runtime_process', { pid: pid ?? 0, file: serverFile }),
    commands: () => (kind === 'none' ? [] : [['kill', '-HUP', String(pid)]]),
    observe: () => observe(deps, reference),
    async assertReady() {
      await observe(deps, reference)
    },

    async snapshot(folder) {
      const running = await server()
      if (!running) return
      const start = await invocation(system, running.process.pid)
      if (start) await system.replaceFile(join(folder, 'process.json'), `${JSON.stringify(start, null, 2)}\n`)
    },

    applyConfig,

    async restore(folder) {
      if (await server()) {
        // A server that reads nothing has also not read what was taken back.
        await applyConfig().catch(() => {})
      }
      if (kind === 'none' || (await appears(system, serverFile, SUPERVISOR_MS))) return
      const path = join(folder, 'process.json')
      if (!(await system.stat(path))) throw failure('server_lost')
      const { argv, cwd, env } = JSON.parse(await system.readText(path)) as Invocation
      const outputFile = join(folder, 'server-output.log')
      await system.startDetached(argv, { cwd, env, outputFile })
      if (await appears(system, serverFile, START_MS)) return
      throw failure('server_not_up', { file: outputFile })
    },

    async verifyEffective(expected, signal) {
      if (kind === 'none' && !(await server())) return await configuredAs(deps, envFile, expected)
      const look = async (): Promise<Look> => {
        const running = await server()
        if (!running) return { who: undefined, health: undefined, hopeless: rollbackText('server_ended') }
        const health = await readHealth(system, running.url)
        const { pid: id, start } = running.process
        return { who: `${id} ${start}`, health: health?.pid === id ? health : undefined }
      }
      await becomesStable(expected, { look, now: deps.now, stability: deps.stability, signal })
    },
  }
}

async function observe(deps: ProcessDeps, { kind, serverFile, envFile }: Reference): Promise<Observed> {
  const { system, configured, startOnly } = deps
  const server = await runningServer(system, serverFile)
  if (!server) {
    const identity = [{ what: 'server', value: 'none' }]
    return { identity, running: false, health: undefined, drift: [], fixed: {} }
  }
  const health = await readHealth(system, server.url)
  const { pid, start, boot } = server.process
  if (!health || health.pid !== pid) {
    throw new Refusal(rollbackText('server_silent', { pid, url: server.url }), 'npm run daily-check')
  }
  const identity = [
    { what: 'server', value: `pid ${pid} start ${start} boot ${boot}` },
    { what: 'gate', value: JSON.stringify(health.gate) },
    { what: 'configuration read at', value: health.config.loaded_at },
  ]
  const from = health.config.from ?? {}
  const { effective } = health.config
  // A file that cannot be read changes nothing: the server keeps what it has.
  const readable = await configured(envFile).catch(() => effective)
  const drift = Object.entries(readable)
    .filter(([key, text]) => !startOnly.has(key) && from[key] !== 'environment' && effective[key] !== text)
    .map(([what, to]) => ({ what, from: effective[what] ?? '', to }))
  const ours = Object.keys(from).filter((key) => from[key] === 'environment')
  const fixed = Object.fromEntries(ours.map((key) => [key, rollbackText('fixed_by_environment', { key, pid })]))
  return { identity, running: kind === 'process', url: server.url, health, drift, fixed }
}

/** The server that the file names, when it is that very process. */
async function runningServer(system: System, serverFile: string): Promise<ServerFile | undefined> {
  if (!(await system.stat(serverFile))) return undefined
  try {
    const file = JSON.parse(await system.readText(serverFile)) as ServerFile
    // A container with the same data folder writes it, too; its process ids mean nothing here.
    const { host } = await system.self()
    return file.process.host === host && (await system.isAlive(file.process)) ? file : undefined
  } catch {
    return undefined
  }
}

/** SIGHUP, and the server's own word that it has read its files since. */
async function reload(system: System, { process, url }: ServerFile, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  const before = await readHealth(system, url)
  if (!(await system.signal(process, 'SIGHUP'))) throw failure('server_ended')
  for (;;) {
    await sleep(LOOK_MS)
    if (!(await system.isAlive(process))) throw failure('server_died')
    const health: Health | undefined = await readHealth(system, url)
    if (health && health.config.loaded_at !== before?.config.loaded_at) return
    if (performance.now() < end) continue
    throw failure('server_deaf', { seconds: withinMs / 1000, why: health?.config.error ?? '-' })
  }
}

async function appears(system: System, serverFile: string, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  for (;;) {
    const server = await runningServer(system, serverFile)
    if (server) return true
    if (performance.now() > end) return false
    await sleep(LOOK_MS)
  }
}

/** What a server that starts now would do: the one proof there is while none runs. */
async function configuredAs(deps: ProcessDeps, envFile: string, expected: Expectation): Promise<void> {
  const configured = await deps.configured(envFile)
  for (const [key, text] of Object.entries({ ...expected.unchanged, ...expected.settings })) {
    if (configured[key] !== text)
      throw failure('file_reads', { file: envFile, key, is: configured[key] ?? '-', not: text })
  }
}

interface Invocation {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** How the process was started; `undefined` where the system does not tell. */
async function invocation(system: System, pid: number): Promise<Invocation | undefined> {
  try {
    const words = async (name: string) => (await system.readText(`/proc/${pid}/${name}`)).split('\0').filter(Boolean)
    const env = (await words('environ')).map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    })
    return {
      argv: await words('cmdline'),
      cwd: await system.realPath(`/proc/${pid}/cwd`),
      env: Object.fromEntries(env),
    }
  } catch {
    return undefined
  }
}
