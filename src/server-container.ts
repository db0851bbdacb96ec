import {
  type Containers,
  EngineProblem,
  type EngineTrouble,
  type Reading,
  type ServerContainer,
} from './jobs/containers.ts'
import type { Container } from './rollback/compose-container.ts'
import { findServer } from './rollback/compose-detect.ts'
import { EngineRefusal, lastLine, mayHaveEngine, troubleOf } from './rollback/compose-docker.ts'
import { Refusal } from './rollback/plan.ts'
import type { RunResult, System } from './system/system.ts'

const TROUBLES: Readonly<Record<EngineRefusal['trouble'], EngineTrouble>> = {
  engine_hangs: 'hangs',
  docker_missing: 'no_program',
  socket_forbidden: 'forbidden',
  engine_down: 'down',
}

interface Where {
  readonly system: System
  readonly envFile: string
  readonly dockerHost: string | undefined
  readonly signal: AbortSignal
}

/** Finds the server's container as the rollbacks do, and reads what the engine kept of its output. */
export function wireContainers(where: Where): Containers {
  const { system } = where
  return {
    async server() {
      try {
        const found = await findServer(where)
        if (found) return serverContainer(found.container, where)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        throw new EngineProblem(error instanceof EngineRefusal ? TROUBLES[error.trouble] : 'failed', error.text.en)
      }
      // Docker puts this file into every container; the engine is outside.
      const isHere = await mayHaveEngine(system, where.dockerHost)
      if (!isHere && (await system.stat('/.dockerenv')) !== null)
        throw new EngineProblem('inside', 'this is a container')
      return null
    },
  }
}

function serverContainer({ id, name, createdAt }: Container, { system, signal }: Where): ServerContainer {
  const logs = async (args: readonly string[], limitMs: number, take: (text: string) => boolean): Promise<Reading> => {
    const enough = new AbortController()
    const lines = splitter((text) => {
      if (!enough.signal.aborted && !take(text)) enough.abort()
    })
    const result = await system.run(['docker', 'logs', '--timestamps', ...args, id], {
      ...{ timeoutMs: limitMs, killAfterMs: 200, maxOutputBytes: 4096 },
      signal: AbortSignal.any([signal, enough.signal]),
      onOutput: lines.push,
    })
    if (!enough.signal.aborted) lines.end()
    return {
      whole: result.ok || enough.signal.aborted,
      failure: result.timedOut ? null : failureOf(result, enough.signal),
    }
  }
  return {
    name,
    createdAt: Date.parse(createdAt),
    async firstLine(limitMs) {
      let first: string | null = null
      await logs([], limitMs, (text) => {
        first ??= text
        return false
      })
      return first
    },
    read(from, to, limitMs, line) {
      const window = ['--since', new Date(from).toISOString(), '--until', new Date(to).toISOString()]
      return logs(window, limitMs, (text) => {
        line(text)
        return true
      })
    },
  }
}

const failureOf = (result: RunResult, enough: AbortSignal): string | null =>
  result.ok || enough.aborted ? null : (troubleOf(result)?.en ?? lastLine(result.stderr))

type Stream = 'stdout' | 'stderr'
/** More of one line is not held. */
const MAX_LINE = 256 * 1024

/** Lines out of two streams of bytes, which the engine writes apart. */
function splitter(line: (text: string) => void): { push(stream: Stream, bytes: Buffer): void; end(): void } {
  const held: Record<Stream, { parts: Buffer[]; size: number }> = {
    stdout: { parts: [], size: 0 },
    stderr: { parts: [], size: 0 },
  }
  const hold = (stream: Stream, bytes: Buffer): void => {
    const room = MAX_LINE - held[stream].size
    if (room > 0) held[stream].parts.push(bytes.subarray(0, room))
    held[stream].size += Math.min(bytes.length, Math.max(0, room))
  }
  const flush = (stream: Stream): void => {
    line(Buffer.concat(held[stream].parts).toString('utf8').replace(/\r$/, ''))
    held[stream] = { parts: [], size: 0 }
  }
  return {
    push(stream, bytes) {
      let begin = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
        hold(stream, bytes.subarray(begin, end))
        flush(stream)
        begin = end + 1
      }
      hold(stream, bytes.subarray(begin))
    },
    end() {
      for (const stream of ['stdout', 'stderr'] as const) if (held[stream].size > 0) flush(stream)
    },
  }
}
