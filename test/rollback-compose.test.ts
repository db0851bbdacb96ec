import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { composeProject, type Project, type ProjectOptions } from './support/compose-project.ts'
import { apply, rollbackIn, rollbackMain } from './support/compose-rollback.ts'
import { docker, engine, missing } from './support/docker.ts'
import { QUICK, REASON } from './support/rollback.ts'
import { startServer, temporaryFolder, until } from './support/server.ts'

// Real containers on a shared machine: the limits only catch what hangs.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })

/** What "the gate is off" means: in the container, by the server's own word, and in the file for the next recreate. */
async function assertGateIsOff(project: Project): Promise<void> {
  const health = await project.health()
  expect(health?.gate, 'the server').toMatchObject({ effective: false })
  const inside = [project.inside('APPROVAL_WORKFLOW_ENABLED'), project.inside('APPROVAL_DISABLED_UNTIL')]
  expect(inside[0] === 'false' || Date.parse(inside[1] ?? '') > Date.now(), `the container: ${inside}`).toBe(true)
  expect(project.env(), 'the file').toMatch(/^APPROVAL_WORKFLOW_ENABLED=false|^APPROVAL_DISABLED_UNTIL=2\d{3}-/m)
}

/** As it was before: the same bytes, the same variables, the gate on, one container. */
async function assertAsBefore(project: Project, before: Before): Promise<void> {
  expect(project.env()).toBe(before.env)
  expect(project.inspect().Config.Env).toEqual(before.inspect.Config.Env)
  expect(project.inspect().Image).toBe(before.inspect.Image)
  expect((await project.health())?.gate).toEqual({ configured: true, effective: true, disabled_until: null })
  expect(project.containers()).toEqual(before.containers)
}

interface Before {
  env: string
  // biome-ignore lint/suspicious/noExplicitAny: what docker says.
  inspect: any
  containers: string[]
}
/** What does not change by itself. */
function now(project: Project): Before {
  const { Id, Image, Config, HostConfig, State } = project.inspect()
  const inspect = { Id, Image, Config, State: State.StartedAt, HostConfig: { PortBindings: HostConfig.PortBindings } }
  return { env: project.env(), inspect, containers: project.containers() }
}

const records = (project: Project): string[] =>
  readdirSync(join(project.folder, 'rollbacks')).filter((name) => /^\d{8}T/.test(name))
const recorded = (project: Project, id: string): boolean => {
  const sql = `select count(*) n from approval_events where type = 'rollback' and data like '%${id}%'`
  const script = `const db = new (require('better-sqlite3'))('data/security.db', { readonly: true })
    console.log(db.prepare(${JSON.stringify(sql)}).get().n)`
  return project.compose('exec', '-T', 'server', 'node', '-e', script).trim() === '1'
}
const snapshot = (project: Project, index = 0): string =>
  join(project.folder, 'rollbacks', records(project)[index]!, 'snapshot')

/** Misbehaves only once the gate is to be off. */
const whenOff = (code: string): string => `if (process.env.APPROVAL_DISABLED_UNTIL) {${code}}`
const NEVER_LISTENS = "import net from 'node:net'; net.Server.prototype.listen = function () { return this }"
const DEAF = `const on = process.on.bind(process)
process.on = (name, does) => (name === 'SIGTERM' ? process : on(name, does))
on('SIGTERM', () => {})`

const projects: Project[] = []
async function running(options: ProjectOptions = {}): Promise<Project> {
  const project = await composeProject(options)
  projects.push(project)
  await project.up()
  return project
}
afterEach(() => {
  for (const project of projects.splice(0)) project.remove()
})

const title = (text: string): string => (missing === undefined ? text : `${text} (${missing})`)

