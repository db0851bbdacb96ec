import type { ErrorRows, Finding } from '../report/daily-check-data.ts'
import { finding, iso } from './check.ts'
import { type Containers, EngineProblem, type ServerContainer } from './containers.ts'
import { type LogScan, LogScanner, type Window } from './error-log.ts'
import { NO_ERRORS, rowsOf } from './error-rows.ts'

const WEEK = 7 * 86_400_000
/** Between the birth of a container and its first line. */
const BIRTH = 60_000
/** Of the time there is, so much is left for what follows the reading. */
const MARGIN = 300

export interface DockerSeen {
  readonly finding: Finding
  readonly rows: ErrorRows
}

/** The errors in what the server's container has printed: also what killed it before it could write its own log. */
export async function checkDocker(containers: Containers, window: Window, limitMs: number): Promise<DockerSeen> {
  const end = performance.now() + limitMs - MARGIN
  const left = () => Math.max(1, Math.floor(end - performance.now()))
  try {
    const container = await containers.server()
    if (container === null) {
      return { finding: finding('docker.not_configured', 'not_configured', {}), rows: NO_ERRORS }
    }
    const kept = await container.firstLine(left())
    const { scan, failure } = await scanContainer(container, window, left())
    if (failure !== null && !scan.cutShort) throw new EngineProblem('failed', failure)
    const begins = beginOf(container, kept)
    const before =
      scan.events > 0 && !scan.cutShort
        ? {
            ...(await scanContainer(container, { from: window.from - WEEK, to: window.from }, left())).scan,
            begins,
            fromTheStart: false,
          }
        : null
    return { finding: dockerFinding(container, scan, begins, window), rows: rowsOf(scan, before, window.from - WEEK) }
  } catch (error) {
    if (!(error instanceof EngineProblem)) throw error
    return { finding: engineFinding(error), rows: NO_ERRORS }
  }
}

interface ContainerScan {
  readonly scan: LogScan
  readonly failure: string | null
}

/** The engine's time of each line decides, as it does for the engine itself: what one scan leaves the next one takes. */
async function scanContainer(container: ServerContainer, window: Window, limitMs: number): Promise<ContainerScan> {
  const scanner = new LogScanner(window, true)
  const take = (text: string) => {
    const { at, written } = unstamped(text)
    scanner.push(written, at)
  }
  const { whole, failure } = await container.read(window.from, window.to, limitMs, take)
  return { scan: scanner.end(!whole), failure }
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z /

/** The engine's time, ms since 1970, and what the program wrote behind it, which may begin with a time of its own. */
export function unstamped(line: string): { readonly at: number | null; readonly written: string } {
  const stamp = STAMP.exec(line)
  if (!stamp) return { at: null, written: line }
  const at = Date.parse(`${stamp[1]}${(stamp[2] ?? '').slice(0, 4)}Z`)
  return { at: Number.isNaN(at) ? null : at, written: line.slice(stamp[0].length) }
}

/** From when on the engine's copy is whole. A container that printed at once has lost nothing. */
function beginOf({ createdAt }: ServerContainer, kept: string | null): number {
  const first = kept === null ? null : unstamped(kept).at
  return first === null || first - createdAt < BIRTH ? createdAt : first
}

export function dockerFinding(
  { name, createdAt }: Pick<ServerContainer, 'name' | 'createdAt'>,
  { events, groups, ends, cutShort }: LogScan,
  begins: number,
  { from, to }: Window,
): Finding {
  const seen_ms = Math.min(to - from, Math.max(0, to - begins))
  const facts = { name, events, kinds: groups.length, window_ms: to - from, begins_at: iso(begins), seen_ms }
  const next = `docker logs --timestamps --since ${iso(Math.max(from, begins))} ${name}`
  const firsts = groups.flatMap(({ first }) => first ?? [])
  const more = { next, since: firsts.length > 0 ? Math.min(...firsts) : null }
  if (cutShort) return finding('docker.cut', 'unknown', { ...facts, ends_at: iso(ends) }, more)
  const isRecreated = createdAt > from
  const isPartial = begins > from
  if (events > 0) {
    const code = isRecreated ? 'docker.some_recreated' : isPartial ? 'docker.some_since' : 'docker.some'
    return finding(code, 'warning', facts, more)
  }
  if (isRecreated) return finding('docker.none_recreated', 'ok', facts)
  // A container that is old enough and has no old lines has lost them to the limits of its log.
  return isPartial ? finding('docker.lost', 'warning', facts, { next }) : finding('docker.none', 'ok', facts)
}

function engineFinding({ code, message }: EngineProblem): Finding {
  if (code === 'inside') return finding('docker.inside', 'skipped', {})
  const next = { hangs: 'docker ps', down: 'systemctl status docker', forbidden: 'id' }
  const more = { next: next[code as keyof typeof next] ?? 'docker ps' }
  return finding(`docker.${code}`, 'unknown', { message }, more)
}
