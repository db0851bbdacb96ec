import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { LIMITS } from '../src/tools/limits.ts'
import { runProgram } from '../src/tools/programs.ts'
import { openWorkspace } from '../src/tools/workspace.ts'
import { temporaryFolder, until } from './support/server.ts'
import { HAS_BWRAP, startTools, type Tools } from './support/tools.ts'

const { path: dir, remove } = temporaryFolder()
const workspace = join(dir, 'workspace')
afterAll(remove)

/** A program whose words nobody else on this machine has: a second run of the tests may be under way. */
const SLEEP = `sleep ${process.pid}.47`
const sleeper = { command: `${SLEEP}61` }

/** Processes of this machine whose command line has the mark. */
const alive = (mark: string) =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(mark))

describe.skipIf(!HAS_BWRAP)('a program in the sandbox', () => {
  let tools: Tools
  beforeAll(async () => {
    tools = await startTools(workspace)
  })
  afterAll(() => tools.close())

  test('prints, starts in the workspace, and what it writes there stays', async () => {
    const { text, facts, isError } = await tools.python(
      'import os\nprint(os.getcwd())\nopen("made.txt","w").write("한글")',
    )
    expect({ text, isError }).toEqual({ text: '/workspace', isError: false })
    expect(facts).toEqual({ stdout: '/workspace\n', stderr: '', exit_code: 0, timed_out: false, cut: false })
    expect(readFileSync(join(workspace, 'made.txt'), 'utf8')).toBe('한글')
  })

  test('that fails is an error with its exit code; a signal is 128 + n; a program that is not there is 127', async () => {
    const failed = await tools.call('run_command', { command: 'echo before; echo wrong >&2; exit 7' })
    expect(failed).toMatchObject({ isError: true, facts: { exit_code: 7, stdout: 'before\n', stderr: 'wrong\n' } })
    expect(failed.text).toBe('before\nstderr:\nwrong\nexit code 7')
    expect((await tools.call('run_command', { command: 'kill -9 $$' })).facts.exit_code).toBe(137)
    expect((await tools.call('run_command', { command: 'kill -9 0' })).facts.exit_code).toBe(137)
    expect((await tools.call('run_command', { command: 'no-such-program' })).facts.exit_code).toBe(127)
    expect((await tools.call('run_command', { command: 'true' })).text).toBe('no output, exit code 0')
  })

  test('reaches no network: not even a listener on this machine', async () => {
    let reached = 0
    const listener = createServer(() => reached++)
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const { port } = listener.address() as { port: number }
    const connect = `import socket\nsocket.create_connection(("127.0.0.1", ${port}), 5)`
    const { isError, text } = await tools.python(connect)
    expect(isError).toBe(true)
    expect(text).toMatch(/ConnectionRefusedError|unreachable/)
    expect(reached).toBe(0)
    // The listener does listen.
    execFileSync('python3', ['-c', connect])
    await until('it is reached from here', () => reached === 1)
    listener.close()
  })

  test('sees no file of this machine but the system and the workspace, and no process', async () => {
    const secret = join(dir, 'security.db')
    writeFileSync(secret, 'secret')
    const places = [
      '/root',
      '/home',
      '/var',
      '/run',
      '/sys',
      ROOT,
      secret,
      '/etc/passwd',
      '/etc/shadow',
      '/proc/1/root/root',
    ]
    const { text } = await tools.python(
      `import os\nprint([p for p in ${JSON.stringify(places)} if os.path.exists(p)])\nprint(sorted(os.listdir("/")))`,
    )
    const [found, top] = text.split('\n')
    expect(found).toBe('[]')
    expect(top).not.toMatch(/'(root|home|var|run|sys|opt|mnt|srv|work)'/)
    const { facts } = await tools.call('run_command', { command: 'cat /proc/[0-9]*/cmdline | tr "\\0" " "' })
    expect(facts.stdout).not.toContain('tools-server')
  })

  test('has an environment of its own: no secret of ours, not by /proc either', async () => {
    const { facts } = await tools.call('run_command', {
      command: 'env; cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n"',
    })
    const names = new Set(
      (facts.stdout as string)
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('=')[0]),
    )
    expect(facts.stdout).not.toContain('very-secret')
    expect([...names].sort()).toEqual(['HOME', 'LANG', 'PATH', 'PWD', 'PYTHONDONTWRITEBYTECODE', 'TMPDIR'])
  })

  test('writes nowhere but in the workspace and its own /tmp, and is nobody special', async () => {
    const outside = ['/', '/usr', '/usr/bin', '/etc', '/dev', '/proc/sys/kernel', '/proc']
    const { text } = await tools.python(`
import os
for folder in ${JSON.stringify(outside)}:
    try:
        open(os.path.join(folder, "x"), "w")
        print("wrote into", folder)
    except OSError:
        pass
for command in ["mount -o remount,rw /usr", "umount /usr", "chroot /"]:
    if os.system(command + " 2>/dev/null") == 0: print(command)
open("/tmp/x", "w")
status = open("/proc/self/status").read()
print([line for line in status.split("\\n") if line.startswith(("CapEff", "CapPrm", "NoNewPrivs"))], os.getuid() == 0 and ${process.getuid!() === 0 ? 1 : 0})`)
    expect(text).toMatch(/^\['CapPrm:\\t0{16}', 'CapEff:\\t0{16}', 'NoNewPrivs:\\t1'\] (False|0)$/)
  })

  test('a link that it makes leads no tool of ours out', async () => {
    const secret = join(dir, 'credentials.json')
    writeFileSync(secret, 'very-secret')
    const made = `ln -sf ${secret} link; ln -sfn ${dir} folder; mkdir -p sub; ln -sfn ../.. sub/up; mkfifo pipe; ls`
    expect((await tools.call('run_command', { command: made })).isError).toBe(false)
    const names = [
      'link',
      'folder/credentials.json',
      'sub/up/credentials.json',
      '../credentials.json',
      secret,
      'pipe',
      'sub',
    ]
    for (const path of [...names, '/workspace/../credentials.json', 'sub/../../credentials.json']) {
      const read = await tools.call('read_file', { path })
      expect(read.isError, path).toBe(true)
      expect(read.text, path).not.toContain('very-secret')
      expect((await tools.call('write_file', { path, content: 'overwritten' })).isError, path).toBe(true)
    }
    for (const path of ['folder', 'sub/up', '..', '/']) {
      expect((await tools.call('list_files', { path })).isError, path).toBe(true)
    }
    expect(readFileSync(secret, 'utf8')).toBe('very-secret')
    expect((await tools.call('list_files', {})).text).toContain('link (link)')
  })

  test('a link put in between while we read and write wins no race', async () => {
    const secret = join(dir, 'raced.txt')
    writeFileSync(secret, 'very-secret')
    const swap = `
import os
os.makedirs("race/real", exist_ok=True)
open("race/real/raced.txt", "w").write("harmless")
os.symlink("${dir}", "race/link")
while True:
    for name in ("real", "link"):
        os.rename("race/" + name, "race/now")
        os.rename("race/now", "race/" + name)`
    const stop = new AbortController()
    const swapping = tools
      .call('execute_python', { code: swap, timeout_seconds: 60 }, stop.signal)
      .catch(() => undefined)
    await until('it swaps', () => existsSync(join(workspace, 'race/link')))
    for (let n = 0; n < 50; n++) {
      const read = await tools.call('read_file', { path: 'race/now/raced.txt' })
      expect(read.text).not.toContain('very-secret')
      await tools.call('write_file', { path: 'race/now/raced.txt', content: 'harmless' })
    }
    stop.abort()
    await swapping
    expect(readFileSync(secret, 'utf8')).toBe('very-secret')
  })

  test('a fork bomb ends at its limit', async () => {
    const { facts } = await tools.python(`
import os, time
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
except OSError as error:
    print(made, type(error).__name__)`)
    expect(facts.stdout).toMatch(/^\d+ BlockingIOError\n$/)
    expect(Number.parseInt(facts.stdout, 10)).toBeLessThan(LIMITS.processes)
  })

  test('one that takes memory gets none beyond its limit, and no file grows without end', async () => {
    const hog = await tools.python(`bytearray(${LIMITS.memory})`)
    expect(hog).toMatchObject({ isError: true, facts: { exit_code: 1 } })
    expect(hog.text).toContain('MemoryError')
    const file = await tools.call('run_command', {
      command: `head -c ${LIMITS.file + 1} /dev/zero > big; ls -l big; rm big`,
    })
    expect(file.facts.stdout).toContain(` ${LIMITS.file} `)
    for (const place of ['/tmp', '/dev/shm']) {
      const command = `for i in 1 2 3; do head -c ${LIMITS.temporary / 2} /dev/zero > ${place}/$i || echo full; done`
      expect((await tools.call('run_command', { command })).facts.stdout).toContain('full')
    }
  })

  test('the kernel, short of memory, would end it before the desk', async () => {
    expect((await tools.call('run_command', { command: 'cat /proc/self/oom_score_adj' })).text).toBe('1000')
  })

  test('of 1 GB of output the last bytes are kept, and that is said', async () => {
    const { facts, text } = await tools.python(
      'import os\nblock = b"a" * 2**20\nfor _ in range(1024): os.write(1, block)\nprint("the end")',
    )
    expect(facts).toMatchObject({ cut: true, exit_code: 0 })
    expect(facts.stdout).toHaveLength(LIMITS.output)
    expect(facts.stdout).toMatch(/aaa the end\n$|aaathe end\n$/)
    expect(text).toContain('cut: only the last 65536 bytes')
  })

  test('at its deadline it ends with all that it started, and other calls were answered meanwhile', async () => {
    const command = `setsid ${SLEEP}11 & (trap "" TERM; ${SLEEP}12) & echo begun; ${SLEEP}13`
    const hung = tools.call('run_command', { command, timeout_seconds: 10 })
    await until('it runs', () => alive(`${SLEEP}1`).length >= 3)
    expect((await tools.call('list_files', {})).isError).toBe(false)
    const { facts, text } = await hung
    expect(facts).toMatchObject({ timed_out: true, exit_code: null, stdout: 'begun\n' })
    expect(text).toContain('ended at its deadline of 10 s')
    await until('all are gone', () => alive(`${SLEEP}1`).length === 0)
  })

  test('what it leaves behind at its end is ended, and does not hold up the answer', async () => {
    const { facts } = await tools.call('run_command', { command: `setsid ${SLEEP}21 & ${SLEEP}22 & echo done` })
    expect(facts).toMatchObject({ stdout: 'done\n', exit_code: 0, timed_out: false })
    await until('all are gone', () => alive(`${SLEEP}2`).length === 0)
  })

  test('a caller who cancels ends it; so does the end of the tool server, even a sudden one', async () => {
    const stop = new AbortController()
    const cancelled = tools.call('run_command', { command: `${SLEEP}31` }, stop.signal)
    await until('it runs', () => alive(`${SLEEP}31`).length > 0)
    stop.abort()
    await expect(cancelled).rejects.toThrow()
    await until('it is gone', () => alive(`${SLEEP}31`).length === 0)
    const other = await startTools(workspace)
    const lost = other.call('run_command', { command: `${SLEEP}32` }).catch(() => undefined)
    await until('it runs', () => alive(`${SLEEP}32`).length > 0)
    process.kill(other.pid, 'SIGKILL')
    await until('it is gone', () => alive(`${SLEEP}32`).length === 0)
    await lost
    await other.close()
  })

  test('what the sandbox is still being made for does not run when the tool server has ended meanwhile', async () => {
    const bin = mkdtempSync(join(dir, 'bin-'))
    const begun = join(bin, 'begun')
    const slow = `#!/bin/sh\ntouch ${begun}; ${SLEEP}51; exec /usr/bin/bwrap "$@"\n`
    writeFileSync(join(bin, 'bwrap'), slow, { mode: 0o755 })
    const other = await startTools(workspace, { PATH: `${bin}:${process.env.PATH}` })
    const lost = other.call('run_command', { command: 'touch orphaned' }).catch(() => undefined)
    await until('it is being made', () => existsSync(begun) && alive(`${SLEEP}51`).length > 0)
    process.kill(other.pid, 'SIGKILL')
    await lost
    await until('nothing of it is left', () => alive('touch orphaned').length + alive(`${SLEEP}51`).length === 0)
    expect(existsSync(join(workspace, 'orphaned'))).toBe(false)
    await other.close()
  })

  test('nothing of many sandboxes, each at another point of being made, is left when the tool server is killed', async () => {
    for (const delay of [0, 5, 10, 15, 20]) {
      const other = await startTools(workspace)
      const calls = Array.from({ length: 8 }, (_, n) => sleep(n * delay).then(() => other.call('run_command', sleeper)))
      const lost = Promise.allSettled(calls)
      await until('the first runs', () => alive(`${SLEEP}61`).length > 0)
      process.kill(other.pid, 'SIGKILL')
      await lost
      await until('nothing of them is left', () => alive(`${SLEEP}61`).length === 0)
      await other.close()
    }
  })

  test('arguments that are not exactly right run nothing', async () => {
    for (const args of [{}, { code: '' }, { code: 1 }, { code: 'print(1)', extra: 1 }, { code: 'a\0b' }]) {
      const { isError, facts } = await tools.call('execute_python', args)
      expect([isError, facts]).toEqual([true, undefined])
    }
    const late = await tools.call('execute_python', { code: 'print(1)', timeout_seconds: 301 })
    expect(late.isError).toBe(true)
  })
})

