import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kept } from '../src/backup/retention.ts'

const DAY = 86_400_000
const ZONES = ['Asia/Seoul', 'America/New_York', 'UTC', 'Australia/Lord_Howe']
const NOW = Date.parse('2026-11-26T03:30:00Z')
const dated = (times: readonly number[]) => times.map((at, n) => ({ name: `b${n}`, at }))

/** The rule once more, from its words and with Intl alone: of each of the newest 7 days, 4 weeks, 12 months the newest. */
function naive(all: readonly { name: string; at: number }[], now: number, zone: string): Set<string> {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const days = new Map(all.map(({ at }) => [at, format.format(at)]))
  const day = (at: number) => days.get(at)!
  const week = (at: number) => Math.floor((Date.parse(`${day(at)}T00:00:00Z`) / DAY + 3) / 7)
  const result = new Set<string>()
  const newestFirst = (some: readonly { name: string; at: number }[]) =>
    [...some].sort((a, b) => b.at - a.at || b.name.localeCompare(a.name, 'en'))
  for (const some of [all.filter(({ at }) => at <= now), all.filter(({ at }) => at > now), all]) {
    for (const { name } of newestFirst(some).slice(0, 3)) result.add(name)
    if (some === all) continue
    for (const [count, of] of [
      [7, day],
      [4, week],
      [12, (at: number) => day(at).slice(0, 7)],
    ] as const) {
      const periods = [...new Set(newestFirst(some).map(({ at }) => of(at)))].slice(0, count)
      for (const period of periods) result.add(newestFirst(some).find(({ at }) => of(at) === period)!.name)
    }
  }
  return result
}

/** Half of them around changes of the clocks. */
const instant = fc.oneof(
  fc.integer({ min: NOW - 500 * DAY, max: NOW + 3 * DAY }),
  fc
    .tuple(
      fc.constantFrom('2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z', '2026-10-03T15:30:00Z'),
      fc.integer({ min: -2 * DAY, max: 2 * DAY }),
    )
    .map(([change, by]) => Date.parse(change) + by),
)

describe('what is kept', () => {
  test('is what the rule says, also where a day has 23 or 25 hours', () => {
    fc.assert(
      fc.property(fc.array(instant, { maxLength: 60 }), fc.constantFrom(...ZONES), (times, zone) => {
        expect([...kept(dated(times), NOW, zone)].sort()).toEqual([...naive(dated(times), NOW, zone)].sort())
      }),
      { numRuns: 100 },
    )
  })

  test('always holds the newest three, whatever the clock says', () => {
    fc.assert(
      fc.property(
        fc.array(instant, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0, NOW - 400 * DAY, NOW, Date.parse('2099-01-01T00:00:00Z')),
        (times, now) => {
          const stay = kept(dated(times), now, 'Asia/Seoul')
          const newest = dated(times).sort((a, b) => b.at - a.at)
          expect(stay.size).toBeGreaterThanOrEqual(Math.min(3, times.length))
          // The names of equal instants are worth the same.
          const third = newest[Math.min(3, times.length) - 1]!.at
          for (const { name, at } of newest) if (at > third) expect(stay).toContain(name)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('of a year of nights: 7 days, 4 weeks and 12 months', () => {
    const nights = Array.from({ length: 400 }, (_, n) => NOW - n * DAY)
    const stay = kept(dated(nights), NOW, 'Asia/Seoul')
    // Thursday: the week's newest and the month's newest are today's; one Sunday lies within the seven days.
    expect(stay.size).toBe(7 + 2 + 11)
  })

  test('does not shrink when the clock jumps to 2099, nor when it comes back', () => {
    const nights = Array.from({ length: 20 }, (_, n) => NOW - n * DAY)
    const before = kept(dated(nights), NOW, 'Asia/Seoul')
    const jumped = Date.parse('2099-06-01T03:30:00Z')
    expect(kept(dated(nights), jumped, 'Asia/Seoul')).toEqual(before)
    const wrong = Array.from({ length: 30 }, (_, n) => jumped + n * DAY)
    const after = kept(dated([...nights, ...wrong]), NOW, 'Asia/Seoul')
    for (const name of before) expect(after).toContain(name)
  })
})
