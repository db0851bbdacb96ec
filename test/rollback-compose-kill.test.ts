import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { composeProject, type Project } from './support/compose-project.ts'
import { rollbackIn } from './support/compose-rollback.ts'
import { engine, missing, onEvent } from './support/docker.ts'
import { heard, REASON, startVictim } from './support/rollback.ts'
import { until } from './support/server.ts'

// Real containers on a shared machine: the limits only catch what hangs.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })

const ORIGINAL = '# 팀 설정\r\nAPPROVAL_WORKFLOW_ENABLED="true"   # 승인\r\n'
const DISABLE = ['--runtime', 'compose', '--yes', '--reason', REASON]
const UNDO = ['undo', '--runtime', 'compose', '--yes', '--reason', 'all is well again']

/** Points of the run itself, and what the engine does to the containers in between. */
const POINTS = ['moment configure writing', 'moment configure written', 'applied configure', 'answer 2']
const MOMENTS = ['kill', 'die', 'rename', 'create', 'start', 'destroy']
const CELLS: readonly (readonly [NodeJS.Signals, string])[] = [
  // SIGKILL also takes the compose that runs by then: nobody brings its recreate to an end.
  ...[...POINTS, ...MOMENTS].map((at) => ['SIGKILL', at] as const),
  ...['moment configure written', 'die', 'answer 2'].map((at) => ['SIGTERM', at] as const),
  ...['moment configure written', 'die', 'answer 2'].map((at) => ['SIGHUP', at] as const),
]

describe.skipIf(missing !== undefined)(
  `a container's rollback that is cut off${missing ? ` (${missing})` : ''}`,
  () => {
    let project: Project
    let before: string
    beforeAll(async () => {
      await engine()
      project = await composeProject({ env: ORIGINAL })
      await project.up()
      before = project.env()
    })
    afterAll(() => project?.remove())

    /** One whole state: file, container and server say the same, and there is one container. */
    async function state(label: string): Promise<'old' | 'new'> {
      await until(`${label}: the server answers`, async () => (await project.health())?.status === 'ok')
      const { gate } = await project.health()
      const inFile = /^APPROVAL_DISABLED_UNTIL=(\S+)$/m.exec(project.env())?.[1]
      const seen = { file: inFile, container: project.inside('APPROVAL_DISABLED_UNTIL'), server: gate.disabled_until }
      expect(project.containers(), label).toEqual([`${project.name}_server_1 running`])
      if (inFile === undefined) {
        expect(seen, label).toEqual({ file: undefined, container: undefined, server: null })
        expect(project.env(), label).toBe(before)
        return 'old'
      }
      expect(seen, label).toEqual({ file: inFile, container: inFile, server: inFile })
      return 'new'
    }

    test(`leaves one whole state and its server alive after resume, in ${CELLS.length} of ${CELLS.length} cells`, async () => {
      const tally: Record<string, number> = {}
      for (const [signal, at] of CELLS) {
        const from = await state('before')
        const label = `${signal} at ${at} of ${from === 'old' ? 'a disable' : 'an undo'}`
        const hit = await cutOff(signal, at, from === 'old' ? DISABLE : UNDO)
        expect(hit, `${label} was reached`).toBe(true)
        const resumed = await rollbackIn(project, ['resume'])
        expect([0, 1], `${label}: ${resumed.stderr}`).toContain(resumed.code)
        const is = await state(label)
        expect(unfinished(), label).toEqual([])
        const what = is === from ? 'taken back or never begun' : 'finished'
        tally[`${signal} ${what}`] = (tally[`${signal} ${what}`] ?? 0) + 1
      }
      process.stderr.write(`container kill matrix: ${JSON.stringify(tally)}\n`)
      expect(Object.values(tally).reduce((a, b) => a + b, 0)).toBe(CELLS.length)
    }, 1_800_000)

    const unfinished = (): string[] => {
      const folder = join(project.folder, 'rollbacks')
      return readdirSync(folder).filter(
        (id) => existsSync(join(folder, id, 'plan.json')) && !existsSync(join(folder, id, 'result.json')),
      )
    }

    /** Runs a rollback up to this point and signals it there. False: it never got there. */
    async function cutOff(signal: NodeJS.Signals, at: string, args: readonly string[]): Promise<boolean> {
      if (POINTS.includes(at)) {
        const victim = startVictim(project.folder, [at], args)
        const reached = await victim.reached()
        victim.child.kill(signal)
        if (signal !== 'SIGKILL') {
          await until(`${signal} is heard at ${at}`, () => heard(victim.text(), signal) > 0)
          victim.release()
        }
        await victim.ended
        return reached === at
      }
      let hit = false
      const stop = await onEvent(project.name, at, () => {
        const begun = signal === 'SIGKILL' ? childrenOf(victim.child.pid!) : []
        hit = victim.child.kill(signal)
        for (const pid of begun) killed(pid)
      })
      const victim = startVictim(project.folder, [], args)
      await victim.ended
      stop()
      return hit
    }
  },
)

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself since it was seen.
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
      } catch {
        return false
      }
    })
    .map(Number)
}
