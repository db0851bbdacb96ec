import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { ROOT } from '../../src/config.ts'
import { TSX } from './server.ts'

/** CI installs both and refuses tests that were skipped. */
export const HAS_BWRAP = spawnSync('bwrap', ['--version']).status === 0
export const HAS_CHROMIUM = existsSync('/usr/bin/chromium')

export const TOOLS_SERVER = join(ROOT, 'src/tools-server.ts')

export interface Tools {
  readonly client: Client
  readonly pid: number
  /** Calls a tool. */
  call(name: string, args: object, signal?: AbortSignal): Promise<ToolAnswer>
  /** execute_python, its result. */
  python(code: string, timeout_seconds?: number): Promise<ToolAnswer>
  close(): Promise<void>
}

export interface ToolAnswer {
  readonly isError: boolean
  /** All text of its content. */
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever came back.
  readonly facts: any
}

/** The real tool server as a child process, and a stock client that is connected to it. */
export async function startTools(workspace: string, env: Record<string, string> = {}): Promise<Tools> {
  const client = new Client({ name: 'test', version: '1' })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['--import', TSX, TOOLS_SERVER],
    env: { PATH: process.env.PATH!, WORKSPACE_PATH: workspace, DESK_SECRET: 'very-secret', ...env },
    cwd: '/',
  })
  await client.connect(transport)
  const call: Tools['call'] = async (name, args, signal) => {
    const options = { timeout: 120_000, ...(signal && { signal }) }
    const result = await client.callTool({ name, arguments: { ...args } }, options)
    const content = result.content as { text?: string }[]
    const text = content.map((block) => block.text ?? '').join('\n')
    return { isError: result.isError === true, text, facts: result.structuredContent }
  }
  return {
    ...{ client, call, pid: transport.pid! },
    python: (code, timeout_seconds = 60) => call('execute_python', { code, timeout_seconds }),
    close: () => client.close(),
  }
}
