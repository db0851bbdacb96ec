import { fits, isGlob, literals, overlap } from './glob.ts'

/** One line of the policy: for which tools of which servers a value holds. */
export interface Rule<T> {
  /** A name or glob; null: whatever server it is. */
  readonly server: string | null
  readonly tool: string
  readonly value: T
  /** Where it stands in the file, from 1. */
  readonly line: number
}

export interface Named {
  readonly server: string
  readonly tool: string
}

/** Rules, the one that wins first. */
export interface Ranking<T> {
  /** All that fit, the one that decides first. */
  all(call: Named): Rule<T>[]
  /** The one that decides. */
  first(call: Named): Rule<T> | undefined
}

/**
 * Which of two rules that both fit decides: the one that names the tool exactly before a glob; then the one with more
 * characters of its own in the tool's name; then one for certain servers before one for all; then the one that names
 * the server exactly; then the one with more characters of its own in the server's name.
 */
const rankOf = ({ server, tool }: Rule<unknown>): number[] => [
  isGlob(tool) ? 0 : 1,
  literals(tool),
  server === null ? 0 : 1,
  server === null || isGlob(server) ? 0 : 1,
  literals(server ?? ''),
]

const fitsServer = ({ server }: Rule<unknown>, name: string): boolean => server === null || fits(server, name)

export function rank<T>(rules: readonly Rule<T>[]): Ranking<T> {
  const ranked = rules.map((rule) => ({ rule, rank: rankOf(rule) }))
  ranked.sort((a, b) => a.rank.reduce((order, n, i) => order || b.rank[i]! - n, 0))
  const sorted = ranked.map(({ rule }) => rule)
  // Most calls are of tools that are named: they are found without a walk.
  const exact = new Map<string, Rule<T>[]>()
  for (const rule of sorted.filter(({ tool }) => !isGlob(tool))) {
    exact.set(rule.tool, [...(exact.get(rule.tool) ?? []), rule])
  }
  const globs = sorted.filter(({ tool }) => isGlob(tool))
  const named = ({ tool }: Named) => exact.get(tool) ?? []
  return {
    all: (call) => [
      ...named(call).filter((rule) => fitsServer(rule, call.server)),
      ...globs.filter((rule) => fits(rule.tool, call.tool) && fitsServer(rule, call.server)),
    ],
    first: (call) =>
      named(call).find((rule) => fitsServer(rule, call.server)) ??
      globs.find((rule) => fits(rule.tool, call.tool) && fitsServer(rule, call.server)),
  }
}

/** Pairs of which neither comes first, though there is a call that fits both. */
export function ties<T>(rules: readonly Rule<T>[]): [Rule<T>, Rule<T>][] {
  const groups = new Map<string, Rule<T>[]>()
  for (const rule of rules) {
    const group = JSON.stringify([rankOf(rule), isGlob(rule.tool) ? null : rule.tool])
    groups.set(group, [...(groups.get(group) ?? []), rule])
  }
  return [...groups.values()].flatMap((group) =>
    group.flatMap((one, i) =>
      group
        .slice(i + 1)
        .filter((other) => overlap(one.tool, other.tool) && overlap(one.server ?? '', other.server ?? ''))
        .map((other): [Rule<T>, Rule<T>] => [one, other]),
    ),
  )
}