describe.skipIf(missing !== undefined)(title('rollback-disable of a server in a container'), () => {
  beforeAll(engine)

  test('turns the gate off and nothing else, does nothing twice, and takes back every byte', async () => {
    const env = '# 승인 게이트\r\nOPS_LANG = en  # for the tests\n'
    const project = await running({ env, scheduler: true, tools: true })
    const before = now(project)
    const scheduler = docker('inspect', '--format', '{{.Id}}', `${project.name}_scheduler_1`)

    const dry = await rollbackIn(project, ['--dry-run'])
    expect(dry.code, dry.stderr).toBe(0)
    expect(dry.stdout).toContain('up --detach --no-deps --no-build server'.split(' ').at(-1))
    expect(now(project)).toEqual(before)
    expect(existsSync(join(project.folder, 'rollbacks'))).toBe(false)

    // What the caller's shell exports must not get into the container, nor move the port.
    const exported = { APPROVAL_WORKFLOW_ENABLED: 'true', APPROVAL_DISABLED_UNTIL: '', PORT: '59999', OPS_LANG: 'ko' }
    const done = await rollbackIn(project, ['--yes', '--reason', REASON], { env: exported })
    expect(done.code, done.stderr).toBe(0)
    expect(done.stderr.replace(/\s+/g, ' ')).toMatch(/exports as [^.]*OPS_LANG[^.]* is not passed on/)
    await assertGateIsOff(project)
    const after = project.inspect()
    const added = after.Config.Env.filter((pair: string) => !before.inspect.Config.Env.includes(pair))
    expect(added).toEqual([expect.stringMatching(/^APPROVAL_DISABLED_UNTIL=/)])
    expect(after.Config.Env).toHaveLength(before.inspect.Config.Env.length + 1)
    expect(after.Id).not.toBe(before.inspect.Id)
    expect([after.Image, after.HostConfig.PortBindings]).toEqual([
      before.inspect.Image,
      before.inspect.HostConfig.PortBindings,
    ])
    expect(docker('inspect', '--format', '{{.Id}}', `${project.name}_scheduler_1`)).toBe(scheduler)

    // The rollback ran out here; the server in the container has it in its record all the same.
    const id = records(project)[0]!
    await until('the server has taken the result over', () => recorded(project, id), 15)

    const kept = snapshot(project)
    expect(readFileSync(join(kept, 'env.before'), 'utf8')).toBe(before.env)
    expect(JSON.parse(readFileSync(join(kept, 'container.json'), 'utf8'))[0].Id).toBe(before.inspect.Id)
    expect(readFileSync(join(kept, 'container.log'), 'utf8')).toContain('approval-ops http://')
    for (const name of readdirSync(kept)) expect(statSync(join(kept, name)).mode & 0o777, name).toBe(0o600)

    const { mtimeMs } = statSync(project.envFile)
    const again = await apply(project)
    expect([again.code, project.inspect().Id, statSync(project.envFile).mtimeMs]).toEqual([0, after.Id, mtimeMs])

    const undone = await rollbackIn(project, ['undo', '--yes', '--reason', 'all is well again'])
    expect(undone.code, undone.stderr).toBe(0)
    await assertAsBefore(project, before)
    expect(docker('inspect', '--format', '{{.Id}}', `${project.name}_scheduler_1`)).toBe(scheduler)
  })

  test('takes back what a server does not survive: it ends at once', async () => {
    const project = await running({ fault: whenOff("console.error('cannot go on'); process.exit(78)") })
    const before = now(project)
    const { code, stderr } = await apply(project)
    expect(code, stderr).toBe(1)
    expect(stderr).toMatch(/exit code 78, \d+ restarts.*cannot go on/s)
    await assertAsBefore(project, before)
    // The one that failed is gone; what it said is not.
    const logs = readdirSync(snapshot(project)).filter((name) => /^container-[0-9a-f]{12}\.log$/.test(name))
    expect(readFileSync(join(snapshot(project), logs[0]!), 'utf8')).toContain('cannot go on')
  })

  test('takes back what a server does not survive: it never listens', async () => {
    const fault = `import net from 'node:net'\n${whenOff(NEVER_LISTENS.split('; ')[1]!)}`
    const project = await running({ fault })
    const before = now(project)
    const { code, stderr } = await apply(project, { ...QUICK, overMs: 1_000, withinMs: 20_000 })
    expect(code, stderr).toBe(1)
    expect(stderr).toMatch(/does not answer/)
    await assertAsBefore(project, before)
  })

  test('takes back what a server does not survive: it ends after 5 s, having answered well', async () => {
    const project = await running({ fault: whenOff('setTimeout(() => process.exit(1), 5000)') })
    const before = now(project)
    const { code, stderr } = await apply(project, { answers: 3, overMs: 7_000, everyMs: 500, withinMs: 90_000 })
    expect(code, stderr).toBe(1)
    await assertAsBefore(project, before)
  })

  test('waits for a server that ignores SIGTERM no longer than the plan says', async () => {
    const project = await running({ fault: DEAF })
    const dry = await rollbackIn(project, ['--dry-run'])
    expect(dry.stdout).toContain('1 to 15 s')
    const began = performance.now()
    const { code, stderr } = await apply(project)
    expect(code, stderr).toBe(0)
    // It was deaf indeed: Docker waited for it.
    expect(performance.now() - began).toBeGreaterThan(10_000)
    await assertGateIsOff(project)
  })

  test('says that nothing is certain when neither the new server nor the old one comes up, and keeps the logs', async () => {
    const mark = '/app/data/broken'
    const fault = `import { existsSync, writeFileSync } from 'node:fs'
      if (process.env.APPROVAL_DISABLED_UNTIL) writeFileSync('${mark}', '')
      if (existsSync('${mark}')) { console.error('broken for good'); process.exit(1) }`
    const project = await running({ fault })
    const { env } = now(project)
    const { code, stderr } = await apply(project)
    expect(code, stderr).toBe(3)
    expect(stderr).toContain('broken for good')
    expect(stderr.trim().split('\n').at(-1)).toMatch(/npm run rollback-disable -- status \S+$/)
    expect(project.env()).toBe(env)
    const logs = readdirSync(snapshot(project)).filter((name) => name.startsWith('container-'))
    expect(readFileSync(join(snapshot(project), logs[0]!), 'utf8')).toContain('broken for good')
  })

  test('refuses when another key has drifted, names it, and changes nothing', async () => {
    const project = await running({ env: 'OPS_LANG=en\n' })
    project.writeEnv(`${project.env()}RBAC_ENABLED=false\nHOOK=https://hooks.example/t0ken\n`)
    const before = now(project)
    const { code, stderr } = await apply(project)
    expect(code).toBe(2)
    expect(stderr).toMatch(/RBAC_ENABLED: true -> false/)
    expect(stderr).toMatch(/HOOK: absent -> set \(hmac:[0-9a-f]{8}\)/)
    expect(stderr).not.toContain('t0ken')
    expect(now(project)).toEqual(before)
    const accepted = await rollbackIn(project, ['--accept-drift', '--yes', '--reason', REASON])
    expect(accepted.code, accepted.stderr).toBe(0)
    await assertGateIsOff(project)
    expect(project.inside('RBAC_ENABLED')).toBe('false')
  })

  test('of two operators at once one does it, and the other is told who', async () => {
    const project = await running()
    const words = ['--runtime', 'compose', '--yes', '--reason', REASON]
    const [one, two] = await Promise.all([rollbackMain(project.folder, words), rollbackMain(project.folder, words)])
    const codes = [one.code, two.code].sort()
    expect(codes[0], `${one.stderr}\n${two.stderr}`).toBe(0)
    // Whoever comes late meets the lock, or an unfinished rollback, or a world that has changed since the plan.
    expect([0, 2, 75]).toContain(codes[1])
    expect(records(project)).toHaveLength(1)
    await assertGateIsOff(project)
  })
})