describe.skipIf(!HAS_BWRAP)('the disk', () => {
  test('a program that fills it is ended while there is room for the desk', async () => {
    const own = openWorkspace(join(dir, 'disk'))
    const { bavail, bsize } = statfsSync(own)
    const limits = { ...LIMITS, free: bavail * bsize - 100 * 1024 ** 2 }
    const fill = 'i=0; while [ $i -lt 500 ]; do i=$((i+1)); head -c 20000000 /dev/zero > $i; sleep 0.1; done'
    const settings = { workspace: own, sandbox: true, limits }
    const signal = new AbortController().signal
    await expect(runProgram(['/bin/sh', '-c', fill], 120, settings, signal)).rejects.toThrow(/MiB are left on the disk/)
    await expect(
      runProgram(['/bin/true'], 9, { ...settings, limits: { ...limits, free: 2 ** 60 } }, signal),
    ).rejects.toThrow(/make room there/)
    rmSync(own, { recursive: true })
  })
})

describe('without the sandbox', () => {
  test('SANDBOX_ENABLED=false runs it plainly, with a scrubbed environment, its limits and its deadline', async () => {
    const tools = await startTools(join(dir, 'plain'), { SANDBOX_ENABLED: 'false' })
    const described = (await tools.client.listTools()).tools.find(({ name }) => name === 'run_command')!
    expect(described.description).toContain('WITHOUT a sandbox')
    const { facts } = await tools.call('run_command', { command: 'env; pwd; ulimit -v; ulimit -f' })
    expect(facts.stdout).not.toContain('very-secret')
    expect(facts.stdout).toContain(`${join(dir, 'plain')}\n${LIMITS.memory / 1024}\n${LIMITS.file / 512}\n`)
    const late = await tools.call('run_command', { command: `${SLEEP}41 & ${SLEEP}42`, timeout_seconds: 1 })
    expect(late.facts).toMatchObject({ timed_out: true, exit_code: null })
    await until('all are gone', () => alive(`${SLEEP}4`).length === 0)
    const lost = tools.call('run_command', { command: `${SLEEP}43 & ${SLEEP}44` }).catch(() => undefined)
    await until('both run', () => alive(`${SLEEP}43`).length > 0 && alive(`${SLEEP}44`).length > 0)
    process.kill(tools.pid, 'SIGKILL')
    await until('all are gone', () => alive(`${SLEEP}4`).length === 0)
    await lost
    await tools.close()
  })

  test('no bwrap: nothing runs, and the answer says how to get it; so with any SANDBOX_ENABLED but a plain false', async () => {
    const bin = mkdtempSync(join(dir, 'bin-'))
    for (const program of ['sh', 'python3']) symlinkSync(`/usr/bin/${program}`, join(bin, program))
    const tools = await startTools(workspace, { PATH: bin, SANDBOX_ENABLED: '0' })
    for (const [name, args] of [
      ['execute_python', { code: 'open("ran","w")' }],
      ['run_command', { command: 'touch ran' }],
    ] as const) {
      const { isError, text } = await tools.call(name, args)
      expect(isError).toBe(true)
      expect(text).toContain('bubblewrap (bwrap) is not installed. Nothing was run.')
      expect(text).toContain('apt-get install bubblewrap')
    }
    expect(existsSync(join(workspace, 'ran'))).toBe(false)
    await tools.close()
  })

  test('a bwrap that may not make namespaces: nothing runs, and its own words are in the answer', async () => {
    const bin = mkdtempSync(join(dir, 'bin-'))
    writeFileSync(join(bin, 'bwrap'), '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n', {
      mode: 0o755,
    })
    const tools = await startTools(workspace, { PATH: `${bin}:${process.env.PATH}` })
    const { isError, text } = await tools.call('run_command', { command: 'touch ran' })
    expect(isError).toBe(true)
    expect(text).toMatch(/could not be set up: bwrap: No permissions to create new namespace\. Nothing was run\./)
    expect(existsSync(join(workspace, 'ran'))).toBe(false)
    await tools.close()
  })
})
