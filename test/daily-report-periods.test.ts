import { describe, expect, test } from 'vitest'
import { EVENING, hasBegun, reportPeriods } from '../src/jobs/daily-report-periods.ts'
import { addDays, instantAt, isDate, type Period, periodText } from '../src/report/period.ts'

const HOUR = 3_600_000
const ZONES = ['Asia/Seoul', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Havana', 'UTC']
const seoul = (text: string) => Date.parse(`${text}+09:00`)
const hours = ({ from, until }: Period) => (until - from) / HOUR

describe('the periods of an evening report', () => {
  test('at 18:00 are today so far, and the 24 hours since the last one', () => {
    const { today, since, weeksBefore, isComplete } = reportPeriods(
      '2026-11-22',
      seoul('2026-11-22T18:00'),
      'Asia/Seoul',
    )
    expect(periodText(today, 'Asia/Seoul')).toBe('2026-11-22 00:00 – 18:00')
    expect(periodText(since, 'Asia/Seoul')).toBe('2026-11-21 18:00 – 2026-11-22 18:00')
    expect(weeksBefore.map((week) => periodText(week, 'Asia/Seoul'))).toEqual([
      ...['2026-11-15 00:00 – 18:00', '2026-11-08 00:00 – 18:00'],
      ...['2026-11-01 00:00 – 18:00', '2026-10-25 00:00 – 18:00'],
    ])
    expect(isComplete).toBe(true)
  })

  test('end at 18:00 for a report that ran late, and today goes on', () => {
    const { today, since, span } = reportPeriods('2026-11-22', seoul('2026-11-22T20:15'), 'Asia/Seoul')
    expect(periodText(since, 'Asia/Seoul')).toBe('2026-11-21 18:00 – 2026-11-22 18:00')
    expect(periodText(today, 'Asia/Seoul')).toBe('2026-11-22 00:00 – 20:15')
    expect(periodText(span, 'Asia/Seoul')).toBe('2026-11-21 18:00 – 2026-11-22 20:15')
  })

  test('are not complete before 18:00', () => {
    const { since, isComplete } = reportPeriods('2026-11-22', seoul('2026-11-22T10:00'), 'Asia/Seoul')
    expect(periodText(since, 'Asia/Seoul')).toBe('2026-11-21 18:00 – 2026-11-22 10:00')
    expect(isComplete).toBe(false)
  })

  test('are the same for a day that is over, whenever it is looked at', () => {
    const nextMorning = reportPeriods('2026-11-22', seoul('2026-11-23T07:00'), 'Asia/Seoul')
    expect(nextMorning).toEqual(reportPeriods('2026-11-22', seoul('2027-05-01T12:34:56'), 'Asia/Seoul'))
    expect(hours(nextMorning.today)).toBe(24)
    expect(periodText(nextMorning.weeksBefore[0], 'Asia/Seoul')).toBe('2026-11-15 00:00 – 24:00')
    expect(nextMorning.span).toEqual(nextMorning.since)
  })

  test('are 23 and 25 hours long when a clock jumps in between', () => {
    const at = (date: string) => reportPeriods(date, instantAt(date, '18:00', 'America/New_York'), 'America/New_York')
    expect(hours(at('2026-03-08').since)).toBe(23)
    expect(hours(at('2026-03-08').today)).toBe(17)
    expect(hours(at('2026-11-01').since)).toBe(25)
    expect(hours(at('2026-11-01').weeksBefore[0])).toBe(18)
  })

  test.each(ZONES)('take every instant of 60 days exactly once in %s', (zone) => {
    for (const first of ['2026-02-15', '2026-10-01']) {
      let end: number | undefined
      for (let i = 0; i < 60; i++) {
        const date = addDays(first, i)
        // A scheduler's minute of delay changes nothing.
        const { since } = reportPeriods(date, instantAt(date, EVENING, zone) + (i % 60) * 1000, zone)
        if (end !== undefined) expect(since.from).toBe(end)
        expect(since.until).toBeGreaterThan(since.from)
        end = since.until
      }
    }
  })
})

test('a report can be asked for on days that exist and have begun', () => {
  const now = seoul('2026-11-22T00:00')
  expect(hasBegun('2026-11-22', now, 'Asia/Seoul')).toBe(true)
  expect(hasBegun('2026-11-22', now - 1, 'Asia/Seoul')).toBe(false)
  expect(['2026-02-28', '2024-02-29'].every(isDate)).toBe(true)
  expect(['2026-02-30', '2026-2-3', 'today', '2026-13-01', ''].some(isDate)).toBe(false)
})
