import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../../src/config.ts'

/**
 * A Docker engine for the tests, shared by the test files of one run: the machine's own when it answers, else one that
 * is started for this run and ended after it (test/support/docker-end.ts). No registry is needed: the image is built
 * on this machine's own Node.
 */
const SHARED = process.env.APPROVAL_TEST_DOCKER ?? join(tmpdir(), `approval-docker-${process.ppid}`)
const SOCKET = join(SHARED, 'docker.sock')
const PID = join(SHARED, 'dockerd.pid')
/** Names of this run only: two runs on one engine do not meet. */
export const IMAGE = `${basename(SHARED).toLowerCase()}:test`
const BASE = `${basename(SHARED).toLowerCase()}:base`

const NAMES_OF_SETTINGS =
  /^(APPROVAL_|OPS_|RBAC_|SECURITY_|SANDBOX_|RATE_|POLICY_|MCP_|WORKSPACE_|LOG_PATH|HOST$|PORT$|COMPOSE_|VITEST)/

/** Why there can be no engine here; undefined when there can. */
export const missing: string | undefined = whatIsMissing()

function whatIsMissing(): string | undefined {
  if (!finds('docker-compose') && !answers('docker', 'compose', 'version')) return 'docker compose is not installed'
  if (answers('docker', 'version')) return undefined
  if (!finds('dockerd')) return 'docker is not installed'
  return process.getuid?.() === 0 ? undefined : 'no Docker engine answers, and only root can start one'
}

function finds(program: string): boolean {
  return spawnSync('bash', ['-c', `command -v ${program}`]).status === 0
}

function answers(...[program, ...args]: [string, ...string[]]): boolean {
  return spawnSync(program, args, { timeout: 10_000, env: dockerEnv() }).status === 0
}

/** The environment in which docker and compose are called: no setting of ours, the engine of this run. */
export function dockerEnv(more: Record<string, string> = {}): Record<string, string> {
  const clean = Object.entries(process.env).filter(
    ([key, value]) => value !== undefined && !NAMES_OF_SETTINGS.test(key),
  )
  const own = existsSync(PID) ? { DOCKER_HOST: `unix://${SOCKET}` } : {}
  return { ...(Object.fromEntries(clean) as Record<string, string>), DOCKER_BUILDKIT: '0', ...own, ...more }
}

