/**
 * Names with `*` (any characters, none too) and `?` (exactly one). Everything else stands for itself alone: there are no
 * escapes, classes or alternatives, and no letter is taken for another one, be it by case or by look.
 */
export const isGlob = (pattern: string): boolean => /[*?]/.test(pattern)

/** How many characters of the pattern stand for themselves. */
export const literals = (pattern: string): number => [...pattern.replace(/[*?]/g, '')].length

/** Time is bounded by the product of both lengths: only the last `*` is ever tried again. */
export function fits(pattern: string, name: string): boolean {
  const [p, n] = [[...pattern], [...name]]
  let [at, star, resume] = [0, -1, 0]
  for (let i = 0; i < n.length; ) {
    if (p[at] === '*') {
      star = at++
      resume = i
    } else if (at < p.length && (p[at] === '?' || p[at] === n[i])) {
      at++
      i++
    } else if (star >= 0) {
      at = star + 1
      i = ++resume
    } else return false
  }
  return p.slice(at).every((character) => character === '*')
}

/** Whether there is a name that fits both. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [[...one], [...other]]
  /** Whether what is left of `a` from the row of `below` on has a name in common with each rest of `b`. */
  let below: boolean[] = []
  for (let i = a.length; i >= 0; i--) {
    const row: boolean[] = []
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length && j === b.length) row[j] = true
      else if (a[i] === '*') row[j] = below[j]! || (j < b.length && row[j + 1]!)
      else if (b[j] === '*') row[j] = row[j + 1]! || (i < a.length && below[j]!)
      else row[j] = i < a.length && j < b.length && (a[i] === '?' || b[j] === '?' || a[i] === b[j]) && below[j + 1]!
    }
    below = row
  }
  return below[0]!
}
