/** The two-sided 95 % point of the normal distribution. */
const Z = 1.959963984540054

/**
 * The Wilson score interval, 95 %, of a proportion k/n: what the true proportion may well be after so many cases.
 * Without continuity correction, after E. B. Wilson, "Probable inference, the law of succession, and statistical
 * inference", JASA 22 (1927), 209-212. It stays within 0 and 1 and is honest for few cases and for 0/n and n/n, where
 * k/n plus or minus something is not.
 * @returns null when there is no case
 */
export function wilson(k: number, n: number): { readonly low: number; readonly high: number } | null {
  if (n === 0) return null
  const p = k / n
  const z2 = Z * Z
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n)
  const margin = (Z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))
  // Exactly 0 and 1 at the ends, whatever the rounding of floating point made of them.
  return { low: k === 0 ? 0 : Math.max(0, centre - margin), high: k === n ? 1 : Math.min(1, centre + margin) }
}
