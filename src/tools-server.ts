import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { ROOT, RULES } from './config.ts'
import { createToolServer } from './tools/server.ts'
import { openWorkspace } from './tools/workspace.ts'

// The gateway starts this with the settings that are in force. Only a plain "false" opens the sandbox.
const { SANDBOX_ENABLED = 'true', WORKSPACE_PATH = RULES.WORKSPACE_PATH.fallback } = process.env
const { CHROMIUM_PATH = '/usr/bin/chromium', WEB_ALLOWED_HOSTS = '' } = process.env
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const settings = {
  workspace: openWorkspace(RULES.WORKSPACE_PATH.read(WORKSPACE_PATH)),
  sandbox: SANDBOX_ENABLED !== 'false',
  chromium: CHROMIUM_PATH,
  allowedHosts: WEB_ALLOWED_HOSTS.toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean),
}
serveStdio(() => createToolServer(settings, version), {
  onerror: (error) => process.stderr.write(`${error.message}\n`),
})
// Runs that nobody waits for any more end with us.
process.stdin.on('close', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit())
