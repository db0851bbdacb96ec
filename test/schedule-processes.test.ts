import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../src/config.ts'
import type { JobRun } from '../src/schedule/ledger.ts'
import { realSystem } from '../src/system/real.ts'
import { history, jobThat, knownBefore, NINE, type ScheduleProcess, startSchedule } from './support/schedule-process.ts'
import { lines, TSX, temporaryFolder, until } from './support/server.ts'

let dir: string
let remove: () => void
const started: ScheduleProcess[] = []
const start = (args: readonly string[], more: Partial<Parameters<typeof startSchedule>[1]> = {}): ScheduleProcess => {
  const process = startSchedule(args, { dir, ...more })
  started.push(process)
  return process
}
const pids = (): number[] => lines(join(dir, 'ran')).map(Number)
const patient = { timeout: 60_000, interval: 50 }

beforeEach(() => {
  const folder = temporaryFolder()
  dir = folder.path
  remove = folder.remove
})
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
  for (const pid of pids()) if (await realSystem.processAt(pid)) process.kill(pid, 'SIGKILL')
  remove()
})

describe('several that keep one schedule', () => {
  it('make one run at the same tick: two schedulers and three calls of cron', async () => {
    await knownBefore(dir, 'morning')
    const at = NINE - 6000
    const zero = Date.now() + 6000
    const keepers = [start([], { at }), start([], { at })]
    await sleep(Math.max(0, zero - 1000 - Date.now()))
    const calls = [0, 1, 2].map(() => start(['run', '--due', '--by', 'cron'], { at: NINE + Date.now() - zero }))
    await Promise.all(calls.map((call) => call.ended))
    await expect.poll(async () => (await history(dir)).map((run) => run.state), patient).toEqual(['DONE'])
    const late = start(['run', '--due', '--by', 'cron'], { at: NINE + 60_000 })
    expect(await late.ended).toBe(0)
    expect(late.stdout() + late.stderr()).toBe('')
    expect(pids()).toHaveLength(1)
    for (const keeper of keepers) await expect.poll(() => keeper.stdout(), patient).toMatch(/09:00 {2}morning/)
    for (const { child } of keepers) child.kill('SIGTERM')
    expect(await Promise.all(keepers.map((keeper) => keeper.ended))).toEqual([0, 0])
  })

  it('let node-cron start the job in its second', async () => {
    let run: JobRun | undefined
    // A machine that is too busy to be there in that second makes up for it later, which is another test: then again,
    // with more time before it.
    for (const early of [6000, 30_000, 60_000]) {
      dir = join(dir, String(early))
      await knownBefore(dir, 'morning')
      const keeper = start([], { at: NINE - early })
      const state = async () => (await history(dir))[0]?.state
      await expect.poll(state, { ...patient, timeout: early + 120_000 }).toBe('DONE')
      ;[run] = await history(dir)
      expect(pids()).toHaveLength(1)
      keeper.child.kill('SIGKILL')
      if (run!.trigger === 'node-cron') break
    }
    expect(run).toMatchObject({ trigger: 'node-cron', slot: { date: '2026-11-22', due: NINE } })
    expect(run!.startedAt).toBeGreaterThanOrEqual(NINE)
  }, 600_000)
})

describe('a scheduler that is killed', () => {
  const victim = (point: string) => {
    const script = join(ROOT, 'test/support/schedule-victim.ts')
    const instant = new Date(NINE + 1000).toISOString()
    const argv = [process.execPath, '--import', TSX, script, dir, instant, point]
    return realSystem.run(argv, { timeoutMs: 60_000, cwd: ROOT })
  }

  it.each(['claimed', 'held'])(
    'after it has claimed a run, which has not begun (%s), is followed by one run',
    async (point) => {
      expect((await victim(point)).signal).toBe('SIGKILL')
      expect(await history(dir)).toMatchObject([{ state: 'CLAIMED', attempt: 1 }])
      const next = start(['run', '--due', '--by', 'cron'], { at: NINE + 60_000 })
      expect(await next.ended).toBe(0)
      expect(next.stderr()).toContain('ABANDONED')
      expect(await history(dir)).toMatchObject([{ state: 'DONE', attempt: 2 }])
      expect(await start(['run', '--due', '--by', 'cron'], { at: NINE + 120_000 }).ended).toBe(0)
      expect(pids()).toHaveLength(1)
    },
  )

  it('during a run leaves that run alone, and makes up for it only when it is gone', async () => {
    const keeper = start(['run', 'morning'], { table: [jobThat(dir, 'slow')] })
    await expect.poll(pids, patient).toHaveLength(1)
    keeper.child.kill('SIGKILL')
    await keeper.ended
    const [orphan = 0] = pids()
    const meanwhile = start(['run', 'morning', '--by', 'cron'], { at: NINE + 10_000 })
    expect(await meanwhile.ended).toBe(75)
    expect(meanwhile.stderr()).toContain('already RUNNING')
    expect(await realSystem.processAt(orphan)).not.toBeNull()
    process.kill(-orphan, 'SIGKILL')
    await expect.poll(() => realSystem.processAt(orphan), patient).toBeNull()
    expect(await start(['run', '--due'], { at: NINE + 20_000 }).ended).toBe(0)
    expect(await history(dir)).toMatchObject([{ state: 'DONE', attempt: 2 }])
    expect(pids()).toHaveLength(2)
  })

  it('during a run that outlives its deadline has that run ended by the next tick', async () => {
    const table = [jobThat(dir, 'slow', { deadlineMs: 120_000 })]
    const keeper = start(['run', 'morning'], { table })
    await expect.poll(pids, patient).toHaveLength(1)
    keeper.child.kill('SIGKILL')
    await keeper.ended
    expect(await start(['run', '--due'], { table, at: NINE + 200_000 }).ended).toBe(0)
    await expect.poll(() => realSystem.processAt(pids()[0]!), patient).toBeNull()
    expect(await history(dir)).toMatchObject([{ state: 'TIMED_OUT', exitCode: 124, attempt: 1 }])
    expect(pids()).toHaveLength(1)
  })
})

