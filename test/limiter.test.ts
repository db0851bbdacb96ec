import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter } from '../src/approval/limiter.ts'

const T0 = Date.UTC(2026, 10, 26)
const limit = { per_minute: 10, burst: 2 }

describe('a limit of calls', () => {
  test('lets max + burst through at once, and then says for how long nothing goes', () => {
    const limiter = createLimiter(10)
    for (let n = 0; n < 12; n++) expect(limiter.take('kim', limit, T0 + n * 1000)).toBe(0)
    expect(limiter.take('kim', limit, T0 + 20_000)).toBe(40_000)
    expect(limiter.take('lee', limit, T0 + 20_000)).toBe(0)
    expect(limiter.take('kim', limit, T0 + 59_999)).toBe(1)
    expect(limiter.take('kim', limit, T0 + 60_000)).toBe(0)
    expect(limiter.take('kim', limit, T0 + 60_000)).toBe(1000)
  })

  test('is what a list of every call says, and never more than max + burst in any minute', () => {
    const steps = fc.array(
      fc.record({
        wait: fc.oneof(fc.constant(0), fc.integer({ max: 70_000, min: 0 })),
        who: fc.constantFrom('a', 'b'),
      }),
      { maxLength: 60 },
    )
    const limits = fc.record({ per_minute: fc.integer({ min: 1, max: 4 }), burst: fc.integer({ min: 0, max: 3 }) })
    fc.assert(
      fc.property(steps, limits, (all, own) => {
        const limiter = createLimiter(10)
        const most = own.per_minute + own.burst
        const log: { at: number; who: string }[] = []
        let now = T0
        for (const { wait, who } of all) {
          now += wait
          const lately = (at: number) => log.filter((call) => call.who === who && call.at > at - 60_000)
          const left = limiter.take(who, own, now)
          expect(left === 0).toBe(lately(now).length < most)
          if (left === 0) log.push({ at: now, who })
          else {
            expect(lately(now + left).length).toBeLessThan(most)
            expect(lately(now + left - 1).length).toBe(most)
          }
        }
        for (const { at, who } of log) {
          const minute = log.filter((call) => call.who === who && call.at >= at && call.at < at + 60_000)
          expect(minute.length).toBeLessThanOrEqual(most)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('that was lowered refuses until enough of the old calls are past', () => {
    const limiter = createLimiter(10)
    for (let n = 0; n < 12; n++) limiter.take('kim', limit, T0 + n * 1000)
    expect(limiter.take('kim', { per_minute: 1, burst: 1 }, T0 + 20_000)).toBe(50_000)
  })

  test('does not count what was given back, nor what was refused', () => {
    const limiter = createLimiter(10)
    const one = { per_minute: 1, burst: 0 }
    expect(limiter.take('kim', one, T0)).toBe(0)
    limiter.giveBack('kim', T0)
    expect(limiter.take('kim', one, T0 + 1)).toBe(0)
    expect(limiter.take('kim', one, T0 + 2)).toBe(59_999)
    expect(limiter.take('kim', one, T0 + 60_001)).toBe(0)
  })

  test('remembers no more users than it may: of 100,000, those who called last', () => {
    const limiter = createLimiter(1000)
    const one = { per_minute: 1, burst: 0 }
    for (let n = 0; n < 100_000; n++) limiter.take(`user ${n}`, one, T0 + n / 1000)
    const known = (n: number) => limiter.take(`user ${n}`, one, T0 + 100) > 0
    expect(known(99_999)).toBe(true)
    expect(known(99_000)).toBe(true)
    expect(known(98_999)).toBe(false)
    expect(known(0)).toBe(false)
  })
})
