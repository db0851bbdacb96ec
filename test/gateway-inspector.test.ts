import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { type Gateway, startGateway, textOf } from './support/gateway.ts'
import { temporaryFolder } from './support/server.ts'

const INSPECTOR = join(ROOT, 'node_modules/@modelcontextprotocol/inspector-cli/build/cli.js')

const { path: dir, remove } = temporaryFolder()
let gateway: Gateway
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  gateway = await startGateway(dir, { env: { APPROVAL_HOLD: '1' } })
  // npx asks nobody, and leaves nothing behind.
  const npm = { npm_config_cache: mkdtempSync(join(dir, 'npm-')), npm_config_registry: 'http://127.0.0.1:9' }
  env = { ...gateway.env, ...npm, PORT: new URL(gateway.url).port }
})
afterAll(async () => {
  await gateway.kill('SIGTERM')
  remove()
})

/** What it prints for one method of the protocol. Installed alone it starts only in a folder whose parent is a package. */
// biome-ignore lint/suspicious/noExplicitAny: tests read whatever was printed.
async function inspect(target: string[], ...method: string[]): Promise<any> {
  const args = [INSPECTOR, '--cli', ...target, '--method', ...method]
  const child = spawn(process.execPath, args, { cwd: join(ROOT, 'bin'), env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`the Inspector has ended with ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

const TARGETS: Record<string, () => string[]> = {
  HTTP: () => {
    const header = `Authorization: Bearer ${gateway.tokens.dev_user}`
    return [`${gateway.url}/mcp`, '--transport', 'http', '--header', header]
  },
  stdio: () => ['npx', 'approval', 'gateway', '--as', 'dev_user'],
}

describe.each(Object.keys(TARGETS))("the Inspector's command line over %s", (name) => {
  const call = (tool: string, n: number) =>
    inspect(TARGETS[name]!(), 'tools/call', '--tool-name', tool, '--tool-arg', `n=${n}`)
  const ran = (tool: string, n: number) =>
    gateway.received().filter((received) => received.name === tool && received.arguments.n === n)
  const n = Object.keys(TARGETS).indexOf(name)

  test('lists the tools', async () => {
    const { tools } = await inspect(TARGETS[name]!(), 'tools/list')
    expect(tools.map((tool: { name: string }) => tool.name)).toEqual(['danger', 'peek', 'look', 'unnamed'])
  })

  test('calls a tool that needs no approval', async () => {
    expect(textOf(await call('peek', n))).toBe('peek ran')
    expect(ran('peek', n)).toHaveLength(1)
  })

  test('is told that a call waits, and prints the result of the same command after the approval', async () => {
    const held = await call('danger', n)
    const { request_id } = (await gateway.waiting())[0]!
    expect(textOf(held)).toMatch(/^NOT RUN YET/)
    expect(textOf(held)).toContain(`request ${request_id.slice(0, 8)}`)
    expect(held.structuredContent).toMatchObject({ request_id, status: 'pending' })
    expect(textOf(await call('danger', n))).toMatch(/^NOT RUN YET/)
    expect(await gateway.waiting()).toHaveLength(1)
    expect(ran('danger', n)).toEqual([])
    expect(await gateway.decide('approve', 'danger')).toBe(request_id)
    expect(textOf(await call('danger', n))).toBe('danger ran')
    expect(ran('danger', n)).toHaveLength(1)
  })
})
