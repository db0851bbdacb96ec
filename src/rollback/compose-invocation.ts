import { parse } from 'yaml'
import type { RunResult, System } from '../system/system.ts'
import type { Service } from './compose-container.ts'
import { isMissing, lastLine, troubleOf } from './compose-docker.ts'
import { composeText } from './compose-words.ts'
import { Refusal } from './plan.ts'

/** `docker compose` or `docker-compose`, with its version. */
export interface Tool {
  readonly words: readonly string[]
  readonly version: string
}

/** What compose makes of its files for one service, now. */
export interface Composed {
  readonly image: string | undefined
  readonly env: Readonly<Record<string, string>>
}

const TOOLS = [['docker', 'compose'], ['docker-compose']]
/** An engine that hangs has been found out before compose is asked; this one is a slow program on a busy machine. */
const ASK_MS = 15_000

/**
 * The compose to use: the one of the same generation as the container's, so that names and hashes stay what they are,
 * else whichever there is. @throws Refusal when there is none
 */
export async function chooseTool(system: System, createdBy: string): Promise<Tool> {
  const order = generation(createdBy) === 1 ? TOOLS.toReversed() : TOOLS
  const found: Tool[] = []
  for (const words of order) {
    const result = await system.run([...words, 'version', '--short'], { timeoutMs: ASK_MS, killAfterMs: 500 })
    if (!result.ok) continue
    const tool = { words, version: result.stdout.trim().replace(/^v/, '') }
    if (generation(tool.version) === generation(createdBy)) return tool
    found.push(tool)
  }
  if (!found[0]) throw new Refusal(composeText('compose_missing'))
  return found[0]
}

const generation = (version: string): 1 | 2 => (version.startsWith('1.') ? 1 : 2)

/** The call that the container was made by, rebuilt from its own labels. */
export function invocation(tool: Pick<Tool, 'words'>, service: Service): string[] {
  const { project, directory, files, envFiles } = service
  return [
    ...tool.words,
    ...['--project-name', project],
    ...['--project-directory', directory],
    ...files.flatMap((file) => ['--file', file]),
    ...envFiles.flatMap((file) => ['--env-file', file]),
  ]
}

/**
 * What brings the files into force, for this service alone: never a build, never another container. Not `restart`,
 * which keeps the old environment.
 */
export const upCommand = (tool: Pick<Tool, 'words'>, service: Service): string[] => [
  ...invocation(tool, service),
  ...['up', '--detach', '--no-deps', '--no-build', service.service],
]

/** @throws Refusal when compose cannot make sense of its files */
export async function composed(system: System, tool: Pick<Tool, 'words'>, service: Service): Promise<Composed> {
  const { files } = service
  const config = await compose(system, tool, service, 'config')
  // 1.1: what docker-compose 1.x writes bare because it is text by those rules could be a number by newer ones.
  const { services } = parse(config, { version: '1.1' }) as { services?: Record<string, ComposedService> }
  const own = services?.[service.service]
  if (!own) throw new Refusal(composeText('service_gone', { service: service.service, files: files.join(', ') }))
  return { image: own.image, env: environmentOf(own.environment) }
}

/**
 * The digest of all that compose would make the container of, as it puts it on the container: another one there means
 * that the container is not what the files say. @throws Refusal
 */
export async function composedHash(system: System, tool: Pick<Tool, 'words'>, service: Service): Promise<string> {
  const hashes = await compose(system, tool, service, 'config', '--hash', service.service)
  return hashes.trim().split(/\s+/).at(-1) ?? ''
}

interface ComposedService {
  readonly image?: string
  readonly environment?: Readonly<Record<string, string | number | boolean | null>> | null
}

/** A key without a value is not passed on; `$$` is how compose writes a `$` that it will not expand. */
const environmentOf = (given: ComposedService['environment']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given ?? {})
      .filter((entry): entry is [string, string | number | boolean] => entry[1] !== null)
      .map(([key, value]) => [key, String(value).replaceAll('$$', '$')]),
  )

async function compose(
  system: System,
  tool: Pick<Tool, 'words'>,
  service: Service,
  ...words: string[]
): Promise<string> {
  const options = { timeoutMs: ASK_MS, killAfterMs: 500, maxOutputBytes: 16_777_216 }
  const result = await system.run([...invocation(tool, service), ...words], options)
  if (result.ok) return result.stdout
  const trouble = troubleOf(result)
  if (trouble && !isMissing(result)) throw new Refusal(trouble)
  throw new Refusal(composeText('compose_refuses', { message: complaint(result) }))
}

/** What compose complains of; its first lines say it, the rest is often advice. */
export const complaint = ({ stderr, stdout }: RunResult): string => {
  const errors = (stderr.trim() || stdout.trim())
    .split('\n')
    .filter((line) => /error|couldn't|no such|invalid|failed|conflict|denied|unsupported/i.test(line))
  return (errors.at(-1) ?? lastLine(stderr)).trim()
}
