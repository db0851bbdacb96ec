/** Chance that comes out the same for the same seed, on every machine. */
export interface Dice {
  /** From 0 up to, not including, 1. */
  roll(): number
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number
  /** True once in `n` times. */
  oneIn(n: number): boolean
  pick<T>(values: readonly T[]): T
  /** Around `median`; `spread` 1 means that a third lies beyond a factor of e. */
  logNormal(median: number, spread: number): number
}

/** mulberry32. */
export function dice(seed: number): Dice {
  let state = seed >>> 0
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (min: number, max: number) => min + Math.floor(roll() * (max - min + 1))
  return {
    ...{ roll, between },
    oneIn: (n) => roll() * n < 1,
    pick: (values) => values[between(0, values.length - 1)]!,
    logNormal(median, spread) {
      const normal = Math.sqrt(-2 * Math.log(1 - roll())) * Math.cos(2 * Math.PI * roll())
      return median * Math.exp(spread * normal)
    },
  }
}
