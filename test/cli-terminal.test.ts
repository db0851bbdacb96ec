import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { request as ask, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { displayWidth } from '../src/report/printable.ts'
import { cli, type OnTerminal, onTerminal, PROGRAM } from './support/cli.ts'
import { type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

// A pseudo terminal comes from script(1) of util-linux, which is on every Debian.
const hasScript = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '')

let dir: ReturnType<typeof temporaryFolder>
let server: RunningServer
let env: NodeJS.ProcessEnv
let terminal: OnTerminal | undefined

beforeEach(async () => {
  dir = temporaryFolder()
  server = await startServer(dir.path)
  env = { ...server.env, APPROVAL_URL: server.url, NO_COLOR: '1' }
})
afterEach(async () => {
  terminal?.stop()
  await server.kill('SIGKILL')
  dir.remove()
})

/** Runs the program and then prints its exit code and the terminal's modes, as the shell finds them. */
function start(...args: string[]): OnTerminal {
  const program = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ')
  const words = `sh -c 'echo "pid=$$"; exec "$0" "$@"' ${program}`
  terminal = onTerminal(
    env,
    `${words}; echo "code=$?"; stty -a | tr ';' '\\n' | grep -o -- '-*icanon\\|-*echo ' | tr '\\n' ' '; echo end`,
  )
  return terminal
}

/** The program ended with this code and left the terminal as it was: cooked, echoing, cursor visible. */
async function ends(on: OnTerminal, code: number): Promise<void> {
  await on.sees(`code=${code}`)
  await on.sees('end')
  const modes = on.text().slice(on.text().lastIndexOf('code='))
  expect(modes).toMatch(/ icanon|^icanon|\nicanon/)
  expect(modes).not.toContain('-icanon')
  expect(modes).not.toContain('-echo')
  expect(on.raw().lastIndexOf('\u001b[?25l')).toBeLessThanOrEqual(on.raw().lastIndexOf('\u001b[?25h'))
}

const statusOf = async (id: string) => (await server.call('GET', `/api/approvals/${id}`)).json

describe.skipIf(!hasScript)('on a terminal', () => {
  test('the caller sees a countdown in place, Ctrl-C ends it with 3', async () => {
    const on = start('request', 'execute_python')
    const shown = () => [...on.text().matchAll(/ {2}(\d:\d\d) {2}Ctrl-C/g)].map(([, left]) => left)
    await until('it counts', () => new Set(shown()).size > 1)
    expect(shown()).toEqual(shown().sort().reverse())
    on.type('\x03')
    await on.sees('is still pending')
    await ends(on, 3)
  })

  test('the desk: v shows what is hidden, where something is, and only once it is pressed', async () => {
    const secret = 'hunter2-of-the-month'
    const body = { tool_name: 'execute_python', arguments: { code: 'print(1)', password: secret } }
    const { request_id, short_id } = (await server.call('POST', '/api/approvals', body, 'dev_user')).json
    const on = start()
    await on.sees(short_id)
    on.type('\r')
    await on.sees(`request     ${request_id}`)
    await on.sees('1 value looks like a secret and is not shown')
    await on.sees('show what is hidden')
    expect(on.raw()).not.toContain(secret)
    on.type('v')
    await on.sees(`request     ${request_id}`)
    await on.sees(secret)
    await on.sees('approve')
    expect((await statusOf(request_id)).status).toBe('pending')
    const after = on.text().slice(on.text().lastIndexOf(secret))
    expect(after).not.toContain('show what is hidden')
    on.type('r')
    await on.sees('Why reject')
    on.type('no passwords here\r')
    await on.sees(`${short_id} rejected`)
    expect((await statusOf(request_id)).response_reason).toBe('no passwords here')
  })

  test('the desk: choose, read the whole, approve with a reason', async () => {
    const { request_id, short_id } = await server.ask('import os\nos.remove("\u202ex")')
    const on = start()
    await on.sees('1 waiting')
    await on.sees(`${short_id} CRITICAL execute_python`)
    on.type('\r')
    await on.sees(`request     ${request_id}`)
    await on.sees('│ import os')
    await on.sees('│ os.remove("\\u202ex")')
    await on.sees('left')
    on.type('a')
    await on.sees('Why approve')
    on.type('확인했습니다\r')
    await on.sees(`${short_id} approved`)
    expect(await statusOf(request_id)).toMatchObject({
      status: 'approved',
      response_reason: '확인했습니다',
      responder_id: 'admin_user',
    })
    await on.sees('Nothing is waiting')
    on.type('q')
    await ends(on, 0)
  })

  test('the desk: Enter decides nothing, Esc goes back, an empty reason is asked for again, r rejects', async () => {
    const { request_id, short_id } = await server.ask()
    const on = start()
    await on.sees('1 waiting')
    on.type('\r')
    await on.sees('left')
    await on.sees('quit')
    on.type('\r')
    await on.sees('left')
    await on.sees('quit')
    on.type('r')
    await on.sees('Why reject')
    on.type('\x1b')
    await on.sees('back to the list')
    expect((await statusOf(request_id)).status).toBe('pending')
    on.type('r')
    await on.sees('Why reject')
    on.type('\r')
    await on.sees('Say why')
    on.type('no\r')
    await on.sees(`${short_id} rejected`)
    await on.sees('Nothing is waiting')
    on.type('\x04')
    await ends(on, 0)
  })

  test('the desk: someone else is first while you look', async () => {
    const { request_id, short_id } = await server.ask()
    const on = start()
    await on.sees('1 waiting')
    on.type('\r')
    await on.sees('skip, next request')
    await cli(env, 'reject', request_id, '--reason', 'I was first')
    await on.sees(`Meanwhile ${short_id}: rejected by admin_user: I was first.`)
    await on.sees('Nothing is waiting')
    on.type('\x03')
    await ends(on, 0)
  })

  test('the desk: the request expires while you look, and while you write the reason', async () => {
    // Its time begins when the desk is there.
    const on = start()
    await on.sees('Nothing is waiting')
    const body = { tool_name: 'execute_python', arguments: { code: 'soon' }, timeout_seconds: 20 }
    const { json } = await server.call('POST', '/api/approvals', body, 'dev_user')
    await on.sees('1 waiting')
    on.type('\r')
    await on.sees('skip, next request')
    on.type('a')
    await on.sees('Why approve')
    await on.sees(`Meanwhile ${json.short_id}: expired`)
    await on.sees('Nothing is waiting')
    on.type('q')
    await ends(on, 0)
  })

  test('the desk: a new request appears on the empty list, and s shows the next one', async () => {
    const on = start()
    await on.sees('Nothing is waiting')
    const first = await server.ask()
    await on.sees('1 waiting')
    const second = await server.ask()
    await on.sees('1 new: press l')
    on.type('l')
    await on.sees('2 waiting')
    on.type('\r')
    await on.sees(`request     ${first.request_id}`)
    await on.sees('quit')
    on.type('s')
    await on.sees(`request     ${second.request_id}`)
    await on.sees('quit')
    on.type('q')
    await ends(on, 0)
  })

  test('the desk: a request that comes before the event stream is open appears on the empty list all the same', async () => {
    let openStream: () => void = () => undefined
    const opened = new Promise<void>((resolve) => {
      openStream = resolve
    })
    const slow = createServer(async (req, res) => {
      if (req.url === '/api/events') await opened
      const options = { method: req.method ?? 'GET', headers: req.headers }
      const forwarded = ask(`${server.url}${req.url}`, options, (answer) => {
        res.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(res)
      })
      req.pipe(forwarded.on('error', () => res.destroy()))
    }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    onTestFinished(() => void slow.close().closeAllConnections())
    env.APPROVAL_URL = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
    const on = start()
    await on.sees('Nothing is waiting')
    await server.ask()
    openStream()
    await on.sees('1 waiting')
    on.type('q')
    await ends(on, 0)
  })

  test('the desk: told to end while it asks', async () => {
    const on = start()
    await on.sees('Nothing is waiting')
    process.kill(Number(/pid=(\d+)/.exec(on.text())?.[1]), 'SIGTERM')
    await ends(on, 0)
  })

  test('approve asks for the reason that is missing', async () => {
    const { request_id, short_id } = await server.ask()
    const on = start('approve', short_id)
    await on.sees(`${short_id}: why?`)
    on.type('asked\r')
    await on.sees(`${short_id} approved`)
    await ends(on, 0)
    expect((await statusOf(request_id)).response_reason).toBe('asked')
  })

  test('watch draws in place, rings for a new CRITICAL, ticks, and q gives the terminal back', async () => {
    const on = start('watch')
    await on.sees('0 waiting')
    const { short_id } = await server.ask()
    await on.sees('1 waiting')
    await on.sees(short_id)
    await until('it ticks', () => new Set(on.text().match(/(?<![\d:])[0-4]:\d\d(?![\d:])/g)).size > 1)
    expect(on.raw()).toContain('\x07')
    await server.kill('SIGKILL')
    await on.sees('connection lost')
    on.type('q')
    await ends(on, 0)
    expect(on.raw()).toContain('\u001b[?1049l')
  })

  test('watch: Ctrl-Z gives the terminal back, fg takes it again, and another width is drawn anew', async () => {
    const modes = "stty -a | grep -o -- '-*icanon'"
    const program = `sh -c 'echo "pid=$$"; exec "$0" "$@"' '${process.execPath}' '${PROGRAM}' watch`
    terminal = onTerminal(
      env,
      `set -m; ${program}; echo "stopped=$?"; ${modes}; fg > /dev/null; echo "code=$?"; ${modes}; echo end`,
    )
    const on = terminal
    await on.sees('0 waiting')
    on.type('\x1a')
    await on.sees('stopped=148')
    await on.sees('\nicanon')
    expect(on.raw().split('stopped=148')[0]).toMatch(/\u001b\[\?1049l[^\u001b]*$/)
    await on.sees('0 waiting')
    const narrow = () => spawnSync('stty', ['-F', `/proc/${/pid=(\d+)/.exec(on.text())?.[1]}/fd/0`, 'cols', '20'])
    expect(narrow().status).toBe(0)
    await until('it is drawn anew', () => /0 waiting[^\r\n]*…\r*\n/.test(on.text().slice(-200)))
    on.type('q')
    await on.sees('code=0')
    await on.sees('\nicanon')
  })

  test('a list on 80 columns is never wider, with Hangul in it', async () => {
    await server.call(
      'POST',
      '/api/approvals',
      { tool_name: '파일쓰기도구이름이매우깁니다', arguments: { code: '가'.repeat(200) } },
      'dev_user',
    )
    const on = start('list', '--lang', 'ko')
    await ends(on, 0)
    const row = on
      .text()
      .split('\n')
      .find((line) => line.includes('dev_user'))
    expect(row).toContain('code=가')
    expect(row).toContain('…')
    for (const line of on.text().split(/[\r\n]+/)) expect(displayWidth(line), line).toBeLessThanOrEqual(80)
  })
})