describe('a run', () => {
  it('past its deadline is ended with all its processes, whether they listen to SIGTERM or not', async () => {
    const call = start(['run', 'morning'], { table: [jobThat(dir, 'stubborn', { deadlineMs: 25_000 })] })
    expect(await call.ended).toBe(124)
    expect(await history(dir)).toMatchObject([{ state: 'TIMED_OUT', exitCode: 124 }])
    expect(pids()).toHaveLength(2)
    for (const pid of pids()) await expect.poll(() => realSystem.processAt(pid), patient).toBeNull()
  })

  it('that writes 300 MB without a line end fills neither the memory nor the disk', async () => {
    const call = start(['run', 'morning'], { table: [jobThat(dir, 'loud')] })
    let peak = 0
    const watch = setInterval(() => {
      const status = `/proc/${call.child.pid}/status`
      const size = existsSync(status) ? /VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'latin1'))?.[1] : undefined
      peak = Math.max(peak, Number(size ?? 0))
    }, 20)
    expect(await call.ended).toBe(0)
    clearInterval(watch)
    expect(peak / 1024).toBeLessThan(250)
    const [run] = await history(dir)
    expect(Buffer.byteLength(run!.outputTail!)).toBeLessThanOrEqual(10_000)
    expect(run!.outputTail).toMatch(/\ufffd+결과: OK\n$/)
    expect(statSync(run!.outputFile!).size).toBeLessThan(10 * 1024 * 1024 + 100)
    expect(readFileSync(run!.outputFile!, 'latin1').slice(-60)).toMatch(/\[\d+ more bytes were not kept\]/)
  })

  it('works from the bare environment of cron', async () => {
    const env = {
      LANG: 'C',
      SHELL: '/bin/sh',
      OPS_DB_PATH: join(dir, 'ops.db'),
      APPROVAL_ENV_FILE: join(dir, '.env'),
      SCHEDULE_TABLE: JSON.stringify([jobThat(dir, 'environment')]),
      CLOCK_SHIFT: String(NINE + 1000 - Date.now()),
    }
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const line = `cd ${ROOT} && ${process.execPath} --import tsx/esm test/support/schedule-main.ts run --due --by cron`
    const argv = ['/usr/bin/env', '-i', ...words, '/bin/sh', '-c', line]
    const result = await realSystem.run(argv, { timeoutMs: 60_000, cwd: '/' })
    expect(result.code).toBe(0)
    const [first = '', second] = result.stdout.split('\n')
    expect(second).toBe('결과: OK')
    const inside = JSON.parse(first)
    expect(inside.cwd).toBe(ROOT)
    expect(inside.env).toMatchObject({ OPS_DB_PATH: env.OPS_DB_PATH, LANG: 'C.UTF-8' })
    expect(inside.env.PATH).toContain('/usr/bin')
    expect(inside.env).not.toHaveProperty('SCHEDULE_TABLE')
  })
})

describe('stopping the scheduler', () => {
  it('lets a running job finish', async () => {
    await knownBefore(dir, 'morning')
    const keeper = start([], { table: [jobThat(dir, 'until-told')] })
    await expect.poll(pids, patient).toHaveLength(1)
    keeper.child.kill('SIGTERM')
    await until('it says what it waits for', () => keeper.stderr().includes('Running: morning 2026-11-22'))
    writeFileSync(join(dir, 'ran.told'), '')
    expect(await keeper.ended).toBe(0)
    expect(await history(dir)).toMatchObject([{ state: 'DONE', exitCode: 0 }])
  })

  it('ends a job that does not finish in time, to be run again when the scheduler is back', async () => {
    await knownBefore(dir, 'morning')
    const keeper = start([], { table: [jobThat(dir, 'slow')] })
    await expect.poll(pids, patient).toHaveLength(1)
    keeper.child.kill('SIGTERM')
    expect(await keeper.ended).toBe(0)
    await expect.poll(() => realSystem.processAt(pids()[0]!), patient).toBeNull()
    expect(await history(dir)).toMatchObject([{ state: 'ABANDONED', attempt: 1 }])
    const back = start([])
    await expect.poll(async () => (await history(dir))[0], patient).toMatchObject({ state: 'DONE', attempt: 2 })
    back.child.kill('SIGINT')
    expect(await back.ended).toBe(0)
  })

  it('happens by itself when the server that started it is gone', async () => {
    const keeper = start([], { ipc: true, main: 'src/scheduler.ts' })
    await expect.poll(() => keeper.stdout(), patient).toMatch(/Asia\/Seoul, UTC\+09:00[\s\S]*09:00\s+daily-check/)
    keeper.child.disconnect()
    expect(await keeper.ended).toBe(0)
  })

  it('happens as well when that server was gone before the scheduler was loaded', async () => {
    const keeper = start([], { ipc: true, main: 'src/scheduler.ts' })
    keeper.child.disconnect()
    expect(await keeper.ended).toBe(0)
  })
})