describe.skipIf(missing !== undefined)(title('rollback-disable without an engine'), () => {
  beforeAll(engine)
  const DRY = ['--runtime', 'compose', '--dry-run']

  test('refuses within 5 s and says which of the four it is', async () => {
    const dir = temporaryFolder()
    chmodSync(dir.path, 0o755)
    writeFileSync(join(dir.path, '.env'), '')
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '')
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const cases = [
      [/there is no docker command/, { env: { PATH: '/nowhere' } }],
      [/no Docker engine is running/, { env: { DOCKER_HOST: `unix://${dir.path}/docker.sock` } }],
      [/you may not use the Docker socket/, { env: { DOCKER_HOST: `unix://${socket}`, HOME: '/tmp' }, before: nobody }],
      [/does not answer within 4 s/, { env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } }],
    ] as const
    try {
      for (const [hint, how] of cases) {
        const { code, stdout, stderr, ms } = await rollbackMain(dir.path, DRY, how)
        expect(stderr).toMatch(hint)
        expect([code, stdout]).toEqual([2, ''])
        // 5 s of its own; a busy machine may take its time to start it.
        expect(ms).toBeLessThan(60_000)
      }
    } finally {
      silent.close()
      dir.remove()
    }
  })
})

test('a server of npm start is found although the Docker engine cannot be asked', async () => {
  const dir = temporaryFolder()
  const server = await startServer(dir.path)
  const ran = await rollbackMain(dir.path, ['--dry-run'], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } })
  expect(ran.code, ran.stderr).toBe(0)
  expect(ran.stdout).toContain(`Target: process ${server.child.pid}`)
  await server.kill('SIGTERM')
  dir.remove()
})

