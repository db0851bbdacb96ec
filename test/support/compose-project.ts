import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '../../src/config.ts'
import { docker, dockerEnv, IMAGE } from './docker.ts'
import { freePort } from './ports.ts'
import { until } from './server.ts'

export interface Project {
  readonly name: string
  readonly folder: string
  readonly envFile: string
  readonly url: string
  env(): string
  writeEnv(text: string): void
  /** Calls compose as an operator does who stands in the folder. */
  compose(...args: string[]): string
  /** Up, and answering. */
  up(): Promise<void>
  /** What docker knows of the server's container. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever docker says.
  inspect(): any
  /** A variable inside the container. */
  inside(key: string): string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever the server says.
  health(): Promise<any>
  /** Every container of the project, with its state. */
  containers(): string[]
  remove(): void
}

export interface ProjectOptions {
  readonly env?: string
  /** A module that the server loads before everything else: how it is to misbehave. */
  readonly fault?: string
  /** The scheduler's container, too. */
  readonly scheduler?: boolean
  /** The tool server of our mcp.json, too: it takes as long to start as the desk. */
  readonly tools?: boolean
}

/** A copy of our own docker-compose.yml in a folder of its own, with names of its own. */
export async function composeProject(options: ProjectOptions = {}): Promise<Project> {
  const top = mkdtempSync(join(tmpdir(), 'approval-compose-'))
  const name = top
    .slice(-6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')
  const project = `desk${name}`
  const folder = join(top, '승인 desk')
  mkdirSync(folder)
  const port = await freePort()
  // A name of its own: a test may take it away.
  const image = `${project}:test`
  docker('tag', IMAGE, image)
  const file = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true })
  delete file['x-desk']
  for (const service of Object.values<Record<string, unknown>>(file.services)) {
    delete service.build
    service.image = image
  }
  if (!options.scheduler) delete file.services.scheduler
  if (options.fault !== undefined) {
    const { server } = file.services
    server.volumes.push('./fault.mjs:/fault.mjs:ro')
    server.command = ['node', '--import', 'tsx/esm', '--import', '/fault.mjs', 'src/server.ts', '--no-scheduler']
    writeFileSync(join(folder, 'fault.mjs'), options.fault)
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'docker-compose.yml'), JSON.stringify(file, null, 2))
  for (const name of ['policy.json', 'mcp.json', 'contacts.json', 'calendar.json'])
    cpSync(join(ROOT, name), join(folder, name))
  if (!options.tools) writeFileSync(join(folder, 'mcp.json'), '{ "mcpServers": {} }\n')
  const envFile = join(folder, '.env')
  writeFileSync(envFile, `PORT=${port}\n${options.env ?? ''}`)

  const compose: Project['compose'] = (...args) => {
    const { status, stdout, stderr } = spawnSync('docker-compose', ['-p', project, ...args], {
      cwd: folder,
      env: dockerEnv(),
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`docker-compose ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const url = `http://127.0.0.1:${port}`
  const health: Project['health'] = async () =>
    await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) }).then(
      (response) => response.json(),
      () => undefined,
    )
  const filters = ['--filter', `label=com.docker.compose.project=${project}`]
  const inspect = () => JSON.parse(docker('inspect', `${project}_server_1`))[0]
  return {
    ...{ name: project, folder, envFile, url, compose, health, inspect },
    env: () => readFileSync(envFile, 'utf8'),
    writeEnv: (text) => writeFileSync(envFile, text),
    async up() {
      compose('up', '-d', '--no-build')
      await until('the server in the container answers', async () => (await health())?.status === 'ok')
    },
    inside: (key) =>
      (inspect().Config.Env as string[]).find((pair) => pair.startsWith(`${key}=`))?.slice(key.length + 1),
    containers: () =>
      docker('ps', '--all', ...filters, '--format', '{{.Names}} {{.State}}')
        .split('\n')
        .sort(),
    remove() {
      spawnSync('docker-compose', ['-p', project, 'down', '--volumes', '--timeout', '1'], {
        cwd: folder,
        env: dockerEnv(),
      })
      // What a recreate that was cut off has left is not compose's any more.
      for (const id of docker('ps', '--all', '--quiet', ...filters)
        .split('\n')
        .filter(Boolean))
        docker('rm', '--force', id)
      spawnSync('docker', ['image', 'rm', image], { env: dockerEnv() })
      rmSync(top, { recursive: true, force: true })
    },
  }
}
