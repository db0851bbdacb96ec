import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { conformance, type Outcomes, withToken } from './support/conformance.ts'
import { startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { TSX, temporaryFolder } from './support/server.ts'

const { path: dir, remove } = temporaryFolder()
afterAll(remove)
/** A client of the suite may be asked something, so each gets a process of its own over the standard streams. */
const MANY_PROCESSES = 600_000

const upstream = (transport: string) => ({
  command: process.execPath,
  args: ['--import', TSX, join(ROOT, 'test/support/conformance-upstream.ts'), transport],
})

/** Starts a server that is reached by URL, and waits for the line that says it listens. */
async function listening(command: string, args: string[], line: RegExp, env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return new Promise<string>((resolve, reject) => {
    for (const input of [child.stdout, child.stderr]) {
      createInterface(input).on('line', (said) => line.test(said) && resolve(said))
    }
    child.on('exit', (code) => reject(new Error(`it has ended with ${code}`)))
  })
}

async function throughGateway(server: object, policy: Readonly<Record<string, string>>): Promise<Outcomes> {
  const own = mkdtempSync(join(dir, 'gateway-'))
  const gateway = await startGateway(own, { upstreams: [], servers: { upstream: server }, policy })
  onTestFinished(() => void gateway.kill('SIGTERM'))
  const through = await withToken(gateway.url, gateway.tokens.dev_user)
  onTestFinished(through.close)
  return conformance(through.url, join(own, 'outcomes'))
}

const came = (status: string, ...ids: string[]) => ids.map((id) => ({ id, status, details: expect.anything() }))

/** The gateway's own door: what differs there, whatever is behind it. */
const DIFFERENT = {
  // The desk refuses pages of other origins, in its own words.
  'dns-rebinding-protection': came('SUCCESS', 'localhost-host-rebinding-rejected', 'localhost-host-valid-accepted'),
  // Whose connection ends is gone, and nothing is run for them: so there is no stream to resume, and none begins with
  // the event to resume from. Who calls again joins the request that is open.
  'server-sse-multiple-streams': came(
    'SUCCESS',
    'server-accepts-multiple-post-streams',
    'server-sse-streams-functional',
  ),
  'server-sse-polling': came('WARNING', 'server-sse-priming-event', 'server-sse-retry-field'),
}

test('the conformance suite finds an upstream that has all it asks for the same direct and through the gateway', {
  timeout: MANY_PROCESSES,
}, async () => {
  const { command, args } = upstream('http')
  const url = await listening(command, args, /^http:/)
  const direct = await conformance(url, join(dir, 'direct'))
  expect(Object.keys(direct)).toHaveLength(32)
  const statuses = Object.values(direct).flatMap((checks) => checks.map(({ status }) => status))
  expect(new Set(statuses)).toEqual(new Set(['SUCCESS']))

  const policy = { 'test_*': 'LOW' }
  expect(await throughGateway({ url }, policy)).toEqual({ ...direct, ...DIFFERENT })
  expect(await throughGateway(upstream('stdio'), policy)).toEqual({ ...direct, ...DIFFERENT })
})

test('the conformance suite finds server-everything the same direct and through the gateway', {
  timeout: MANY_PROCESSES,
}, async () => {
  const script = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
  const port = await freePort()
  await listening(process.execPath, [script, 'streamableHttp'], /listening/i, { ...process.env, PORT: String(port) })
  const url = `http://127.0.0.1:${port}/mcp`
  const direct = await conformance(url, join(dir, 'everything'))
  const gated = await throughGateway({ url }, {})
  expect(statusOfTools(gated)).toEqual({ ...statusOfTools(direct), ...DIFFERENT, ...NOT_THERE })
})

/**
 * server-everything does not have the tools that the suite calls. It answers with a result that says so, which the suite
 * takes for the tool's; the gateway, which has nobody to pass the name to, answers with the protocol's error.
 */
const NOT_THERE = {
  'tools-call-simple-text': [{ id: 'tools-call-simple-text', status: 'FAILURE' }],
  'tools-call-error': [{ id: 'tools-call-error', status: 'FAILURE' }],
}
const statusOfTools = (outcomes: Outcomes): Outcomes =>
  Object.fromEntries(
    Object.entries(outcomes).map(([scenario, checks]) => [
      scenario,
      scenario.startsWith('tools-call-') ? checks.map(({ id, status }) => ({ id, status })) : checks,
    ]),
  )
