import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../src/config.ts'
import { composeProject, type Project } from '../test/support/compose-project.ts'
import { dockerEnv, endEngine, engine, missing } from '../test/support/docker.ts'
import { environment, startServer, TSX, temporaryFolder } from '../test/support/server.ts'
import type { Row } from './desk.ts'

/** Plan time, and seconds without an answer: ours beside the runbook's commands, on the same server. */
export async function rollbacks(): Promise<Row[]> {
  return [...(await reload()), ...(missing === undefined ? await recreate() : [])]
}

const PLAN_LIMIT = 2

async function reload(): Promise<Row[]> {
  const dir = temporaryFolder()
  writeFileSync(join(dir.path, '.env'), 'APPROVAL_WORKFLOW_ENABLED=true\n')
  const server = await startServer(dir.path)
  try {
    const plan = await rollback(dir.path, ['--dry-run'])
    const without = await outage(server.url, () => rollback(dir.path, APPLY))
    return [
      planRow('a process', plan),
      { what: 'outage of a rollback by reload', ours: seconds(without), limit: '-', ratio: '-' },
    ]
  } finally {
    await server.kill('SIGTERM')
    dir.remove()
  }
}

async function recreate(): Promise<Row[]> {
  await engine()
  const project = await composeProject({ env: 'APPROVAL_WORKFLOW_ENABLED=true\n' })
  try {
    await project.up()
    const plan = await rollback(project.folder, ['--dry-run'])
    const without = await outage(project.url, () => rollback(project.folder, APPLY))
    const restart = await outage(project.url, () => compose(project, ['restart', 'server']))
    const removed = await outage(project.url, async () => {
      for (const words of [
        ['stop', 'server'],
        ['rm', '-f', 'server'],
        ['up', '-d', 'server'],
      ])
        await compose(project, words)
    })
    const beside = (what: string, theirs: number): Row => ({
      what,
      ours: seconds(without),
      limit: seconds(theirs),
      ratio: (without / theirs).toFixed(2),
    })
    return [
      planRow('a container', plan),
      beside("outage by recreate, beside the runbook's restart (which changes nothing)", restart),
      beside("outage by recreate, beside the runbook's stop, rm, up", removed),
    ]
  } finally {
    project.remove()
    await endEngine()
  }
}

const APPLY = ['--yes', '--reason', 'measured by the bench']
const seconds = (value: number): string => `${value.toFixed(2)} s`
const planRow = (of: string, took: number): Row => ({
  what: `plan of rollback-disable for ${of}, the program's start included`,
  ours: seconds(took),
  limit: `${PLAN_LIMIT} s`,
  ratio: (took / PLAN_LIMIT).toFixed(2),
})

/** Runs the ops main; how long it took, s. */
async function rollback(folder: string, args: readonly string[]): Promise<number> {
  const main = join(ROOT, 'ops/rollback-disable.ts')
  const env = { ...environment(folder), ...dockerEnv() }
  const began = performance.now()
  const child = spawn(process.execPath, ['--import', TSX, main, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`the rollback ended with ${code}: ${stderr}`)
  return (performance.now() - began) / 1000
}

async function compose({ name, folder }: Project, words: readonly string[]): Promise<void> {
  const child = spawn('docker-compose', ['-p', name, ...words], { cwd: folder, env: dockerEnv(), stdio: 'ignore' })
  await new Promise((resolve) => child.on('close', resolve))
}

/** The longest time without a good answer while `work` runs and until the server is back, s. */
async function outage(url: string, work: () => Promise<unknown>): Promise<number> {
  let over = false
  const done = work().finally(() => (over = true))
  let longest = 0
  let good = performance.now()
  for (let back = false; !over || !back; ) {
    back = await fetch(`${url}/health`, { signal: AbortSignal.timeout(500) }).then(
      ({ ok }) => ok,
      () => false,
    )
    if (back) {
      longest = Math.max(longest, performance.now() - good)
      good = performance.now()
    }
    await sleep(10)
  }
  await done
  return longest / 1000
}
