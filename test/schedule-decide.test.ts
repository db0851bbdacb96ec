import { describe, expect, it } from 'vitest'
import { clockSince, standingOf, stepFor } from '../src/schedule/decide.ts'
import type { Heartbeat, JobRun, RunState } from '../src/schedule/ledger.ts'
import type { ScheduledJob } from '../src/schedule/table.ts'

const HOUR = 3_600_000
const DUE = Date.parse('2026-11-22T00:00:00Z')
const slot = { date: '2026-11-22', due: DUE }
const job: ScheduledJob = { name: 'job', at: '09:00', command: [], catchUpMs: 3 * HOUR, deadlineMs: 60_000 }
const run = (state: RunState, attempt = 1): JobRun => ({
  job: 'job',
  slot,
  state,
  attempt,
  trigger: 'cron',
  claimedAt: DUE,
  holder: { host: 'a', pid: 1, start: '1', boot: 'b' },
  child: null,
  startedAt: null,
  finishedAt: null,
  exitCode: null,
  outputTail: null,
  outputFile: null,
  missed: null,
  note: null,
})

describe('what is to be done about a slot', () => {
  it('is to run it until its window ends, and to call it missed a millisecond later', () => {
    expect(stepFor(slot, null, job, DUE)).toBe('claim')
    expect(stepFor(slot, null, job, DUE + 3 * HOUR)).toBe('claim')
    expect(stepFor(slot, null, job, DUE + 3 * HOUR + 1)).toBe('missed')
  })

  it('is nothing once any row stands for it, but for one more attempt at a run that was cut off', () => {
    for (const state of ['CLAIMED', 'RUNNING', 'DONE', 'FAILED', 'TIMED_OUT', 'MISSED', 'OVERLAP'] as const) {
      expect(stepFor(slot, run(state), job, DUE)).toBe('taken')
    }
    expect(stepFor(slot, run('ABANDONED'), job, DUE + 3 * HOUR)).toBe('claim-again')
    expect(stepFor(slot, run('ABANDONED'), job, DUE + 3 * HOUR + 1)).toBe('taken')
    expect(stepFor(slot, run('ABANDONED', 2), job, DUE)).toBe('taken')
  })
})

describe('a run on record', () => {
  const here = { foreign: false, holder: false, child: false }

  it('goes on while its holder lives, however long', () => {
    expect(standingOf(run('RUNNING'), job, { ...here, holder: true }, DUE + 24 * HOUR)).toBe('going')
  })

  it('goes on after the death of its holder until its deadline, if its processes live', () => {
    const orphan = { ...run('RUNNING'), startedAt: DUE + 5000 }
    expect(standingOf(orphan, job, { ...here, child: true }, DUE + 65_000)).toBe('going')
    expect(standingOf(orphan, job, { ...here, child: true }, DUE + 65_001)).toBe('overdue')
    expect(standingOf(orphan, job, here, DUE + 6000)).toBe('gone')
  })

  it('of another machine is believed until a minute after its deadline', () => {
    const elsewhere = { foreign: true, holder: true, child: true }
    expect(standingOf(run('CLAIMED'), job, elsewhere, DUE + 120_000)).toBe('going')
    expect(standingOf(run('CLAIMED'), job, elsewhere, DUE + 120_001)).toBe('gone')
  })
})

describe('the clock', () => {
  const MINUTE = 60_000
  const last: Heartbeat = { at: DUE, uptime: 1000, boot: 'b', settleUntil: 0 }
  const later = (wall: number, real: number) => clockSince(last, { now: DUE + wall, uptime: 1000 + real, boot: 'b' })

  it('is trusted when it goes on as fast as time does, also over sleep and a reboot', () => {
    expect(later(MINUTE, MINUTE)).toMatchObject({ movedBy: 0, trusted: true })
    expect(later(60 * 24 * HOUR, 60 * 24 * HOUR)).toMatchObject({ movedBy: 0, trusted: true })
    expect(clockSince(last, { now: DUE + 400 * 24 * HOUR, uptime: 5, boot: 'c' })).toMatchObject({ trusted: true })
    expect(clockSince(null, { now: DUE, uptime: 5, boot: 'b' })).toMatchObject({ movedBy: 0, trusted: true })
  })

  it('is said to have moved from more than a minute on', () => {
    expect(later(2 * MINUTE, MINUTE).movedBy).toBe(0)
    expect(later(2 * MINUTE + 1, MINUTE)).toMatchObject({ movedBy: MINUTE + 1, trusted: true })
    expect(later(-2 * HOUR, MINUTE)).toMatchObject({ movedBy: -2 * HOUR - MINUTE, trusted: true })
  })

  it('that leapt forward by more than a day is watched for five minutes, and believed after them', () => {
    const leap = later(73 * 365 * 24 * HOUR, MINUTE)
    expect(leap.trusted).toBe(false)
    const then = (wall: number, real: number) => {
      const { at, uptime } = leap.next
      return clockSince(leap.next, { now: at + wall, uptime: uptime + real, boot: 'b' })
    }
    expect(then(4 * MINUTE, 4 * MINUTE).trusted).toBe(false)
    expect(then(5 * MINUTE, 5 * MINUTE).trusted).toBe(true)
    expect(then(-73 * 365 * 24 * HOUR, MINUTE).trusted).toBe(true)
  })
})
