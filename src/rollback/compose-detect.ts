import { dirname } from 'node:path'
import { type Container, composeContainers, isStray, LABEL, serviceOf } from './compose-container.ts'
import { EngineRefusal, mayHaveEngine } from './compose-docker.ts'
import { chooseTool, type Tool } from './compose-invocation.ts'
import { severalText } from './compose-observe.ts'
import { type ComposeDeps, type ComposeReference, composeRuntime } from './compose-runtime.ts'
import { Refusal } from './plan.ts'
import type { RuntimeKind } from './runtime.ts'

/** Finds the server's container by the labels that compose and our image put on it. */
export function composeRuntimeKind(deps: ComposeDeps): RuntimeKind {
  // A run plans twice; compose itself stays what it is.
  const tools = new Map<string, Promise<Tool>>()
  const toolFor = (version: string): Promise<Tool> => {
    const tool = tools.get(version) ?? chooseTool(deps.system, version)
    tools.set(version, tool)
    return tool
  }
  return {
    kind: 'compose',
    async detect() {
      const found = await findServer(deps)
      if (!found) return undefined
      const { container, how } = found
      const service = serviceOf(container)
      const tool = await toolFor(service.version)
      const { name, state, stopSeconds } = container
      return composeRuntime(deps, { kind: 'compose', service, tool, name: nameOf(name), state, stopSeconds, how })
    },
    open: (reference) => composeRuntime(deps, reference as ComposeReference),
  }
}

type Where = Pick<ComposeDeps, 'system' | 'envFile' | 'dockerHost'>

interface Found {
  readonly container: Container
  /** Compose made it for the folder of `.env`, or it is of our image. */
  readonly how: 'folder' | 'image'
}

/** The server's container; undefined when there is none. @throws Refusal when there are several, or none can be seen */
export async function findServer(where: Where): Promise<Found | undefined> {
  const folder = dirname(where.envFile)
  const servers = (await containers(where)).filter((container) => isServer(container, folder))
  const here = servers.filter((container) => isOf(container, folder))
  const found = here.length > 0 ? here : servers
  const settled = found.filter((container) => !isStray(container))
  const [container, ...others] = settled.length > 0 ? settled : found
  if (!container) return undefined
  if (others.length > 0) throw new Refusal(severalText([container, ...others]))
  return { container, how: here.length > 0 ? 'folder' : 'image' }
}

/** None where no engine answers, and nothing says that there ever was one. */
async function containers({ system, dockerHost }: Where): Promise<readonly Container[]> {
  try {
    return await composeContainers(system)
  } catch (error) {
    if (error instanceof EngineRefusal && error.isAbsent && !(await mayHaveEngine(system, dockerHost))) return []
    throw error
  }
}

/** Our image running the server, or whatever the compose file of this folder calls `server`. */
function isServer(container: Container, folder: string): boolean {
  const { labels, command } = container
  const named = labels[LABEL.service] === 'server'
  const ours = LABEL.image in labels
  return (ours && (named || command.includes('src/server.ts'))) || (named && isOf(container, folder))
}

const isOf = ({ labels }: Container, folder: string): boolean => labels[LABEL.directory] === folder

/** A recreate that was cut off has put its id in front. */
const nameOf = (name: string): string => name.replace(/^[0-9a-f]{12}_/, '')
