import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { parseCalendar, readCalendar } from '../src/jobs/calendar.ts'
import { addDays, weekdayOf } from '../src/report/period.ts'
import { dayKind, outOfHours, type WorkingTime } from '../src/report/working-time.ts'
import { realSystem } from '../src/system/real.ts'
import { temporaryFolder } from './support/server.ts'

const dir = temporaryFolder()
afterAll(() => dir.remove())

const good = {
  working_hours: { from: '09:00', until: '18:00' },
  working_days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  years: [2026],
  holidays: { '2026-03-02': '대체공휴일(삼일절)' },
}
const text = (more: object) => JSON.stringify({ ...good, ...more }, null, 2)
const time = (more: object = {}): WorkingTime => {
  const { time: found, problems } = parseCalendar(text(more), 'calendar.json')
  expect(problems).toBeNull()
  return found!
}

describe('the calendar that comes with the desk', () => {
  const { time: shipped } = parseCalendar(readFileSync(join(ROOT, 'calendar.json'), 'utf8'), 'calendar.json')
  const { holidays, years, ...hours } = shipped!

  test('works Monday to Friday from 09:00 to 18:00', () => {
    expect(hours).toEqual({ from: '09:00', until: '18:00', days: ['mon', 'tue', 'wed', 'thu', 'fri'] })
    expect(years).toEqual([2026, 2027])
  })

  // The lunar days by the Korean calendar of ICU, the others by their date, the substitutes by the rule of the law.
  test.each([2026, 2027])('has the public holidays of %i and their substitutes', (year) => {
    const lunar = new Intl.DateTimeFormat('en-u-ca-dangi', { month: 'numeric', day: 'numeric', timeZone: 'UTC' })
    const dates = Array.from({ length: 365 }, (_, i) => addDays(`${year}-01-01`, i))
    const on = (day: string) => dates.find((date) => lunar.format(Date.parse(`${date}T00:00Z`)) === day)!
    const three = (date: string) => [addDays(date, -1), date, addDays(date, 1)]
    const [newYear, chuseok, buddha] = [on('1/1'), on('8/15'), on('4/8')]
    const fixed = (days: string[]) => days.map((day) => `${year}-${day}`)
    const plain = fixed(['01-01', '06-06'])
    const movedFromWeekend = [...fixed(['03-01', '05-05', '08-15', '10-03', '10-09', '12-25']), buddha]
    const movedFromSunday = [...three(newYear), ...three(chuseok)]
    const all = new Set([...plain, ...movedFromWeekend, ...movedFromSunday])
    const isOff = (date: string) => all.has(date) || weekdayOf(date) > 5
    const moved = [
      ...movedFromWeekend.filter((date) => weekdayOf(date) > 5),
      ...movedFromSunday.filter((date) => weekdayOf(date) === 7),
    ]
    for (const date of moved.sort()) {
      let next = date
      while (isOff(next)) next = addDays(next, 1)
      all.add(next)
      expect(holidays[next], next).toContain('대체공휴일')
    }
    if (year === 2026) all.add('2026-06-03')
    expect(Object.keys(holidays).filter((date) => date.startsWith(String(year)))).toEqual([...all].sort())
  })
})

describe('a day', () => {
  test('is a holiday by its name, a weekend, or a working day', () => {
    expect(dayKind('2026-03-02', time())).toEqual({ kind: 'holiday', name: '대체공휴일(삼일절)' })
    expect(dayKind('2026-03-01', time())).toEqual({ kind: 'weekend' })
    expect(dayKind('2026-03-03', time())).toEqual({ kind: 'working' })
  })

  test('of a year whose holidays nobody listed is unknown, its weekends and nights are not', () => {
    expect(dayKind('2028-03-01', time())).toEqual({ kind: 'unknown' })
    const outside = outOfHours(time(), 'Asia/Seoul')
    expect(outside(Date.parse('2028-03-01T12:00+09:00'))).toBeNull()
    expect(outside(Date.parse('2028-03-01T08:00+09:00'))).toBe(true)
    expect(outside(Date.parse('2028-03-04T12:00+09:00'))).toBe(true)
  })
})