describe.skipIf(missing !== undefined)(title("the runbook's own scripts fail where ours are proven"), () => {
  beforeAll(engine)

  /** Letter by letter, but for the names of files, programs and services. */
  function runbook(
    name: string,
    cwd: string,
    names: Record<string, string>,
  ): { status: number | null; stdout: string } {
    let script = readFileSync(new URL(`./runbook/rollback_${name}.sh`, import.meta.url), 'utf8')
    for (const [theirs, ours] of Object.entries(names)) script = script.replaceAll(theirs, ours)
    return spawnSync('bash', ['-c', script], { cwd, encoding: 'utf8', env: { ...process.env } })
  }
  const namesIn = (project: Project): Record<string, string> => ({
    'docker compose -f docker/compose.p3.yml': `docker-compose -p ${project.name}`,
    'docker logs mcp-server': `docker logs ${project.name}_server_1`,
    'mcp-server': 'server',
    'http://localhost:8020': project.url,
  })

  test('1, disable: it prints success and exits 0, and the gate is still on', async () => {
    const project = await running({ env: 'APPROVAL_WORKFLOW_ENABLED=true\n' })
    const { status, stdout } = runbook('disable', project.folder, namesIn(project))
    expect([status, stdout.includes('✅ 비활성화 완료')]).toEqual([0, true])
    expect(project.env()).toContain('APPROVAL_WORKFLOW_ENABLED=false')
    await expect(assertGateIsOff(project)).rejects.toThrow('the server')
    expect(project.inside('APPROVAL_WORKFLOW_ENABLED')).toBe('true')
  })

  test('1, disable: of a quoted value it changes nothing at all, and says the same', async () => {
    const project = await running({ env: 'APPROVAL_WORKFLOW_ENABLED="true"\n' })
    const before = project.env()
    const { status, stdout } = runbook('disable', project.folder, namesIn(project))
    expect([status, stdout.includes('✅ 비활성화 완료')]).toEqual([0, true])
    await expect(assertGateIsOff(project)).rejects.toThrow('the server')
    expect(project.env()).toBe(before)
    const ours = await apply(project)
    expect(ours.code, ours.stderr).toBe(0)
    await assertGateIsOff(project)
  })

  test('3, env: it prints success and exits 0, the gate is still on, and the logs of the incident are gone', async () => {
    const project = await running({ env: 'APPROVAL_WORKFLOW_ENABLED=true\n' })
    const { Id } = project.inspect()
    const { status, stdout } = runbook('env', project.folder, namesIn(project))
    expect([status, stdout.includes('✅ 환경 변수 재설정 완료')]).toEqual([0, true])
    await expect(assertGateIsOff(project)).rejects.toThrow('the server')
    expect(() => docker('logs', Id)).toThrow('No such container')
  })

  test('2, cli: it prints success and exits 0, brings nothing back, and destroys a local change', () => {
    const dir = temporaryFolder()
    const file = join(dir.path, 'ai.mjs')
    const git = (...args: string[]): void => {
      const who = ['-c', 'user.name=ops', '-c', 'user.email=ops@example.test']
      expect(spawnSync('git', [...who, ...args], { cwd: dir.path }).status).toBe(0)
    }
    git('init', '--quiet')
    for (const [name, content] of [
      ['ai.mjs', 'console.log("works")\n'],
      ['ai.mjs', 'console.log("broken")\n'],
      ['notes.md', 'unrelated\n'],
    ] as const) {
      writeFileSync(join(dir.path, name), content)
      git('add', '.')
      git('commit', '--quiet', '-m', name)
    }
    writeFileSync(file, 'console.log("a fix that nobody has committed")\n')
    const { status, stdout } = runbook('cli', dir.path, { 'scripts/ai.py': 'ai.mjs', python: 'node' })
    expect([status, stdout.includes('✅ CLI 복원 완료')]).toEqual([0, true])
    const restored = readFileSync(file, 'utf8')
    expect(restored).not.toContain('works')
    expect(restored).not.toContain('a fix')
    dir.remove()
  })
})
