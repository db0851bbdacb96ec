import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JobRun, Ledger } from '../src/schedule/ledger.ts'
import { runLatest, runOnTime, tick } from '../src/schedule/tick.ts'
import { type OpenLedger, openLedger } from '../src/store/ledger.ts'
import { DAY, dead, EVENING, FINE, hand, MORNING, withFaults } from './support/scheduler.ts'
import { temporaryFolder } from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let open: OpenLedger
let ledger: Ledger

beforeEach(() => {
  dir = temporaryFolder()
  open = openLedger(`${dir.path}/ops.db`, Date.parse('2026-11-20T00:00:00Z'))
  ledger = open.ledger
})
afterEach(() => {
  open.close()
  dir.remove()
})

const states = async (job: string | null = null): Promise<string[]> =>
  (await ledger.history(job, 1000)).map((run) => `${run.job} ${run.slot.date} ${run.state}`).reverse()

/** 2026-11-20 is a Friday; the ledger knows the jobs from 10:00 in Seoul on. */
async function knownSinceFriday(options: Parameters<typeof hand>[2] = {}) {
  const one = await hand(ledger, dir.path, options)
  await tick(one.at('2026-11-20T01:00:00Z').scheduler, 'catch-up')
  return one
}

describe('a tick', () => {
  it('owes nothing from before the job was first seen', async () => {
    const one = await knownSinceFriday()
    expect(one.ran).toEqual([])
    expect(await states()).toEqual([])
  })

  it('runs what is due, once', async () => {
    const one = await knownSinceFriday({ table: [MORNING, EVENING] })
    await tick(one.at('2026-11-20T08:59:59.999Z').scheduler, 'cron')
    expect(one.ran).toEqual([])
    await tick(one.at('2026-11-20T09:00:00Z').scheduler, 'cron')
    await tick(one.at('2026-11-20T09:00:00.001Z').scheduler, 'cron')
    await tick(one.at('2026-11-20T09:05:00Z').scheduler, 'catch-up')
    expect(one.ran).toEqual(['evening@2026-11-20T09:00:00.000Z'])
    const [run] = await ledger.history(null, 10)
    expect(run).toMatchObject({ job: 'evening', state: 'DONE', attempt: 1, trigger: 'cron', exitCode: 0 })
    expect(run).toMatchObject({ outputTail: 'OK\n', startedAt: Date.parse('2026-11-20T09:00:00Z') })
  })

  it('runs the very first slot when cron has just been set up for it', async () => {
    const one = await hand(ledger, dir.path)
    await tick(one.at('2026-11-21T00:00:01Z').scheduler, 'cron')
    expect(one.ran).toHaveLength(1)
  })

  it('leaves a slot in its first seconds to those who start it on time', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-21T00:00:00.020Z').scheduler, 'catch-up', 30_000)
    expect(one.ran).toEqual([])
    await tick(one.at('2026-11-21T00:01:00.020Z').scheduler, 'catch-up', 30_000)
    expect(one.ran).toHaveLength(1)
  })

  it('does not let one job that fails to be judged keep the others from running', async () => {
    const broken = withFaults(ledger, {
      find: (job: string, date: string) =>
        job === 'morning' ? Promise.reject(new Error('I/O')) : ledger.find(job, date),
    })
    const two = await hand(broken, dir.path, { table: [MORNING, EVENING] })
    await tick(two.at('2026-11-20T00:00:01Z').scheduler, 'cron')
    const results = await tick(two.at('2026-11-20T09:00:01Z').scheduler, 'cron')
    expect(results.map(({ result }) => result.kind)).toEqual(['failed', 'ran'])
    expect(two.told.join('\n')).toContain('npm run morning')
  })
})

