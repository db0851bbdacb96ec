import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig, ROOT } from '../src/config.ts'
import { cli, startCli } from './support/cli.ts'
import { type Gateway, startGateway } from './support/gateway.ts'
import { temporaryFolder, until, writeEnv } from './support/server.ts'
import { HAS_BWRAP } from './support/tools.ts'

describe.skipIf(!HAS_BWRAP)('the tools of our own behind the gate, as they are shipped', () => {
  const { path: dir, remove } = temporaryFolder()
  let gateway: Gateway
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    const shipped = { MCP_CONFIG_PATH: join(ROOT, 'mcp.json'), POLICY_PATH: join(ROOT, 'policy.json') }
    gateway = await startGateway(dir, { upstreams: [], env: { ...shipped, DESK_SECRET: 'very-secret' } })
    env = { ...gateway.env, PORT: new URL(gateway.url).port }
  })
  afterAll(async () => {
    await gateway.kill('SIGTERM')
    remove()
  })

  /** One call over HTTP, decided while it waits. */
  async function decided(verb: 'approve' | 'reject', tool: string, args: object) {
    const calling = gateway.tool(tool, args, 'wait=30')
    await gateway.decide(verb, tool)
    const { status, json } = await calling
    return { status, isError: json.isError === true, text: json.content?.[0]?.text, facts: json.structuredContent }
  }

  test('python runs once it is approved, and its output is the output of approval call', async () => {
    const calling = startCli(env, ['call', 'execute_python', '--args', '{"code":"print(1)"}'])
    await until('it waits', async () => (await gateway.waiting()).length === 1)
    const id = (await gateway.waiting())[0]!.request_id
    expect((await cli(env, 'approve', id, '--reason', 'seen')).code).toBe(0)
    expect(await calling.finished).toMatchObject({ code: 0, stdout: '1\n' })
  })

  test('a program that fails is an error of the tool; one that is rejected does not run', async () => {
    const failed = await decided('approve', 'run_command', { command: 'echo half; exit 3' })
    expect(failed).toMatchObject({ status: 200, isError: true, text: 'half', facts: { exit_code: 3 } })
    expect((await decided('reject', 'run_command', { command: 'touch ran' })).status).toBe(403)
    expect(existsSync(join(dir, 'workspace/ran'))).toBe(false)
  })

  test('a file written with approval is listed and read without', async () => {
    expect((await decided('approve', 'write_file', { path: 'notes/a.md', content: '한글\n' })).isError).toBe(false)
    expect(readFileSync(join(dir, 'workspace/notes/a.md'), 'utf8')).toBe('한글\n')
    expect((await gateway.tool('read_file', { path: 'notes/a.md' })).json.content[0].text).toBe('한글\n')
    expect((await gateway.tool('list_files', { path: 'notes' })).json.content[0].text).toBe('a.md (7 bytes)')
  })

  test('wrong arguments are refused before anybody is asked', async () => {
    expect((await gateway.tool('execute_python', { code: 'print(1)', cwd: '/' })).status).toBeGreaterThanOrEqual(400)
    expect(await gateway.waiting()).toEqual([])
  })

  test('a program that hangs holds up nobody, and ends with a clear error of the tool', async () => {
    const hung = decided('approve', 'run_command', { command: 'echo begun > begun; sleep 600', timeout_seconds: 15 })
    await until('it runs', () => existsSync(join(dir, 'workspace/begun')))
    expect((await gateway.call('GET', '/health', undefined, null)).status).toBe(200)
    expect((await gateway.tool('list_files', {})).status).toBe(200)
    expect(await hung).toMatchObject({ status: 200, isError: true, text: 'ended at its deadline of 15 s' })
  })

  test('SANDBOX_ENABLED takes effect at a SIGHUP, whatever mcp.json says', async () => {
    const describedAs = async (words: string) => {
      const client = await gateway.client()
      try {
        const tools = (await client.listTools()).tools
        return tools.find(({ name }) => name === 'run_command')?.description?.includes(words) === true
      } finally {
        await client.close()
      }
    }
    expect(await describedAs('In a sandbox: no network')).toBe(true)
    writeEnv(dir, 'SANDBOX_ENABLED=false\n')
    gateway.child.kill('SIGHUP')
    await until('it runs without', () => describedAs('WITHOUT a sandbox'))
    const plain = await decided('approve', 'run_command', { command: 'pwd; env' })
    expect(plain.text).toContain(`${join(dir, 'workspace')}\n`)
    expect(plain.text).not.toContain('very-secret')
    writeEnv(dir, '')
    gateway.child.kill('SIGHUP')
    await until('it runs in one again', () => describedAs('In a sandbox: no network'))
  })
})

test('a workspace that holds something of the desk is refused', () => {
  const { path: dir, remove } = temporaryFolder()
  const env = { APPROVAL_ENV_FILE: join(dir, '.env'), SECURITY_DB_PATH: join(dir, 'data/security.db') }
  for (const [WORKSPACE_PATH, inside] of [
    [join(dir, 'data'), 'security.db'],
    [dir, '.env'],
    [ROOT, ROOT],
    ['/', ROOT],
  ] as const) {
    expect(() => loadConfig({ ...env, WORKSPACE_PATH })).toThrow(`allowed: a folder of its own`)
    expect(() => loadConfig({ ...env, WORKSPACE_PATH })).toThrow(inside)
  }
  expect(loadConfig({ ...env, WORKSPACE_PATH: join(dir, 'data/work') }).settings.WORKSPACE_PATH).toBe(
    join(dir, 'data/work'),
  )
  remove()
})
