import { isAbsolute, join, resolve } from 'node:path'
import type { System } from '../system/system.ts'
import { askOrFail } from './compose-docker.ts'

/** What of `docker inspect` rollbacks rest on. */
export interface Container {
  readonly id: string
  readonly name: string
  /** created, running, paused, restarting, removing, exited or dead. */
  readonly state: string
  readonly exitCode: number
  readonly createdAt: string
  readonly startedAt: string
  readonly restarts: number
  /** The image's id, and the name it was created by. */
  readonly image: string
  readonly imageName: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Where the server answers on this machine; undefined while it does not run. */
  readonly url: string | undefined
  readonly stopSeconds: number
}

/** A service as compose knows it: enough to call compose for it again, from anywhere. */
export interface Service {
  readonly project: string
  readonly service: string
  readonly directory: string
  /** Absolute, in the order in which compose read them. */
  readonly files: readonly string[]
  /** Given with --env-file, else empty: then compose reads `.env` of the directory. */
  readonly envFiles: readonly string[]
  /** Of the compose that created it. */
  readonly version: string
}

export const LABEL = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  oneoff: 'com.docker.compose.oneoff',
  hash: 'com.docker.compose.config-hash',
  version: 'com.docker.compose.version',
  directory: 'com.docker.compose.project.working_dir',
  files: 'com.docker.compose.project.config_files',
  envFiles: 'com.docker.compose.project.environment_file',
  /** On our image. */
  image: 'approval-ops.image',
} as const

const PORT = '8020/tcp'

/** Every container that compose made for good, whatever its state. @throws Refusal */
export async function composeContainers(system: System, ...labels: readonly string[]): Promise<Container[]> {
  const filters = [LABEL.project, `${LABEL.oneoff}=False`, ...labels].flatMap((label) => ['--filter', `label=${label}`])
  const { stdout } = await askOrFail(system, 'ps', '--all', '--quiet', '--no-trunc', ...filters)
  const ids = stdout.split('\n').filter(Boolean)
  if (ids.length === 0) return []
  // One that is removed in this very moment makes it fail, and is left out of what it prints.
  const inspected = await askOrFail(system, 'inspect', '--type', 'container', ...ids)
  return (JSON.parse(inspected.stdout || '[]') as Inspected[]).map(containerOf)
}

export const containersOf = (system: System, { project, service }: Service): Promise<Container[]> =>
  composeContainers(system, `${LABEL.project}=${project}`, `${LABEL.service}=${service}`)

export function serviceOf({ labels }: Container): Service {
  const directory = labels[LABEL.directory] ?? ''
  const list = (text = '') => text.split(',').filter(Boolean)
  return {
    project: labels[LABEL.project] ?? '',
    service: labels[LABEL.service] ?? '',
    directory,
    // docker-compose 1.x writes them as they were given, from the directory of its caller, which is not known.
    files: list(labels[LABEL.files]).map((file) => (isAbsolute(file) ? file : resolve(directory, file))),
    envFiles: list(labels[LABEL.envFiles]).map((file) => (isAbsolute(file) ? file : resolve(directory, file))),
    version: labels[LABEL.version] ?? '',
  }
}

/** The file that feeds it. */
export const envFileOf = (service: Service): string => service.envFiles.at(-1) ?? join(service.directory, '.env')

/** What a recreate that was cut off leaves: the old container, renamed by its own id. */
export const isStray = ({ id, name }: Container): boolean => name.startsWith(`${id.slice(0, 12)}_`)

interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly Created: string
  readonly Image: string
  readonly RestartCount: number
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly StartedAt: string }
  readonly Config: {
    readonly Image: string
    readonly Env: readonly string[] | null
    readonly Cmd: readonly string[] | null
    readonly Labels: Readonly<Record<string, string>> | null
    readonly StopTimeout?: number
  }
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>> | null
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> | null
  }
}

function containerOf(seen: Inspected): Container {
  return {
    id: seen.Id,
    name: seen.Name.replace(/^\//, ''),
    state: seen.State.Status,
    exitCode: seen.State.ExitCode,
    createdAt: seen.Created,
    startedAt: seen.State.StartedAt,
    restarts: seen.RestartCount,
    image: seen.Image,
    imageName: seen.Config.Image,
    command: seen.Config.Cmd ?? [],
    env: envOf(seen.Config.Env ?? []),
    labels: seen.Config.Labels ?? {},
    url: urlOf(seen.NetworkSettings),
    stopSeconds: seen.Config.StopTimeout ?? 10,
  }
}

function urlOf({ Ports, Networks }: Inspected['NetworkSettings']): string | undefined {
  const published = Ports?.[PORT]?.[0]
  if (published) {
    const host = /^(0\.0\.0\.0|::|)$/.test(published.HostIp) ? '127.0.0.1' : published.HostIp
    return `http://${host}:${published.HostPort}`
  }
  const inside = Object.values(Networks ?? {}).find(({ IPAddress }) => IPAddress !== '')
  return inside && `http://${inside.IPAddress}:${Number.parseInt(PORT, 10)}`
}

/** `KEY=value` lines as Docker keeps them. */
export const envOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