describe('working hours', () => {
  test('begin and end on the minute, by the wall of the zone', () => {
    const outside = outOfHours(time(), 'Asia/Seoul')
    const at = (wall: string) => outside(Date.parse(`2026-11-24T${wall}+09:00`))
    expect([at('08:59:59.999'), at('09:00:00.000'), at('17:59:59.999'), at('18:00:00.000')]).toEqual([
      ...[true, false, false, true],
    ])
  })

  test('follow the wall over the days on which a clock jumps', () => {
    const outside = outOfHours(time({ working_days: ['sun'] }), 'America/New_York')
    expect(outside(Date.parse('2026-03-08T09:00-04:00'))).toBe(false)
    expect(outside(Date.parse('2026-03-08T08:59-04:00'))).toBe(true)
    expect(outside(Date.parse('2026-11-01T17:59-05:00'))).toBe(false)
    expect(outside(Date.parse('2026-11-01T18:00-05:00'))).toBe(true)
  })

  test('may end at midnight', () => {
    const outside = outOfHours(time({ working_hours: { from: '00:00', until: '24:00' } }), 'Asia/Seoul')
    expect(outside(Date.parse('2026-11-24T23:59:59+09:00'))).toBe(false)
  })
})

describe('a calendar with mistakes', () => {
  const problems = (json: string) => parseCalendar(json, 'calendar.json').problems

  test.each([
    [{ holidays: { '2026-02-30': 'x' } }, /^calendar\.json:\d+: holidays\.2026-02-30: no such date/],
    [{ holidays: { '2027-01-01': '신정' } }, /^calendar\.json:\d+: holidays\.2027-01-01: 2027 is not in years/],
    [{ holidays: { '2026-01-01': ' ' } }, /^calendar\.json:\d+: holidays\.2026-01-01: a holiday needs its name/],
    [{ working_hours: { from: '9:00', until: '18:00' } }, /^calendar\.json:3: working_hours\.from: allowed: HH:MM/],
    [{ working_hours: { from: '18:00', until: '09:00' } }, /working_hours\.until: 09:00 is not after 18:00$/],
    [{ working_days: ['mo'] }, /working_days\.0: /],
    [{ holiday: {} }, /holiday: no such key here$/],
    [{ years: 2026 }, /years: /],
  ])('names each by file, line and field: %j', (more, said) => {
    expect(problems(text(more))).toEqual([expect.stringMatching(said)])
  })

  test('names all of them at once, in the order of the lines', () => {
    const found = problems(text({ years: ['x'], working_days: ['mo'], holidays: { a: '' } }))!
    const lines = found.map((problem) => Number(/:(\d+):/.exec(problem)![1]))
    expect(lines.length).toBe(3)
    expect(lines).toEqual([...lines].sort((a, b) => a - b))
  })

  test('that is no JSON, or has a day twice, says on which line', () => {
    expect(problems('{\n  "years": [2026],,\n}')).toEqual([expect.stringMatching(/^calendar\.json:2: not JSON/)])
    const twice = text({}).replace('"2026-03-02"', '"2026-03-02": "a",\n    "2026-03-02"')
    expect(problems(twice)).toEqual([expect.stringMatching(/^calendar\.json:\d+: this key stands here twice$/)])
    expect(problems('[]')).toEqual([expect.stringMatching(/^calendar\.json:1: calendar: /)])
  })

  test('or none at all is told apart from one that cannot be read', async () => {
    const path = join(dir.path, 'calendar.json')
    expect(await readCalendar(realSystem, path)).toEqual({
      time: null,
      missing: true,
      problems: [`${path}: no such file`],
    })
    expect(await readCalendar(realSystem, dir.path)).toMatchObject({ time: null, missing: false })
    writeFileSync(path, `\ufeff${text({})}`)
    expect(await readCalendar(realSystem, path)).toMatchObject({ problems: null })
  })
})
