import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PROGRAM, startCli } from './support/cli.ts'
import { freePort } from './support/ports.ts'
import { NO_LIMIT, type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let server: RunningServer
let env: NodeJS.ProcessEnv
let port: string

beforeEach(async () => {
  dir = temporaryFolder()
  port = String(await freePort())
  server = await startServer(dir.path, { ...NO_LIMIT, PORT: port })
  env = { ...server.env, APPROVAL_URL: server.url }
})
afterEach(async () => {
  await server.kill('SIGKILL')
  dir.remove()
})

/** The same server again, at the same address, on the same data. */
async function restart(): Promise<void> {
  server = await startServer(dir.path, { ...NO_LIMIT, PORT: port })
}
const decide = (id: string, verb: string) => server.call('POST', `/api/approvals/${id}/${verb}`, { reason: 'because' })
const onlyId = async () => (await server.call('GET', '/api/approvals/pending')).json.pending_approvals[0].request_id

describe('a waiting caller', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'outlives a restart of the server after %s and still gets the decision',
    async (signal) => {
      const caller = startCli(env, ['request', 'execute_python'])
      await caller.sees('waiting for a decision')
      const id = await onlyId()
      await server.kill(signal)
      await caller.sees('Lost the server')
      await restart()
      await caller.sees('The server is back; waiting goes on.')
      await decide(id, 'approve')
      expect(await caller.finished).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('approved by admin_user'),
      })
    },
  )

  test('learns a decision that was made while it had lost the server', async () => {
    const caller = startCli(env, ['request', 'execute_python'])
    await caller.sees('waiting for a decision')
    const id = await onlyId()
    // The caller's connection breaks and the decision falls before it can come back.
    caller.child.kill('SIGSTOP')
    await server.kill('SIGKILL')
    await restart()
    await decide(id, 'reject')
    caller.child.kill('SIGCONT')
    expect((await caller.finished).code).toBe(1)
  })

  test('gives up when the server stays away past the deadline: 3, with the command that resumes', async () => {
    const caller = startCli(env, ['request', 'execute_python', '--timeout', '10'])
    await caller.sees('waiting for a decision')
    await server.kill('SIGKILL')
    const { code, last } = await caller.finished
    expect(code).toBe(3)
    expect(last).toMatch(/how [0-9a-f]{8} ended is not known\. \S+ show [0-9a-f]{8} --wait --as dev_user$/)
  })

  test('joins the identical call that waits already, and both are released: one may run, the other is told that the approval is used', async () => {
    const first = startCli(env, ['request', 'execute_python'])
    await first.sees('waiting for a decision')
    const second = startCli(env, ['request', 'execute_python'])
    await second.sees('joined')
    await decide(await onlyId(), 'approve')
    const codes = [(await first.finished).code, (await second.finished).code]
    expect(codes.sort()).toEqual([0, 2])
  })

  test('without a terminal prints lines, never a countdown that overwrites itself', async () => {
    const caller = startCli(env, ['request', 'execute_python', '--timeout', '1'])
    const { stderr } = await caller.finished
    expect(stderr).not.toMatch(/[\r\u001b]/)
  })

  test('may have its stdout closed: the exit code still tells', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'request', 'execute_python'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'exit')
    await until('a request', async () => (await server.call('GET', '/api/approvals/pending')).json.count === 1)
    child.stdout.destroy()
    child.stderr.destroy()
    await decide(await onlyId(), 'reject')
    expect((await ended)[0]).toBe(1)
  })

  test('gets --json as the server sends it', async () => {
    const caller = startCli(env, ['request', 'execute_python', '--json', '--args', '{"code":"\\u202ex"}'])
    await caller.sees('waiting for a decision')
    await decide(await onlyId(), 'approve')
    const { stdout } = await caller.finished
    expect(stdout).not.toContain('\u202e')
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'approved',
      responder_id: 'admin_user',
      request_data: '{"code":"\u202ex"}',
    })
  })
})

describe('watch in a pipe', () => {
  test('prints one line per change, beginning with what waits', async () => {
    const { short_id, request_id } = await server.ask('first')
    const watcher = startCli(env, ['watch'])
    await watcher.sees(`pending  ${short_id}  CRITICAL  execute_python  dev_user`)
    const next = await server.ask('second')
    await watcher.sees(`created (dev_user)  ${next.short_id}`)
    await decide(request_id, 'reject')
    await watcher.sees(`rejected (admin_user)  ${short_id}  CRITICAL  execute_python  dev_user  because`)
    watcher.child.kill('SIGTERM')
    const { code, stdout } = await watcher.finished
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(3)
  })

  test('reconnects by itself after the server was killed, and misses nothing', async () => {
    const watcher = startCli(env, ['watch', '--json'])
    // It tells what happens from when it is connected on.
    await until('it is connected', async () =>
      /approval_waiting_callers 1/.test((await server.call('GET', '/metrics')).json),
    )
    const { request_id } = await server.ask()
    await watcher.sees(request_id)
    await server.kill('SIGKILL')
    await watcher.sees('connection lost')
    // This happens while the watcher is away: it must come from the record.
    await restart()
    await decide(request_id, 'approve')
    await watcher.sees('"type":"approved"')
    await watcher.sees('connected again')
    watcher.child.kill('SIGINT')
    const types = (await watcher.finished).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect(types.filter((type) => type === 'approved')).toHaveLength(1)
    expect(types.indexOf('server_started')).toBeLessThan(types.indexOf('approved'))
  })

  test('ends when nobody reads on', async () => {
    const watcher = spawn(process.execPath, [PROGRAM, 'watch'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(watcher, 'exit')
    await server.ask('one')
    await once(watcher.stdout, 'data')
    watcher.stdout.destroy()
    await server.ask('two')
    expect((await ended)[0]).toBe(0)
  })
})
