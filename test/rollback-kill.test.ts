import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apply, heard, REASON, rollback, startVictim, undo } from './support/rollback.ts'
import { type RunningServer, startServer, temporaryFolder, until, writeEnv } from './support/server.ts'

const ORIGINAL = '# 팀 설정\r\nAPPROVAL_WORKFLOW_ENABLED="true"   # 승인\r\nAPPROVAL_TIMEOUT=300\r\n'
const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

/** Of a run that changes something, in their order. */
const FORWARD = [
  ...['locked', 'folder made', 'snapshot kept', 'begun', 'applying configure', 'moment configure writing'],
  ...['half written', 'moment configure written', 'before the signal', 'after the signal'],
  ...[
    'moment configure taken over',
    'applied configure',
    'answer 2',
    'verified configure',
    'finished done',
    'recorded',
  ],
]
/** The same, of a run that was stopped after it had changed something. */
const BACK = [
  ...['taking-back stopped by SIGTERM', 'undoing configure', 'moment configure writing', 'half written'],
  ...['moment configure written', 'before the signal', 'after the signal', 'moment configure restored'],
  ...['undone configure', 'finished restored', 'recorded'],
]

interface Lane {
  readonly dir: { path: string; remove: () => void }
  readonly server: RunningServer
}

const lanes = new Map<Signal, Lane>()

beforeAll(async () => {
  for (const signal of SIGNALS) {
    const dir = temporaryFolder()
    writeEnv(dir.path, ORIGINAL)
    lanes.set(signal, { dir, server: await startServer(dir.path) })
  }
})

afterAll(async () => {
  for (const { dir, server } of lanes.values()) {
    await server.kill('SIGTERM')
    dir.remove()
  }
})

/** `old`: the file as it was and the gate on. `new`: the lease in the file and the gate off until then. */
async function state({ dir, server }: Lane): Promise<'old' | 'new'> {
  const text = readFileSync(join(dir.path, '.env'), 'utf8')
  const { json } = await server.call('GET', '/health', undefined, null)
  expect(json.pid).toBe(server.child.pid)
  const until = /^APPROVAL_DISABLED_UNTIL=(\S+)$/m.exec(text)?.[1]
  const is = {
    old: text === ORIGINAL,
    until: until ?? null,
    effective: json.gate.effective,
    now: json.gate.disabled_until,
  }
  if (is.old) expect(is).toEqual({ old: true, until: null, effective: true, now: null })
  else expect(is).toEqual({ old: false, until: is.now, effective: false, now: expect.any(String) })
  expect(statSync(join(dir.path, '.env')).mode & 0o777).toBe(0o644)
  return is.old ? 'old' : 'new'
}

const unfinished = ({ dir }: Lane): string[] => {
  const folder = join(dir.path, 'rollbacks')
  return readdirSync(folder).filter(
    (id) => existsSync(join(folder, id, 'plan.json')) && !existsSync(join(folder, id, 'result.json')),
  )
}

const counts = { cells: 0, finished: 0, takenBackOrNeverBegun: 0 }

/** Stops a run at its last point by the signal, resumes, and demands one whole state. */
async function cell(signal: Signal, points: readonly string[], args: readonly string[]): Promise<void> {
  const lane = lanes.get(signal)!
  const victim = startVictim(lane.dir.path, points, args)
  for (const [n, point] of points.entries()) {
    expect(await victim.reached(), victim.text()).toBe(point)
    const isLast = n === points.length - 1
    const sent = isLast ? signal : 'SIGTERM'
    const before = heard(victim.text(), sent)
    victim.child.kill(sent)
    if (sent === 'SIGKILL') continue
    await until(`${sent} is heard at ${point}`, () => heard(victim.text(), sent) > before)
    victim.release()
  }
  const code = await victim.ended
  const label = `${signal} at ${points.join(', ')}`
  if (signal === 'SIGKILL') {
    expect(code, label).toBe('SIGKILL')
    if (unfinished(lane).length > 0) {
      expect((await apply(lane.dir.path)).code, `${label}: nothing begins while one is unfinished`).toBe(2)
    }
  } else {
    expect([0, 1, 2], `${label}: ${victim.text()}`).toContain(code)
    expect(unfinished(lane), label).toEqual([])
    await state(lane)
  }
  const resumed = await rollback(lane.dir.path, ['resume'])
  expect([0, 1], `${label}: ${resumed.stderr}`).toContain(resumed.code)
  expect(unfinished(lane), label).toEqual([])
  const is = await state(lane)
  expect(existsSync(join(lane.dir.path, '.env.approval-ops-new')), label).toBe(false)
  counts.cells += 1
  if (is === (args[0] === 'undo' ? 'old' : 'new')) counts.finished += 1
  else counts.takenBackOrNeverBegun += 1
}

async function reset(signal: Signal, to: 'old' | 'new'): Promise<void> {
  const lane = lanes.get(signal)!
  if ((await state(lane)) === to) return
  const ran = await (to === 'new' ? apply(lane.dir.path) : undo(lane.dir.path))
  expect(ran.code, ran.stderr).toBe(0)
}

const DISABLE = ['--yes', '--reason', REASON]
/** An undo does forwards what the way back does: the moment in which the server has it has another name. */
const UNDOING = FORWARD.map((point) => point.replace('taken over', 'restored'))
const UNDO = ['undo', '--yes', '--reason', 'all is well again']

describe.concurrent('a rollback that is cut off leaves one whole state, and its server alive', () => {
  for (const signal of SIGNALS) {
    test(`${signal} at ${FORWARD.length} points of a disable, ${BACK.length} of its way back, ${FORWARD.length} of an undo`, async () => {
      for (const point of FORWARD) {
        await reset(signal, 'old')
        await cell(signal, [point], DISABLE)
      }
      for (const point of BACK) {
        await reset(signal, 'old')
        await cell(signal, ['applied configure', point], DISABLE)
      }
      for (const point of UNDOING) {
        await reset(signal, 'new')
        await cell(signal, [point], UNDO)
      }
    }, 1_800_000)
  }
})

test('no cell of the matrix was left out', () => {
  console.info(`kill matrix, process runtime: ${JSON.stringify(counts)}`)
  expect(counts.cells).toBe(SIGNALS.length * (2 * FORWARD.length + BACK.length))
})
