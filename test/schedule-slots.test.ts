import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dateIn, localTime } from '../src/report/period.ts'
import { latestSlot, nextSlot, nextSlots, slotCount } from '../src/schedule/slots.ts'
import { cronExpression, SCHEDULE, type ScheduledJob } from '../src/schedule/table.ts'

const job = (at: string, weekday?: number): ScheduledJob => ({
  name: 'job',
  at,
  ...(weekday === undefined ? {} : { weekday }),
  command: [],
  catchUpMs: 0,
  deadlineMs: 0,
})
const iso = (ms: number): string => new Date(ms).toISOString()
const next = (at: string, after: string, zone: string, weekday?: number): string =>
  iso(nextSlot(job(at, weekday), Date.parse(after), zone).due)
const latest = (at: string, now: string, zone: string, weekday?: number): string =>
  iso(latestSlot(job(at, weekday), Date.parse(now), zone).due)

describe('the slot of a wall time', () => {
  it('is due at that second, not a millisecond before', () => {
    expect(latest('09:00', '2026-11-22T00:00:00.000Z', 'Asia/Seoul')).toBe('2026-11-22T00:00:00.000Z')
    expect(latest('09:00', '2026-11-21T23:59:59.999Z', 'Asia/Seoul')).toBe('2026-11-21T00:00:00.000Z')
    expect(next('09:00', '2026-11-21T23:59:59.999Z', 'Asia/Seoul')).toBe('2026-11-22T00:00:00.000Z')
    expect(next('09:00', '2026-11-22T00:00:00.000Z', 'Asia/Seoul')).toBe('2026-11-23T00:00:00.000Z')
  })

  it('keeps to the wall when the clocks change in New York and Berlin', () => {
    expect(next('09:00', '2026-03-07T20:00:00Z', 'America/New_York')).toBe('2026-03-08T13:00:00.000Z')
    expect(next('09:00', '2026-10-31T20:00:00Z', 'America/New_York')).toBe('2026-11-01T14:00:00.000Z')
    expect(next('18:00', '2026-03-28T20:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T16:00:00.000Z')
    expect(next('18:00', '2026-10-24T20:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T17:00:00.000Z')
  })

  it('that a jump leaves out is due at the first instant after the jump', () => {
    expect(next('02:30', '2026-03-08T00:00:00Z', 'America/New_York')).toBe('2026-03-08T07:00:00.000Z')
    expect(next('02:30', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z')
    expect(next('02:30', '1988-05-07T12:00:00Z', 'Asia/Seoul')).toBe('1988-05-07T17:00:00.000Z')
    expect(next('02:15', '2026-10-03T12:00:00Z', 'Australia/Lord_Howe')).toBe('2026-10-03T15:30:00.000Z')
  })

  it('that comes twice is due once, at first', () => {
    expect(next('01:30', '2026-11-01T00:00:00Z', 'America/New_York')).toBe('2026-11-01T05:30:00.000Z')
    expect(next('01:30', '2026-11-01T05:30:00Z', 'America/New_York')).toBe('2026-11-02T06:30:00.000Z')
    expect(latest('02:30', '2026-10-25T01:45:00Z', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z')
    expect(next('02:30', '1988-10-08T12:00:00Z', 'Asia/Seoul')).toBe('1988-10-08T16:30:00.000Z')
    expect(next('02:30', '1988-10-08T16:30:00Z', 'Asia/Seoul')).toBe('1988-10-09T17:30:00.000Z')
  })

  it('does not exist on a date that the zone left out', () => {
    const dates = nextSlots(job('09:00'), Date.parse('2011-12-28T22:00:00Z'), 'Pacific/Apia', 3).map(({ date }) => date)
    expect(dates).toEqual(['2011-12-29', '2011-12-31', '2012-01-01'])
  })

  it('of a weekday comes once a week', () => {
    expect(next('09:05', '2026-11-22T00:00:00Z', 'Asia/Seoul', 1)).toBe('2026-11-23T00:05:00.000Z')
    expect(latest('09:05', '2026-11-23T00:04:59Z', 'Asia/Seoul', 1)).toBe('2026-11-16T00:05:00.000Z')
    expect(next('09:05', '2026-11-22T00:00:00Z', 'Asia/Seoul', 7)).toBe('2026-11-22T00:05:00.000Z')
  })
})

describe('any slot', () => {
  const zones = ['Asia/Seoul', 'America/New_York', 'Australia/Lord_Howe', 'Europe/London', 'UTC', 'Pacific/Apia']
  const until = Date.parse('2037-12-31T00:00:00Z')
  const anything = fc.record({
    now: fc.integer({ min: 0, max: until }),
    zone: fc.constantFrom(...zones),
    minutes: fc.integer({ min: 0, max: 24 * 60 - 1 }),
    weekday: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
  })

  it('lies between its neighbours, on its own date, at its own time unless a jump left that out', () => {
    fc.assert(
      fc.property(anything, ({ now, zone, minutes, weekday }) => {
        const at = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
        const some = job(at, weekday)
        const before = latestSlot(some, now, zone)
        const after = nextSlot(some, now, zone)
        expect(before.due).toBeLessThanOrEqual(now)
        expect(after.due).toBeGreaterThan(now)
        expect(nextSlot(some, before.due, zone)).toEqual(after)
        expect(latestSlot(some, after.due - 1, zone)).toEqual(before)
        expect(before.date < after.date).toBe(true)
        expect(localTime(before.due, zone, 'HH:mm') >= at || dateIn(before.due, zone) > before.date).toBe(true)
      }),
      { numRuns: 1500, seed: 20261122 },
    )
  })
})

describe('counting slots', () => {
  it('goes by the calendar, however far apart they are', () => {
    const first = nextSlot(job('09:00'), Date.parse('2025-10-18T00:00:00Z'), 'Asia/Seoul')
    const last = nextSlot(job('09:00'), Date.parse('2099-01-01T00:00:00Z'), 'Asia/Seoul')
    expect(slotCount(job('09:00'), first, first)).toBe(1)
    expect(slotCount(job('09:00'), first, last)).toBe(26739)
    const monday = nextSlot(job('09:05', 1), Date.parse('2026-11-01T00:00:00Z'), 'Asia/Seoul')
    const later = nextSlot(job('09:05', 1), Date.parse('2026-11-29T00:00:00Z'), 'Asia/Seoul')
    expect(slotCount(job('09:05', 1), monday, later)).toBe(5)
  })
})

describe('the schedule', () => {
  it('is the backup at 03:30, the check at 09:00, the report at 18:00, and the weekly summary on Monday at 09:05', () => {
    const lines = SCHEDULE.map((entry) => [entry.name, entry.at, cronExpression(entry), entry.catchUpMs / 3_600_000])
    expect(lines).toEqual([
      ['backup', '03:30', '30 3 * * *', 20],
      ['daily-check', '09:00', '0 9 * * *', 3],
      ['daily-report', '18:00', '0 18 * * *', 14],
      ['weekly-summary', '09:05', '5 9 * * 1', 72],
    ])
  })

  it('writes a weekday as cron does', () => {
    expect(cronExpression(job('09:05', 1))).toBe('5 9 * * 1')
    expect(cronExpression(job('03:30', 7))).toBe('30 3 * * 0')
  })
})
