import { McpServer } from '@modelcontextprotocol/server'
import type { BrowserSettings } from './browser.ts'
import { addFileTools } from './file-tools.ts'
import { addProgramTools } from './program-tools.ts'
import { addWebTools } from './web-tools.ts'

export interface ToolSettings extends BrowserSettings {
  /** The true path of the one folder that the tools read and write. */
  readonly workspace: string
  /** Whether programs run in the sandbox. */
  readonly sandbox: boolean
}

/** The tools of our own, over the Model Context Protocol. They ask nobody: the gate is in front of them. */
export function createToolServer(settings: ToolSettings, version: string): McpServer {
  const server = new McpServer({ name: 'approval-ops-tools', version }, { capabilities: { tools: {} } })
  addProgramTools(server, settings)
  addFileTools(server, settings)
  addWebTools(server, settings)
  return server
}
