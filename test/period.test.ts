import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addDays,
  dateIn,
  dayBounds,
  dayOf,
  hoursOf,
  instantAt,
  isZone,
  localTime,
  periodText,
  startOfDate,
  weekLabel,
  weekOf,
  zoneName,
} from '../src/report/period.ts'

const HOUR = 3_600_000
const iso = (text: string) => Date.parse(text)
const ZONES = ['Asia/Seoul', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Havana', 'UTC']

describe('a day', () => {
  test.each([
    ['Asia/Seoul', '2026-11-22', '2026-11-21T15:00:00Z', 24],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', 23],
    ['America/New_York', '2026-11-01', '2026-11-01T04:00:00Z', 25],
    ['Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00Z', 23.5],
    // Two midnights, and none at all.
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00Z', 25],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00Z', 23],
    // A day that never was.
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00Z', 0],
  ])('in %s, %s begins at %s and has %d hours', (zone, date, from, hours) => {
    const day = dayOf(date, zone)
    expect(day.from).toBe(iso(from))
    expect((day.until - day.from) / HOUR).toBe(hours)
  })

  test.each(ZONES)('takes every instant of 60 days around a clock change exactly once in %s', (zone) => {
    for (const middle of ['2026-03-15', '2026-10-25']) {
      const days = Array.from({ length: 60 }, (_, i) => dayOf(addDays(middle, i - 30), zone))
      for (const [i, day] of days.entries()) {
        expect(day.until).toBe(days[i + 1]?.from ?? day.until)
        for (let ms = day.from; ms < day.until; ms += HOUR / 2) expect(dateIn(ms, zone)).toBe(day.date)
        expect(dateIn(day.until - 1, zone)).toBe(day.date)
        expect(dateIn(day.from - 1, zone)).not.toBe(day.date)
      }
    }
  })

  test('holds the instant it was asked for, and its neighbours touch it', () => {
    const instant = fc.integer({ min: iso('1971-01-01T00:00Z'), max: iso('2037-12-31T00:00Z') })
    fc.assert(
      fc.property(instant, fc.constantFrom(...ZONES, 'Africa/Cairo', 'America/Santiago'), (ms, zone) => {
        const day = dayBounds(ms, zone)
        expect(day.from <= ms && ms < day.until).toBe(true)
        expect(dayBounds(ms, zone, -1).until).toBe(day.from)
        expect(dayBounds(ms, zone, 1).from).toBe(day.until)
      }),
      { numRuns: 300, seed: 20261122 },
    )
  })

  test('is the same yesterday a tenth of a second before and after 09:00', () => {
    const [before, after] = [iso('2026-11-21T23:59:59.900Z'), iso('2026-11-22T00:00:00.100Z')]
    expect(dayBounds(before, 'Asia/Seoul', -1)).toEqual(dayBounds(after, 'Asia/Seoul', -1))
  })
})

