import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { cli } from '../src/rollback/cli.ts'
import { rollbackCommand } from '../src/rollback-command.ts'
import { captured, type Ran } from './support/captured.ts'
import { type Repository, repository } from './support/git.ts'
import { heard } from './support/rollback.ts'
import { environment, TSX, temporaryFolder, until } from './support/server.ts'

const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

const moments = (...names: string[]) =>
  names.flatMap((name) => [
    `moment files writing ${name}`,
    ...(name === 'cli/a' ? ['half written'] : []),
    `moment files written ${name}`,
  ])
/** Of a run that changes something, in their order. */
const FORWARD = [
  ...['locked', 'folder made', 'snapshot kept', 'begun', 'applying files', ...moments('cli/a', 'cli/b', 'cli/deep/c')],
  ...['applied files', 'verified files', 'finished done', 'recorded'],
]
/** The same, of a run that was stopped after it had changed everything. */
const BACK = [
  ...['taking-back stopped by SIGTERM', 'undoing files', ...moments('cli/a', 'cli/b', 'cli/deep/c')],
  ...['undone files', 'finished restored', 'recorded'],
]

const NEW = { 'cli/a': 'a2', 'cli/b': 'b2' }
const OLD = { 'cli/a': 'a1', 'cli/deep/c': 'c1' }
const folder = temporaryFolder()
afterAll(folder.remove)

interface Lane {
  readonly repo: Repository
  readonly data: string
  readonly env: NodeJS.ProcessEnv
  readonly start: ReturnType<Repository['state']>
}

function laneOf(signal: Signal): Lane {
  const repo = repository(join(folder.path, signal))
  repo.commit({ ...OLD, other: '1' })
  repo.commit({ ...NEW, 'cli/deep/c': null })
  const data = join(folder.path, `${signal}-data`)
  mkdirSync(data)
  return { repo, data, env: environment(data, { OPS_LANG: 'en' }), start: repo.state() }
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<number | string>
  readonly text: () => string
  readonly reached: () => Promise<string | undefined>
}

function wordsFor({ repo }: Lane, args: readonly string[]): string[] {
  const files = /^(undo|resume)$/.test(args[0]!)
    ? []
    : ['--repo', repo.dir, '--file', 'cli', '--verify', 'test "$(cat cli/a cli/deep/c)" = a1c1']
  return ['--runtime', 'process', ...args, ...files]
}

/** A run that nobody cuts off, in this process. */
const whole = (lane: Lane, args: readonly string[]): Promise<Ran> =>
  captured(wordsFor(lane, args), lane.env, (own) => rollbackCommand(cli, own))

/** A run as a process of its own, which stands still at the points that are named. */
function start(lane: Lane, points: readonly string[], args: readonly string[]): Run {
  const main = join(ROOT, 'test/support/rollback-cli-victim.ts')
  const argv = ['--import', TSX, main, JSON.stringify(points), ...wordsFor(lane, args)]
  const child = spawn(process.execPath, argv, { env: lane.env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let text = ''
  child.stdout!.on('data', (chunk) => (text += chunk))
  child.stderr!.on('data', (chunk) => (text += chunk))
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'gone')),
  )
  const reached = () =>
    Promise.race([
      new Promise<string>((resolve) => child.once('message', (point: string) => resolve(point))),
      ended.then(() => undefined),
    ])
  return { child, ended, text: () => text, reached }
}

/** Either every byte as it was, or the whole earlier version; never anything between, and HEAD and index as ever. */
function state({ repo, start: before }: Lane): 'new' | 'old' {
  const now = repo.state()
  const there = Object.keys(now.files).filter((name) => name.startsWith('cli/') && !now.files[name]!.startsWith('4'))
  if (there.join() === 'cli/a,cli/b') {
    expect(now).toEqual(before)
    return 'new'
  }
  expect({ head: now.head, index: now.index }).toEqual({ head: before.head, index: before.index })
  expect(Object.fromEntries(there.map((name) => [name, repo.read(name)]))).toEqual(OLD)
  return 'old'
}

const unfinished = ({ data }: Lane): string[] => {
  const records = join(data, 'rollbacks')
  return readdirSync(records).filter(
    (id) => existsSync(join(records, id, 'plan.json')) && !existsSync(join(records, id, 'result.json')),
  )
}

const APPLY = ['--yes', '--reason', 'every caller waits for ever']
const UNDO = ['undo', ...APPLY]

/** Stops a run at its last point by the signal, resumes, and demands one whole state. */
async function cell(lane: Lane, signal: Signal, points: readonly string[], args: readonly string[]): Promise<void> {
  const run = start(lane, points, args)
  for (const [n, point] of points.entries()) {
    expect(await run.reached(), run.text()).toBe(point)
    const isLast = n === points.length - 1
    const sent = isLast ? signal : 'SIGTERM'
    const before = heard(run.text(), sent)
    run.child.kill(sent)
    if (sent === 'SIGKILL') continue
    await until(`${sent} is heard at ${point}`, () => heard(run.text(), sent) > before)
    run.child.send('go', () => {})
  }
  const label = `${signal} at ${points.join(', ')}`
  const code = await run.ended
  if (signal === 'SIGKILL') expect(code, label).toBe('SIGKILL')
  else {
    expect([0, 1, 2], `${label}: ${run.text()}`).toContain(code)
    expect(unfinished(lane), label).toEqual([])
    state(lane)
  }
  if (unfinished(lane).length > 0) {
    const resumed = await whole(lane, ['resume'])
    expect([0, 1], `${label}: ${resumed.stderr}`).toContain(resumed.code)
    expect(unfinished(lane), label).toEqual([])
  }
  state(lane)
  expect(existsSync(lane.repo.path('cli/a.approval-ops-new')), label).toBe(false)
}

async function reset(lane: Lane, to: 'new' | 'old'): Promise<void> {
  if (state(lane) === to) return
  const ran = await whole(lane, to === 'old' ? APPLY : UNDO)
  expect(ran.code, ran.stderr).toBe(0)
}

describe.concurrent('a rollback of files that is cut off leaves one whole version', () => {
  for (const signal of SIGNALS) {
    test(`${signal} at ${FORWARD.length} points of it, ${BACK.length} of its way back, ${FORWARD.length} of an undo`, async () => {
      const lane = laneOf(signal)
      for (const point of FORWARD) {
        await reset(lane, 'new')
        await cell(lane, signal, [point], APPLY)
      }
      for (const point of BACK) {
        await reset(lane, 'new')
        await cell(lane, signal, ['applied files', point], APPLY)
      }
      for (const point of FORWARD) {
        await reset(lane, 'old')
        await cell(lane, signal, [point], UNDO)
      }
    }, 1_800_000)
  }
})
