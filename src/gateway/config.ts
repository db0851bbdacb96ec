import { z } from 'zod'
import { CANARY_SERVER } from '../approval/request.ts'

/** A tool server that is started as a child process and spoken to over its standard streams. */
export interface CommandUpstream {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where it runs; undefined: the folder of mcp.json. */
  readonly cwd: string | undefined
}

/** A tool server that runs elsewhere. */
export interface UrlUpstream {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The old HTTP+SSE transport of 2024. */
  readonly sse: boolean
}

export type UpstreamConfig = CommandUpstream | UrlUpstream

const texts = z.record(z.string().min(1), z.string())
const common = { disabled: z.boolean().optional(), $comment: z.string().optional() }

const byCommand = z.strictObject({
  ...common,
  type: z.literal('stdio').optional(),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: texts.optional(),
  cwd: z.string().min(1).optional(),
})

const byUrl = z.strictObject({
  ...common,
  type: z.enum(['http', 'streamable-http', 'streamableHttp', 'sse']).optional(),
  url: z.string().refine((text) => URL.canParse(text) && /^https?:/i.test(text), 'must be an http:// or https:// URL'),
  headers: texts.optional(),
})

const file = z.strictObject({ $comment: z.string().optional(), mcpServers: z.record(z.string(), z.unknown()) })

/** Without `__`, which stands between a server and its tool. */
const NAME = /^(?!.*__)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

/**
 * Reads the text of `mcp.json`, in the format of MCP hosts.
 * @throws Error whose message names every wrong entry
 */
export function parseUpstreams(text: string): UpstreamConfig[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`, { cause: error })
  }
  const parsed = file.safeParse(json)
  if (!parsed.success) throw new Error(said('mcp.json', parsed.error).join('; '))
  const problems: string[] = []
  const upstreams: UpstreamConfig[] = []
  for (const [name, entry] of Object.entries(parsed.data.mcpServers)) {
    const at = `mcpServers.${name}`
    if (!NAME.test(name) || name === CANARY_SERVER) {
      problems.push(`${at}: a server's name has 1 to 64 letters, digits, dots, dashes and single underscores`)
    }
    const shape = typeof entry === 'object' && entry !== null ? entry : {}
    if ('command' in shape === 'url' in shape) {
      problems.push(`${at}: give either "command" (to start a program) or "url" (of one that runs)`)
      continue
    }
    const read = 'command' in shape ? byCommand.safeParse(entry) : byUrl.safeParse(entry)
    if (!read.success) problems.push(...said(at, read.error))
    else if (!read.data.disabled) upstreams.push(upstreamOf(name, read.data))
  }
  if (problems.length > 0) throw new Error(problems.join('; '))
  return upstreams
}

function upstreamOf(name: string, entry: z.output<typeof byCommand> | z.output<typeof byUrl>): UpstreamConfig {
  if ('url' in entry) return { name, url: entry.url, headers: entry.headers ?? {}, sse: entry.type === 'sse' }
  return { name, command: entry.command, args: entry.args ?? [], env: entry.env ?? {}, cwd: entry.cwd }
}

const said = (at: string, error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => `${[at, ...path.map(String)].join('.')}: ${message}`)