describe('what was missed', () => {
  it('is caught up once within its window, and marked so', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-21T03:00:00Z').scheduler, 'catch-up')
    await tick(one.at('2026-11-21T03:01:00Z').scheduler, 'catch-up')
    expect(one.ran).toEqual(['morning@2026-11-21T03:00:00.000Z'])
    expect((await ledger.history(null, 1))[0]).toMatchObject({ trigger: 'catch-up', slot: { date: '2026-11-21' } })
  })

  it('is filed as MISSED a millisecond after its window', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-21T03:00:00.001Z').scheduler, 'catch-up')
    expect(one.ran).toEqual([])
    expect(await states()).toEqual(['morning 2026-11-21 MISSED'])
  })

  it('for 400 days is one row and one line beside the one run that is caught up', async () => {
    const one = await knownSinceFriday({ table: [MORNING, EVENING] })
    const after = new Date(Date.parse('2026-11-20T01:00:00Z') + 400 * DAY).toISOString()
    await tick(one.at(after).scheduler, 'catch-up')
    await tick(one.scheduler, 'catch-up')
    expect(one.ran).toEqual([`morning@${after}`])
    expect(one.told.filter((line) => line.includes('MISSED'))).toHaveLength(2)
    const rows = await ledger.history('morning', 10)
    expect(rows.map((row) => [row.state, row.slot.date, row.missed])).toEqual(
      expect.arrayContaining([
        ['DONE', '2027-12-25', null],
        ['MISSED', '2027-12-24', { from: '2026-11-21', count: 399 }],
      ]),
    )
    expect(rows).toHaveLength(2)
    const evenings = await ledger.history('evening', 10)
    expect(evenings.map((row) => row.missed)).toEqual([{ from: '2026-11-20', count: 400 }])
  })

  it('is counted from the last row on, not again from the beginning', async () => {
    const one = await knownSinceFriday()
    for (const day of ['23', '26']) await tick(one.at(`2026-11-${day}T00:10:00Z`).scheduler, 'catch-up')
    expect((await ledger.history('morning', 10)).map((row) => row.missed).filter(Boolean)).toEqual([
      { from: '2026-11-24', count: 2 },
      { from: '2026-11-21', count: 2 },
    ])
  })
})

describe('the days on which clocks change', () => {
  it.each([
    ['America/New_York', '09:00', '2026-03-06T20:00:00Z', ['2026-03-07T14:00', '2026-03-08T13:00', '2026-03-09T13:00']],
    ['America/New_York', '02:30', '2026-03-07T20:00:00Z', ['2026-03-08T07:00', '2026-03-09T06:30']],
    ['America/New_York', '01:30', '2026-10-31T20:00:00Z', ['2026-11-01T05:30', '2026-11-02T06:30']],
    ['Europe/Berlin', '02:30', '2026-03-28T12:00:00Z', ['2026-03-29T01:00', '2026-03-30T00:30']],
    ['Europe/Berlin', '02:30', '2026-10-24T12:00:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['Asia/Seoul', '02:30', '1988-05-07T12:00:00Z', ['1988-05-07T17:00', '1988-05-08T16:30']],
    ['Asia/Seoul', '02:30', '1988-10-08T12:00:00Z', ['1988-10-08T16:30', '1988-10-09T17:30']],
  ])('give %s one run at %s per date', async (zone, at, from, expected) => {
    const one = await hand(ledger, dir.path, { zone, table: [{ ...MORNING, at }] })
    const last = Date.parse(`${expected.at(-1)}:00Z`)
    for (let now = Date.parse(from); now <= last + 600_000; now += 900_000) {
      await tick(one.at(new Date(now).toISOString()).scheduler, 'cron')
    }
    expect(one.ran).toEqual(expected.map((minute) => `morning@${minute}:00.000Z`))
    expect((await states()).every((state) => state.endsWith('DONE'))).toBe(true)
  })
})

describe('a clock that is set', () => {
  it('back by hours or years starts nothing a second time', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    for (const instant of [
      '2026-11-20T22:00:00Z',
      '2026-11-21T00:00:00Z',
      '1970-01-01T00:00:00Z',
      '2026-11-21T00:05:00Z',
    ]) {
      await tick(one.set(instant).scheduler, 'cron')
    }
    expect(one.ran).toHaveLength(1)
    expect(await states()).toEqual(['morning 2026-11-21 DONE'])
    expect(one.told.join('\n')).toContain('the clock moved by -7200 s')
  })

  it('to 2099 and back within minutes starts nothing there, and everything here as ever', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    await tick(one.set('2099-06-01T00:00:30Z').scheduler, 'cron')
    await runOnTime(one.scheduler, MORNING)
    await tick(one.at('2099-06-01T00:04:00Z').scheduler, 'cron')
    await tick(one.set('2026-11-21T00:06:00Z').scheduler, 'cron')
    await tick(one.at('2026-11-22T00:00:00Z').scheduler, 'cron')
    expect(one.ran).toEqual(['morning@2026-11-21T00:00:00.000Z', 'morning@2026-11-22T00:00:00.000Z'])
    expect(await states()).toEqual(['morning 2026-11-21 DONE', 'morning 2026-11-22 DONE'])
  })

  it('to 2099 for good, and later back, costs no run of the present', async () => {
    const one = await knownSinceFriday()
    await tick(one.set('2099-06-01T00:00:30Z').scheduler, 'cron')
    await tick(one.at('2099-06-01T00:06:00Z').scheduler, 'cron')
    expect(one.ran).toHaveLength(1)
    await tick(one.set('2026-11-21T00:00:00Z').scheduler, 'cron')
    await tick(one.at('2026-11-22T00:00:00Z').scheduler, 'cron')
    expect(one.ran.slice(1)).toEqual(['morning@2026-11-21T00:00:00.000Z', 'morning@2026-11-22T00:00:00.000Z'])
    expect((await states()).filter((state) => state.includes(' 2026'))).toHaveLength(2)
  })

  it('forward by two hours runs what has become due, once', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-20T23:00:00Z').scheduler, 'cron')
    await tick(one.set('2026-11-21T01:00:00Z').scheduler, 'cron')
    await tick(one.set('2026-11-20T23:01:00Z').scheduler, 'cron')
    await tick(one.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    expect(one.ran).toEqual(['morning@2026-11-21T01:00:00.000Z'])
  })
})