describe('an instant on the wall', () => {
  test.each([
    ['2026-11-22', '09:00', 'Asia/Seoul', '2026-11-22T00:00:00Z'],
    ['2026-11-22', '18:00:01.250', 'Asia/Seoul', '2026-11-22T09:00:01.250Z'],
    ['2026-07-01', '09:00', 'America/New_York', '2026-07-01T13:00:00Z'],
    ['2026-03-08', '09:00', 'America/New_York', '2026-03-08T13:00:00Z'],
    // 02:30 is left out: the first instant after the jump. 01:30 comes twice: the first.
    ['2026-03-08', '02:30', 'America/New_York', '2026-03-08T07:00:00Z'],
    ['2026-11-01', '01:30', 'America/New_York', '2026-11-01T05:30:00Z'],
    ['2026-03-29', '02:30', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['2026-10-25', '02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z'],
    ['2026-10-04', '02:15', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['2026-03-08', '00:30', 'America/Havana', '2026-03-08T05:00:00Z'],
  ])('%s %s in %s is %s', (date, time, zone, expected) => {
    expect(new Date(instantAt(date, time, zone)).toISOString()).toBe(new Date(iso(expected)).toISOString())
  })

  test('refuses what is no time', () => {
    expect(() => instantAt('2026-11-22', '25:00', 'UTC')).toThrow(RangeError)
    expect(() => startOfDate('yesterday', 'UTC')).toThrow(RangeError)
  })
})

describe('a week', () => {
  test.each([
    ['2020-12-31', '2020-W53'],
    ['2021-01-03', '2020-W53'],
    ['2021-01-04', '2021-W01'],
    ['2024-12-29', '2024-W52'],
    ['2024-12-30', '2025-W01'],
    ['2025-01-05', '2025-W01'],
    ['2026-01-01', '2026-W01'],
    ['2026-12-28', '2026-W53'],
    ['2027-01-03', '2026-W53'],
    ['2027-01-04', '2027-W01'],
    ['2026-11-22', '2026-W47'],
    ['2000-02-29', '2000-W09'],
  ])('of %s is %s', (date, label) => {
    expect(weekLabel(date)).toBe(label)
  })

  test('has one label from Monday to Sunday, and the next on Monday, for sixty years', () => {
    let [year, week] = [1970, 1]
    const wrong: string[] = []
    for (let monday = '1969-12-29'; monday < '2030'; monday = addDays(monday, 7)) {
      const label = `${year}-W${String(week).padStart(2, '0')}`
      for (let i = 0; i < 7; i++) if (weekLabel(addDays(monday, i)) !== label) wrong.push(addDays(monday, i))
      // The fourth of January is always in the first week.
      const isLast = `${year + 1}-01-04` < addDays(monday, 14) && `${year + 1}-01-04` >= addDays(monday, 7)
      ;[year, week] = isLast ? [year + 1, 1] : [year, week + 1]
    }
    expect(wrong).toEqual([])
  })

  test.each([
    ['Asia/Seoul', '2026-11-22', '2026-11-15T15:00:00Z', 168],
    ['America/New_York', '2026-03-08', '2026-03-02T05:00:00Z', 167],
    ['America/New_York', '2026-11-01', '2026-10-26T04:00:00Z', 169],
    ['Europe/Berlin', '2026-03-29', '2026-03-22T23:00:00Z', 167],
    ['Australia/Lord_Howe', '2026-10-04', '2026-09-27T13:30:00Z', 167.5],
    // A day that never was.
    ['Pacific/Apia', '2011-12-30', '2011-12-26T10:00:00Z', 144],
  ])('in %s, that of %s begins at %s and has %d hours', (zone, date, from, hours) => {
    const week = weekOf(date, zone)
    expect(week.from).toBe(iso(from))
    expect((week.until - week.from) / HOUR).toBe(hours)
  })

  test.each([...ZONES, 'Pacific/Apia'])('takes every instant of three years exactly once in %s', (zone) => {
    let end = weekOf('2010-12-01', zone).from
    for (let shift = 0; shift < 160; shift++) {
      const week = weekOf('2010-12-01', zone, shift)
      expect(week.from).toBe(end)
      expect(
        dateIn(week.until - 1, zone) >= week.monday && dateIn(week.until - 1, zone) < addDays(week.monday, 7),
      ).toBe(true)
      end = week.until
    }
  })
})

describe('the hours of a period', () => {
  test.each(ZONES)('lie each in one hour of the wall, leave nothing out and count nothing twice in %s', (zone) => {
    for (const date of ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01']) {
      const week = weekOf(date, zone)
      let end = week.from
      for (const { from, until } of hoursOf(week, zone)) {
        expect(from).toBe(end)
        expect(localTime(until - 1, zone, 'DD HH')).toBe(localTime(from, zone, 'DD HH'))
        end = until
      }
      expect(end).toBe(week.until)
    }
  })

  test('are 23 and 25 where a clock jumps, one of them there twice', () => {
    const hours = (date: string) =>
      hoursOf(dayOf(date, 'America/New_York'), 'America/New_York').map(({ from }) =>
        localTime(from, 'America/New_York', 'HH'),
      )
    expect(hours('2026-03-08').slice(0, 4)).toEqual(['00', '01', '03', '04'])
    expect(hours('2026-11-01').slice(0, 4)).toEqual(['00', '01', '01', '02'])
  })
})

describe('for people', () => {
  test('says the wall time and the zone with its offset', () => {
    const ms = iso('2026-11-22T09:00:05Z')
    expect(localTime(ms, 'Asia/Seoul')).toBe('2026-11-22 18:00:05')
    expect(zoneName(ms, 'Asia/Seoul')).toBe('Asia/Seoul, UTC+09:00')
    expect(zoneName(ms, 'America/St_Johns')).toBe('America/St_Johns, UTC-03:30')
    expect(zoneName(ms, 'UTC')).toBe('UTC')
  })

  test('writes a period as short as it can be', () => {
    const at = (date: string, time: string) => instantAt(date, time, 'Asia/Seoul')
    const text = (from: number, until: number) => periodText({ from, until }, 'Asia/Seoul')
    expect(text(at('2026-11-22', '00:00'), at('2026-11-22', '18:00'))).toBe('2026-11-22 00:00 – 18:00')
    expect(text(at('2026-11-21', '18:00'), at('2026-11-22', '18:00'))).toBe('2026-11-21 18:00 – 2026-11-22 18:00')
    expect(text(at('2026-11-22', '00:00'), at('2026-11-23', '00:00'))).toBe('2026-11-22 00:00 – 24:00')
    expect(text(at('2026-11-20', '00:00'), at('2026-11-23', '00:00'))).toBe('2026-11-20 00:00 – 2026-11-22 24:00')
    expect(text(at('2026-11-22', '00:00'), at('2026-11-22', '00:00'))).toBe('2026-11-22 00:00 – 00:00')
  })

  test('knows a zone from a typing error', () => {
    expect(isZone('Asia/Seoul')).toBe(true)
    expect(isZone('Asia/Soul')).toBe(false)
  })
})
