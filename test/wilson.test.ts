import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wilson } from '../src/report/wilson.ts'

test.each([
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
  // Few cases, and all of them.
  [1, 1, 0.2065, 1],
  [10, 10, 0.7225, 1],
  [30, 100, 0.2189, 0.3958],
])('%d of %d lies between %d and %d', (k, n, low, high) => {
  const found = wilson(k, n)!
  expect(found.low).toBeCloseTo(low, 4)
  expect(found.high).toBeCloseTo(high, 4)
})

test('nothing is known without a case, and one of one never counts for more than 30 of 100', () => {
  expect(wilson(0, 0)).toBeNull()
  expect(wilson(1, 1)!.low).toBeLessThan(wilson(30, 100)!.low)
})

test('its ends are the proportions that k/n lies just 1.96 standard errors away from', () => {
  const cases = fc
    .integer({ min: 1, max: 1_000_000 })
    .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)))
  fc.assert(
    fc.property(cases, ([k, n]) => {
      const { low, high } = wilson(k, n)!
      expect(low).toBeLessThanOrEqual(k / n)
      expect(high).toBeGreaterThanOrEqual(k / n)
      for (const end of [low, high]) {
        const errors = Math.abs(k / n - end) / Math.sqrt((end * (1 - end)) / n)
        if (end > 0 && end < 1) expect(errors).toBeCloseTo(1.959964, 4)
      }
    }),
    { numRuns: 300, seed: 20261123 },
  )
})
