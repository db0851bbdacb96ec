import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { ApprovalService } from './approval/service.ts'
import type { Settings } from './config.ts'
import { parseUpstreams, type UpstreamConfig } from './gateway/config.ts'
import type { GatewayLog } from './gateway/connection.ts'
import type { createGateway, GatewayDeps } from './gateway/gateway.ts'

export interface GatewayWiring {
  readonly service: ApprovalService
  readonly settings: () => Settings
  readonly version: string
  readonly clock: () => number
  readonly stopping: AbortSignal
  readonly isStill: GatewayDeps['isStill']
  readonly log: GatewayLog
  readonly first: readonly UpstreamConfig[]
}

type Gateway = ReturnType<typeof createGateway>

/** The gateway with the tool servers of mcp.json, which start now. */
export async function openGateway({ settings, first, ...deps }: GatewayWiring) {
  const path = () => settings().MCP_CONFIG_PATH
  let problem: string | null = null
  let gateway: Gateway | undefined
  let opening: Promise<Gateway> | undefined
  // A quarter of what a start takes is its libraries: without tool servers they are loaded for whoever calls.
  const open = (): Promise<Gateway> => {
    opening ??= import('./gateway/gateway.ts').then((module) => {
      gateway = module.createGateway({ ...deps, folder: () => dirname(path()), hold: () => settings().APPROVAL_HOLD })
      return gateway
    })
    return opening
  }
  const configure = async (upstreams: readonly UpstreamConfig[]): Promise<void> => {
    if (upstreams.length === 0 && !opening) return
    await (await open()).configure(upstreams.map((upstream) => withSettings(upstream, settings())))
  }
  await configure(first)

  return {
    gateway: {
      fetch: async (...call: Parameters<Gateway['fetch']>) => (await open()).fetch(...call),
      call: async (...call: Parameters<Gateway['call']>) => (await open()).call(...call),
      tools: async () => (await open()).tools(),
      close: async () => (await opening)?.close(),
    },

    /** For /health: which tool servers there are, and which answer. What is in mcp.json beside their names is secret. */
    facts: () => ({
      path: path(),
      error: problem,
      upstreams: (gateway?.facts() ?? []).map(({ since, ...rest }) => ({
        ...rest,
        since: new Date(since).toISOString(),
      })),
    }),

    /** Takes mcp.json over again; a broken edit keeps the servers that are there. Answers what is wrong with it. */
    async reload(): Promise<string | null> {
      try {
        const upstreams = readUpstreams(path())
        problem = null
        await configure(upstreams)
      } catch (error) {
        problem = (error as Error).message
      }
      return problem
    },
  }
}

/**
 * Our own tool server gets the settings that are in force, over whatever mcp.json says: the checks warn of these. When
 * they change it is another server, and is started anew. It runs by the Node that we run by.
 */
function withSettings(upstream: UpstreamConfig, { SANDBOX_ENABLED, WORKSPACE_PATH }: Settings): UpstreamConfig {
  if (!('command' in upstream) || !upstream.args.some((word) => basename(word) === 'tools-server.ts')) return upstream
  const command = upstream.command === 'node' ? process.execPath : upstream.command
  return { ...upstream, command, env: { ...upstream.env, SANDBOX_ENABLED: String(SANDBOX_ENABLED), WORKSPACE_PATH } }
}

/**
 * The tool servers of mcp.json; none when there is no such file.
 * @throws Error with the file and all that is wrong in it
 */
export function readUpstreams(path: string): UpstreamConfig[] {
  try {
    return parseUpstreams(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}