describe('a run that was cut off', () => {
  const cutOff = async (at: string, started: boolean): Promise<JobRun> => {
    const holder = await dead()
    const slot = { date: '2026-11-21', due: Date.parse('2026-11-21T00:00:00Z') }
    await ledger.claim({ job: 'morning', slot, trigger: 'node-cron', holder, now: Date.parse(at) })
    const run = (await ledger.find('morning', slot.date))!
    if (started) await ledger.started(run, { ...holder, pid: 4_000_001 }, 'x.log', Date.parse(at))
    return run
  }

  it.each([false, true])('is tried once more within its window (started: %s)', async (started) => {
    const one = await knownSinceFriday()
    await cutOff('2026-11-21T00:00:00Z', started)
    await tick(one.at('2026-11-21T00:01:00Z').scheduler, 'catch-up')
    await tick(one.at('2026-11-21T00:02:00Z').scheduler, 'catch-up')
    expect(one.ran).toHaveLength(1)
    const [run] = await ledger.history('morning', 1)
    expect(run).toMatchObject({ state: 'DONE', attempt: 2 })
    expect(run?.note).toContain('attempt 1: process 4000000')
    expect(run?.outputFile).toContain('morning-2026-11-21.attempt-2.log')
    expect(one.told.join('\n')).toContain('ABANDONED')
  })

  it('is only marked when its window is over', async () => {
    const one = await knownSinceFriday()
    await cutOff('2026-11-21T00:00:00Z', true)
    await tick(one.at('2026-11-21T03:30:00Z').scheduler, 'catch-up')
    expect(one.ran).toEqual([])
    expect(await states()).toEqual(['morning 2026-11-21 ABANDONED'])
  })

  it('twice is not tried a third time', async () => {
    const one = await knownSinceFriday()
    const run = await cutOff('2026-11-21T00:00:00Z', true)
    await tick(one.at('2026-11-21T03:30:00Z').scheduler, 'catch-up')
    const { slot } = run
    const claim = { job: 'morning', slot, trigger: 'cron', holder: await dead(), now: slot.due } as const
    expect(await ledger.claimAgain(claim, (await ledger.find('morning', slot.date))!)).toBe(true)
    await tick(one.set('2026-11-21T00:10:00Z').scheduler, 'catch-up')
    await tick(one.scheduler, 'catch-up')
    expect(one.ran).toEqual([])
    expect((await ledger.find('morning', slot.date))?.state).toBe('ABANDONED')
  })

  it('by a failure of the ledger before its start is no ghost: the same process takes it up again', async () => {
    const broken = withFaults(ledger, {
      started: () => Promise.reject(new Error('disk full')),
      finished: () => Promise.reject(new Error('disk full')),
    })
    const one = await hand(broken, dir.path)
    await tick(one.at('2026-11-20T01:00:00Z').scheduler, 'cron')
    const [failed] = await tick(one.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    expect(failed?.result).toEqual({ kind: 'failed', cause: 'disk full' })
    const two = await hand(ledger, dir.path)
    await tick(two.at('2026-11-21T00:01:00Z').scheduler, 'cron')
    expect([one.ran, two.ran.length]).toEqual([[], 1])
  })
})

describe('a run that is still going', () => {
  it('is neither started again nor followed by the next one, which is filed as OVERLAP', async () => {
    let finish = (): void => {}
    const slow = await knownSinceFriday({
      run: () => new Promise((resolve) => (finish = () => resolve(FINE))),
      table: [{ ...MORNING, deadlineMs: 3 * DAY }],
    })
    const first = tick(slow.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    await expect.poll(() => states(), { timeout: 60_000 }).toEqual(['morning 2026-11-21 RUNNING'])
    const [again] = await tick(slow.at('2026-11-21T00:01:00Z').scheduler, 'cron')
    expect(again?.result).toMatchObject({ kind: 'taken', by: { state: 'RUNNING' } })
    const [next] = await tick(slow.at('2026-11-22T00:00:00Z').scheduler, 'cron')
    expect(next?.result.kind).toBe('overlap')
    finish()
    await first
    await tick(slow.at('2026-11-22T00:01:00Z').scheduler, 'cron')
    expect(await states()).toEqual(['morning 2026-11-21 DONE', 'morning 2026-11-22 OVERLAP'])
    expect(slow.ran).toHaveLength(1)
    expect(slow.told.filter((line) => line.includes('OVERLAP'))).toHaveLength(1)
  })
})

describe('a run that somebody asks for', () => {
  it('is the latest slot within its window, even on a machine that never ran it before', async () => {
    const one = await hand(ledger, dir.path)
    const asked = await runLatest(one.at('2026-11-21T02:00:00Z').scheduler, MORNING, 'hand')
    expect(asked).toMatchObject({ slot: { date: '2026-11-21' }, result: { kind: 'ran', run: { trigger: 'hand' } } })
    const again = await runLatest(one.scheduler, MORNING, 'cron')
    expect(again.result).toMatchObject({ kind: 'taken', by: { state: 'DONE', trigger: 'hand' } })
  })

  it('is refused when its window is over', async () => {
    const one = await hand(ledger, dir.path)
    expect((await runLatest(one.at('2026-11-21T06:00:00Z').scheduler, MORNING, 'hand')).result.kind).toBe('missed')
    expect(one.ran).toEqual([])
  })
})

describe('the end of a run', () => {
  it.each([
    ['its verdict', { code: 2 }, 'DONE', 2],
    ['a crash that printed nothing', { code: 1, stdout: '', output: 'SyntaxError' }, 'FAILED', 1],
    ['bad configuration', { code: 78 }, 'FAILED', 78],
    ['a signal', { code: null, signal: 'SIGSEGV' }, 'FAILED', null],
    ['its own deadline', { code: 124 }, 'TIMED_OUT', 124],
    ['our deadline', { code: 0, timedOut: true }, 'TIMED_OUT', 124],
  ])('by %s is told apart', async (_, result, state, exitCode) => {
    const one = await knownSinceFriday({ run: async () => ({ ...FINE, ...result }) })
    await tick(one.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    expect((await ledger.history(null, 1))[0]).toMatchObject({ state, exitCode })
  })
})

describe('an edited schedule', () => {
  it('gives no second run for the same date, nor does another zone', async () => {
    const one = await knownSinceFriday()
    await tick(one.at('2026-11-21T00:00:00Z').scheduler, 'cron')
    const later = await hand(ledger, dir.path, { table: [{ ...MORNING, at: '10:00' }] })
    await tick(later.at('2026-11-21T01:00:00Z').scheduler, 'cron')
    const elsewhere = await hand(ledger, dir.path, { zone: 'UTC' })
    await tick(elsewhere.at('2026-11-21T09:00:00Z').scheduler, 'cron')
    expect([later.ran, elsewhere.ran]).toEqual([[], []])
  })
})
