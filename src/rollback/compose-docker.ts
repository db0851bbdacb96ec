import type { RunResult, System } from '../system/system.ts'
import { composeText } from './compose-words.ts'
import { Refusal, type Text } from './plan.ts'

/** For one question to the engine. An engine that hangs has to be called so within 5 s, whatever else is asked. */
const ASK_MS = 4_000
const SOCKET = '/var/run/docker.sock'
/** Docker's own folder: where it is, containers may come back with the engine. */
const DATA = '/var/lib/docker'

const DOWN =
  /Cannot connect to the Docker daemon|docker daemon running|ECONNREFUSED|connection refused|no such host|ConnectionError|Couldn't connect to Docker/i
const FORBIDDEN = /permission denied|PermissionError|EACCES/i

/** Asks the engine; its own answer may be a failure. @throws Refusal when it cannot be asked */
export async function askOrFail(system: System, ...args: readonly string[]): Promise<RunResult> {
  const result = await system.run(['docker', ...args], {
    timeoutMs: ASK_MS,
    killAfterMs: 500,
    maxOutputBytes: 16_777_216,
  })
  const trouble = kindOf(result)
  if (!trouble) return result
  throw new EngineRefusal(trouble, troubleText(trouble, result))
}

type Trouble = 'engine_hangs' | 'docker_missing' | 'socket_forbidden' | 'engine_down'

/** The engine cannot be asked. */
export class EngineRefusal extends Refusal {
  readonly trouble: Trouble
  constructor(trouble: Trouble, text: Text) {
    super(text)
    this.trouble = trouble
  }

  /** No engine answers: there is none, or it is down. */
  get isAbsent(): boolean {
    return this.trouble === 'docker_missing' || this.trouble === 'engine_down'
  }
}

/** Which of the four ways in which an engine cannot be asked this is, with what to do about it. */
export function troubleOf(result: RunResult): Text | undefined {
  const trouble = kindOf(result)
  return trouble && troubleText(trouble, result)
}

function kindOf(result: RunResult): Trouble | undefined {
  if (result.ok) return undefined
  if (result.timedOut) return 'engine_hangs'
  if (isMissing(result)) return 'docker_missing'
  if (FORBIDDEN.test(result.stderr)) return 'socket_forbidden'
  return DOWN.test(result.stderr) ? 'engine_down' : undefined
}

function troubleText(trouble: Trouble, { stderr }: RunResult): Text {
  if (trouble === 'engine_hangs') return composeText(trouble, { seconds: ASK_MS / 1000 })
  return trouble === 'engine_down' ? composeText(trouble, { message: lastLine(stderr) }) : composeText(trouble)
}

export const isMissing = ({ code }: RunResult): boolean => code === 127 || code === 126 || code === null

/**
 * False when no engine can have a container of ours: none answers and nothing says that there ever was one. A machine
 * where Docker is merely down is another matter: its containers come back with their old settings.
 */
export async function mayHaveEngine(system: System, dockerHost: string | undefined): Promise<boolean> {
  if (dockerHost) return true
  const found = await Promise.all([SOCKET, DATA].map((path) => system.stat(path).catch(() => true)))
  return found.some(Boolean)
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? ''