/** Runs docker and answers with what it printed; throws with what it complained about. */
export function docker(...args: string[]): string {
  return execFileSync('docker', args, { env: dockerEnv(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/**
 * Calls `then` when the engine does this to a container of the project for the first time from now on. The engine
 * listens when the promise is kept; `docker events` would not say so. @returns what ends it
 */
export async function onEvent(project: string, event: string, then: () => void): Promise<() => void> {
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`], event: [event] })
  const socketPath = (dockerEnv().DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '')
  const asked = get({ socketPath, path: `/events?filters=${encodeURIComponent(filters)}` })
  const [answer] = await once(asked, 'response')
  answer.once('data', then)
  answer.on('error', () => undefined)
  return () => void asked.destroy()
}

/** So that what the tests run in this process finds the engine too. */
function pointHere(): void {
  if (existsSync(PID)) process.env.DOCKER_HOST = `unix://${SOCKET}`
}

/** Starts the engine and builds the image unless another test file of this run has done so. */
export async function engine(): Promise<void> {
  mkdirSync(SHARED, { recursive: true })
  const ready = join(SHARED, 'ready')
  const done = (): boolean => existsSync(ready)
  for (let left = 1800; !done() && !claim(); left--) {
    if (left === 0) throw new Error('another test file has not made the Docker image in 15 minutes')
    await sleep(500)
  }
  if (done()) return pointHere()
  try {
    if (!answers('docker', 'version')) await startEngine()
    buildImage()
    writeFileSync(ready, '')
    pointHere()
  } finally {
    rmSync(join(SHARED, 'claim'), { recursive: true, force: true })
  }
}

function claim(): boolean {
  try {
    mkdirSync(join(SHARED, 'claim'))
    return true
  } catch {
    return false
  }
}

async function startEngine(): Promise<void> {
  // Whichever storage this machine has; vfs works everywhere and copies everything.
  for (const storage of [[], ['--storage-driver=vfs']]) {
    const log = openSync(join(SHARED, 'dockerd.log'), 'w')
    const folders = ['--data-root', join(SHARED, 'data'), '--exec-root', join(SHARED, 'exec')]
    const args = [...folders, '--pidfile', join(SHARED, 'docker.pid'), '-H', `unix://${SOCKET}`, ...storage]
    const child = spawn('dockerd', args, { detached: true, stdio: ['ignore', log, log] })
    child.unref()
    writeFileSync(PID, String(child.pid))
    for (let left = 120; left > 0 && child.exitCode === null; left--) {
      if (answers('docker', 'version')) return
      await sleep(500)
    }
    child.kill('SIGTERM')
    rmSync(PID)
  }
  throw new Error(`dockerd does not start: ${readFileSync(join(SHARED, 'dockerd.log'), 'utf8').slice(-2000)}`)
}

function buildImage(): void {
  const folder = mkdtempSync(join(SHARED, 'build-'))
  const base = join(folder, 'base')
  for (const dir of ['tmp', 'etc', 'usr/local/bin', 'bin']) mkdirSync(join(base, dir), { recursive: true })
  chmodSync(join(base, 'tmp'), 0o1777)
  writeFileSync(join(base, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n')
  copyProgram(base, process.execPath, 'usr/local/bin/node')
  for (const name of ['sh', 'bash', 'install'])
    copyProgram(base, execFileSync('which', [name]).toString().trim(), `bin/${name}`)
  execFileSync('bash', ['-c', 'tar -C "$0" -c . | docker import - "$1"', base, BASE], {
    env: dockerEnv(),
    stdio: 'pipe',
  })

  const context = join(folder, 'context')
  const packages = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: ROOT, encoding: 'utf8' })
  for (const path of packages.split('\n').filter((path) => path.startsWith(join(ROOT, 'node_modules')))) {
    cpSync(path, join(context, relative(ROOT, path)), { recursive: true, verbatimSymlinks: true })
  }
  for (const name of [
    'bin',
    'contacts.json',
    'ops',
    'sql',
    'src',
    'package.json',
    'package-lock.json',
    'policy.json',
    'mcp.json',
    'calendar.json',
    'tsconfig.json',
  ]) {
    cpSync(join(ROOT, name), join(context, name), { recursive: true })
  }
  for (const name of ['Dockerfile', '.dockerignore']) cpSync(join(ROOT, name), join(context, name))
  docker('build', '--target', 'prebuilt', '--build-arg', `BASE_IMAGE=${BASE}`, '-t', IMAGE, context)
  rmSync(folder, { recursive: true })
}

/** A program with every library that it is linked to. */
function copyProgram(root: string, from: string, to: string): void {
  cpSync(from, join(root, to), { dereference: true })
  const libraries = spawnSync('ldd', [from], { encoding: 'utf8' }).stdout.match(/\/\S+(?= \(0x)/g) ?? []
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    if (!existsSync(join(root, library))) cpSync(library, join(root, library), { dereference: true })
  }
}

/** After the run: everything that it made, and the engine if it was started for it. */
export async function endEngine(): Promise<void> {
  if (!existsSync(SHARED)) return
  spawnSync('docker', ['image', 'rm', '--force', IMAGE, BASE], { env: dockerEnv() })
  if (existsSync(PID)) {
    const pid = Number(readFileSync(PID, 'utf8'))
    process.kill(pid, 'SIGTERM')
    for (let left = 120; left > 0 && existsSync(`/proc/${pid}`); left--) await sleep(250)
  }
  rmSync(SHARED, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 })
}
