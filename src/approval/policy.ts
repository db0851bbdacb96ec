import { z } from 'zod'
import { isGlob } from './glob.ts'
import { type Findings, readJsonFile } from './json-file.ts'
import { type Named, type Ranking, type Rule, rank, ties } from './ranking.ts'
import { LEVELS, type Level } from './request.ts'

/** How many calls of a tool one user may make in any 60 seconds: `per_minute + burst`. */
export interface Limit {
  readonly per_minute: number
  readonly burst: number
}

/** Which tools need a human's yes, and how often they may be called. */
export interface Policy {
  readonly levels: Ranking<Level>
  readonly limits: Ranking<Limit>
  /** Every tool that some rule names without a wildcard. */
  readonly names: readonly Named[]
}

/** What holds where no rule fits. */
export const DEFAULT_LEVEL: Level = 'HIGH'
export const DEFAULT_LIMIT: Limit = { per_minute: 600, burst: 100 }

/** What holds where the file has no `limits`, as those of before had none. */
const USUAL_LIMITS: Readonly<Record<string, Limit>> = {
  'execute_*': { per_minute: 10, burst: 2 },
  run_command: { per_minute: 10, burst: 2 },
  write_file: { per_minute: 20, burst: 5 },
  git_commit: { per_minute: 10, burst: 2 },
  web_automate: { per_minute: 5, burst: 1 },
}

/** Every two patterns are held against each other. */
const MOST_GLOBS = 200

const pattern = z.string().min(1).max(256)
const levels = z.record(pattern, z.enum(LEVELS))
const calls = z.int().min(0).max(10_000)
const schema = z.strictObject({
  $comment: z.string().optional(),
  tools: levels,
  servers: z.record(pattern, z.strictObject({ $comment: z.string().optional(), tools: levels })).optional(),
  limits: z.record(pattern, z.strictObject({ per_minute: calls.min(1), burst: calls.default(0) })).optional(),
})

/**
 * Reads the text of `policy.json`.
 * @param file named in what is said about it
 * @throws BrokenFileError with every wrong entry and its line
 */
export function parsePolicy(text: string, file = 'policy.json'): Policy {
  const rules = { levels: [] as Rule<Level>[], limits: [] as Rule<Limit>[] }
  readJsonFile(text, {
    ...{ file, whole: 'policy', schema },
    check(data, { lineOf, wrongOn }) {
      Object.assign(rules, rulesOf(data, lineOf))
      refuseAmbiguous(rules.levels, wrongOn)
      refuseAmbiguous(rules.limits, wrongOn)
    },
  })
  const names = rules.levels.filter(({ server, tool }) => !isGlob(tool) && !isGlob(server ?? ''))
  return {
    levels: rank(rules.levels),
    limits: rank(rules.limits),
    names: names.map(({ server, tool }) => ({ server: server ?? '', tool })),
  }
}

function rulesOf({ tools, servers = {}, limits = USUAL_LIMITS }: z.output<typeof schema>, lineOf: Findings['lineOf']) {
  const read = <T>(values: Record<string, T>, server: string | null, path: string[]): Rule<T>[] =>
    Object.entries(values).map(([tool, value]) => ({ server, tool, value, line: lineOf([...path, tool]) }))
  const ofServers = Object.entries(servers).flatMap(([name, own]) => read(own.tools, name, ['servers', name, 'tools']))
  return { levels: [...read(tools, null, ['tools']), ...ofServers], limits: read(limits, null, ['limits']) }
}

function refuseAmbiguous(rules: readonly Rule<unknown>[], wrongOn: Findings['wrongOn']): void {
  const globs = rules.filter(({ server, tool }) => isGlob(tool) || isGlob(server ?? ''))
  if (globs.length > MOST_GLOBS) {
    wrongOn(globs[MOST_GLOBS]!.line, `at most ${MOST_GLOBS} rules may have wildcards`)
    return
  }
  for (const [one, other] of ties(rules)) {
    const earlier = `line ${one.line} (${nameOf(one)})`
    wrongOn(other.line, `${nameOf(other)}: ambiguous: ${earlier} fits some of the same calls and neither comes first`)
  }
}

/** How a rule is called: `execute_*`, or `files / *` for certain servers. */
export const nameOf = ({ server, tool }: Pick<Rule<unknown>, 'server' | 'tool'>): string =>
  server === null ? tool : `${server} / ${tool}`

export const levelOf = (policy: Policy, call: Named): Level => policy.levels.first(call)?.value ?? DEFAULT_LEVEL

export const limitOf = (policy: Policy, call: Named): Limit => policy.limits.first(call)?.value ?? DEFAULT_LIMIT

export const needsApproval = (level: Level): boolean => level === 'HIGH' || level === 'CRITICAL'
