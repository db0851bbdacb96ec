import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ROOT } from '../src/config.ts'
import { realSystem } from '../src/system/real.ts'
import { lastUtf8 } from '../src/system/tail.ts'

const NODE = process.execPath
const js = (code: string): string[] => [NODE, '-e', code]
const run = (argv: string[], options: Partial<Parameters<typeof realSystem.run>[1]> = {}) =>
  realSystem.run(argv, { timeoutMs: 20_000, ...options })

afterEach(() => {
  for (const name of ['ZX_PREFIX', 'ZX_SHELL', 'ZX_VERBOSE', 'SECRET_OF_OURS']) delete process.env[name]
})

describe('running a program', () => {
  it('returns what it wrote and its exit code', async () => {
    const result = await run(js('console.log("out"); console.error("err"); process.exit(3)'))
    expect(result).toMatchObject({
      ok: false,
      code: 3,
      signal: null,
      timedOut: false,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  it('hands every argument over as it is, whatever a shell would make of it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'run-'))
    const hostile = [
      '; touch x',
      '$(touch x)',
      '`touch x`',
      `"'`,
      'a\nb',
      '*',
      '~',
      '$HOME',
      '',
      '한국어 👩‍👧',
      '\\',
      '!x',
      '\r',
      '-n',
    ]
    const result = await run([...js('console.log(JSON.stringify(process.argv.slice(1)))'), '--', ...hostile], {
      cwd: dir,
    })
    expect(JSON.parse(result.stdout)).toEqual(hostile)
    expect(readdirSync(dir)).toEqual([])
  })

  it('refuses a word with a NUL and an empty command', async () => {
    await expect(run(['echo', 'a\0b'])).rejects.toThrow(TypeError)
    await expect(run([])).rejects.toThrow(TypeError)
  })

  it('is not swayed by the ZX_ settings of its environment', async () => {
    process.env.ZX_PREFIX = 'echo HIJACK;'
    process.env.ZX_SHELL = '/bin/false'
    expect((await run(['echo', 'fine'])).stdout).toBe('fine\n')
  })

  it('shows the program none of our environment but what is asked for', async () => {
    process.env.SECRET_OF_OURS = 'x'
    const { stdout } = await run(js('console.log(JSON.stringify(process.env))'), { env: { GIVEN: 'yes' } })
    const env = JSON.parse(stdout)
    expect(env).toMatchObject({ GIVEN: 'yes', LANG: 'C.UTF-8' })
    expect(env).not.toHaveProperty('SECRET_OF_OURS')
  })

  it('runs no start-up file of a shell, whatever its input is', async () => {
    const HOME = mkdtempSync(join(tmpdir(), 'run-'))
    writeFileSync(join(HOME, '.bashrc'), 'echo bashrc')
    const env = { HOME }
    expect((await run(['echo', 'fine'], { env })).output).toBe('fine\n')
    expect((await run(['cat'], { env, input: 'fine\n' })).output).toBe('fine\n')
    expect((await run(['echo', 'fine'], { env, beforeStart: async () => {} })).output).toBe('fine\n')
  })

  it('works where there is no PATH', async () => {
    const program = `import { realSystem } from ${JSON.stringify(join(ROOT, 'src/system/real.ts'))}
      console.log((await realSystem.run(['echo', 'a b'], { timeoutMs: 60_000 })).stdout)`
    const path = join(mkdtempSync(join(tmpdir(), 'run-')), 'bare.mts')
    writeFileSync(path, program)
    const result = await run(['/usr/bin/env', '-i', NODE, '--import', 'tsx/esm', path], { cwd: ROOT })
    expect(result.stdout).toBe('a b\n\n')
  })

  it('gives an empty input, or the input it was handed', async () => {
    expect(await run(['cat'])).toMatchObject({ ok: true, stdout: '' })
    expect(await run(['cat'], { input: '한글\n' })).toMatchObject({ ok: true, stdout: '한글\n' })
    expect(await run(['true'], { input: 'x'.repeat(1_000_000) })).toMatchObject({ ok: true })
  })

  it('says so when the program or its folder does not exist', async () => {
    expect(await run(['/no/such/program'])).toMatchObject({ ok: false, code: 127 })
    const result = await run(['true'], { cwd: '/no/such/folder' })
    expect(result).toMatchObject({ ok: false, code: null, timedOut: false })
    expect(result.stderr).toContain('could not start')
  })

  it('tells the signal that ended it', async () => {
    expect(await run(js('process.kill(process.pid, "SIGKILL")'))).toMatchObject({
      ok: false,
      code: null,
      signal: 'SIGKILL',
    })
  })
})

describe('the deadline of a program', () => {
  it('ends a program and its child that both ignore SIGTERM', async () => {
    const stubborn = 'process.on("SIGTERM",()=>{});setInterval(()=>{},1e3);'
    const code = `${stubborn}const c=require("child_process").spawn(process.execPath,["-e",${JSON.stringify(`${stubborn}console.log(process.pid)`)}],{stdio:"inherit"});`
    let leader = 0
    const result = await run(js(code), {
      timeoutMs: 15_000,
      killAfterMs: 300,
      beforeStart: async (pid) => {
        leader = pid
      },
    })
    expect(result).toMatchObject({ ok: false, timedOut: true, signal: 'SIGKILL' })
    const grandchild = Number(result.stdout)
    expect(grandchild).toBeGreaterThan(0)
    expect(await realSystem.processAt(leader)).toBeNull()
    // Whoever is killed closes its output a moment before it is gone.
    await expect.poll(() => realSystem.processAt(grandchild), { timeout: 15_000 }).toBeNull()
  })

  it('is not mistaken for success when the program answers SIGTERM with exit code 0', async () => {
    const result = await run(js('process.on("SIGTERM",()=>process.exit(0));setInterval(()=>{},1e3)'), {
      timeoutMs: 10_000,
    })
    expect(result).toMatchObject({ ok: false, timedOut: true, code: 0 })
  })

  it('does not wait for a child that keeps the output open after the program has ended', async () => {
    const code = 'require("child_process").spawn("sleep",["60"],{stdio:"inherit"}).unref();console.log("done")'
    const result = await run(js(code), { timeoutMs: 30_000 })
    expect(result).toMatchObject({ ok: true, timedOut: false, stdout: 'done\n' })
    expect(result.ms).toBeLessThan(25_000)
  })

  it('comes early when the caller gives up', async () => {
    const stop = new AbortController()
    const result = await run(['sleep', '60'], {
      signal: stop.signal,
      beforeStart: async () => void setTimeout(() => stop.abort(), 100),
    })
    expect(result).toMatchObject({ ok: false, timedOut: false, signal: 'SIGTERM' })
  })
})

describe('the programs of a process that is ended', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('by %s end with it', async (signal) => {
    const path = join(mkdtempSync(join(tmpdir(), 'run-')), 'parent.mts')
    writeFileSync(
      path,
      `import { realSystem } from ${JSON.stringify(join(ROOT, 'src/system/real.ts'))}
      await realSystem.run(['sleep', '300'], { timeoutMs: 300_000, beforeStart: async (pid) => console.log(pid) })`,
    )
    const parent = spawn(NODE, ['--import', 'tsx/esm', path], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = Number(String((await once(parent.stdout, 'data'))[0]))
    const sleeper = (await realSystem.processAt(pid))!
    parent.kill(signal)
    expect((await once(parent, 'exit'))[1]).toBe(signal)
    await expect.poll(() => realSystem.isAlive(sleeper), { timeout: 15_000 }).toBe(false)
  })
})

describe('a program that is held back', () => {
  it('begins when it is released, with an empty input', async () => {
    const order: string[] = []
    const result = await run(['cat'], {
      beforeStart: async (pid) => {
        order.push((await realSystem.processAt(pid)) ? 'there' : 'gone')
      },
    })
    expect({ ...result, order }).toMatchObject({ ok: true, stdout: '', order: ['there'] })
  })

  it('never begins when the release fails', async () => {
    const marker = join(mkdtempSync(join(tmpdir(), 'run-')), 'began')
    const refused = run(['touch', marker], { beforeStart: () => Promise.reject(new Error('no')) })
    await expect(refused).rejects.toThrow('no')
    expect(existsSync(marker)).toBe(false)
  })

  it('never begins when the one who holds it is killed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'run-'))
    const holder = `import { realSystem } from ${JSON.stringify(join(ROOT, 'src/system/real.ts'))}
      import { writeFileSync } from 'node:fs'
      await realSystem.run(['touch', ${JSON.stringify(join(dir, 'began'))}], { timeoutMs: 60_000, beforeStart: async (pid) => {
        writeFileSync(${JSON.stringify(join(dir, 'pid'))}, String(pid))
        process.kill(process.pid, 'SIGKILL')
        await new Promise(() => {})
      } })`
    writeFileSync(join(dir, 'holder.mts'), holder)
    const result = await run([NODE, '--import', 'tsx/esm', join(dir, 'holder.mts')], { cwd: ROOT })
    expect(result).toMatchObject({ signal: 'SIGKILL' })
    const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'))
    await expect.poll(() => realSystem.processAt(pid), { timeout: 15_000 }).toBeNull()
    expect(existsSync(join(dir, 'began'))).toBe(false)
  })
})

describe('the output of a program', () => {
  it('is kept to its last bytes, from a whole character on', async () => {
    const result = await run(js('process.stdout.write("가".repeat(2_000_000))'), { maxOutputBytes: 1000 })
    expect(result.stdout).toBe('가'.repeat(333))
    expect(result.output).toBe(result.stdout)
  })

  it('is kept in a file too, up to its limit, and says how much was not', async () => {
    const outputFile = join(mkdtempSync(join(tmpdir(), 'run-')), 'new', 'a.log')
    await run(js('process.stdout.write("x".repeat(5000));console.error("e")'), { outputFile, maxFileBytes: 1000 })
    expect(readFileSync(outputFile, 'utf8')).toMatch(/^x{1000}\n\[4002 more bytes were not kept\]\n$/)
    expect(statSync(outputFile).mode & 0o777).toBe(0o600)
  })

  it('does not fail the program when its file cannot be written', async () => {
    expect(await run(['echo', 'fine'], { outputFile: '/etc/hostname/a.log' })).toMatchObject({
      ok: true,
      stdout: 'fine\n',
    })
  })

  it('becomes valid text within the bound whatever the bytes were', () => {
    expect(lastUtf8(Buffer.from([0xff, 0x41, 0x00, 0xfe]), 100)).toBe('\ufffdA\0\ufffd')
    const text = lastUtf8(Buffer.alloc(50_000, 0xff), 10_000)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_000)
    expect(text.length).toBeGreaterThan(3_000)
  })
})
