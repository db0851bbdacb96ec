import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { composeRuntimeKind } from '../src/rollback/compose-detect.ts'
import { composeDeps, runtimeOf } from './support/compose-deps.ts'
import { composeProject, type Project } from './support/compose-project.ts'
import { docker, engine, IMAGE, missing } from './support/docker.ts'

// Real containers on a shared machine: the limits only catch what hangs.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })

describe.skipIf(missing !== undefined)(`the runtime compose${missing ? ` (${missing})` : ''}`, () => {
  let project: Project
  beforeAll(async () => {
    await engine()
    project = await composeProject({ env: 'OPS_LANG=en\n' })
    await project.up()
  })
  afterAll(() => project?.remove())

  test('finds the container of the folder, its files, and the call that makes it again', async () => {
    const runtime = await runtimeOf(project)
    expect(runtime.envFile).toBe(project.envFile)
    expect(runtime.target).toBe(`container ${project.name}_server_1`)
    expect(runtime.commands()).toEqual([
      [
        ...['docker-compose', '--project-name', project.name, '--project-directory', project.folder],
        ...['--file', `${project.folder}/docker-compose.yml`, 'up', '--detach', '--no-deps', '--no-build', 'server'],
      ],
    ])
  })

  test('has a server that is not root and cannot become it, with its data on a volume and a check of its health', () => {
    const { Config, HostConfig, Mounts } = project.inspect()
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'] })
    expect(HostConfig.SecurityOpt).toEqual(['no-new-privileges:true'])
    expect(HostConfig.PortBindings).toEqual({ '8020/tcp': [{ HostIp: '127.0.0.1', HostPort: expect.any(String) }] })
    expect(Mounts).toContainEqual(expect.objectContaining({ Type: 'volume', Destination: '/app/data', RW: true }))
    const inside = (...argv: string[]) => project.compose('exec', '-T', 'server', ...argv).trim()
    expect(inside('node', '-p', '[process.getuid(), process.getgid()].join()')).toBe('1000,1000')
    const [how, ...check] = Config.Healthcheck.Test as string[]
    expect([how, inside(...check)]).toEqual(['CMD', ''])
    expect(() => inside(...check.map((word) => word.replace(':8020', ':8021')))).toThrow()
  })

  test('observes what runs, and no drift where nothing has changed', async () => {
    const seen = await (await runtimeOf(project)).observe()
    expect(seen.running).toBe(true)
    expect(seen.drift).toEqual([])
    expect(seen.health?.gate.effective).toBe(true)
    expect(Object.keys(seen.fixed).sort()).toEqual(
      ['APPROVAL_ALLOW_REMOTE', 'HOST', 'LOG_PATH', 'OPS_DB_PATH', 'PORT', 'SECURITY_DB_PATH'].sort(),
    )
    expect(seen.configured).toEqual(seen.health?.config.effective)
    expect(seen.identity.find(({ what }) => what === 'container')?.value).toBe(project.inspect().Id)
  })

  test('a recreate takes over the file, changes nothing else, and a second one changes nothing at all', async () => {
    const runtime = await runtimeOf(project)
    const before = await runtime.observe()
    project.writeEnv(project.env().replace('OPS_LANG=en', 'OPS_LANG=en\nAPPROVAL_WORKFLOW_ENABLED=false'))
    await runtime.applyConfig()
    const unchanged = Object.fromEntries(
      Object.entries(before.health!.config.effective).filter(([key]) => key !== 'APPROVAL_WORKFLOW_ENABLED'),
    )
    const expected = {
      settings: { APPROVAL_WORKFLOW_ENABLED: 'false' },
      gate: { effective: false, until: null },
      unchanged,
    }
    await runtime.verifyEffective(expected)
    expect(project.inside('APPROVAL_WORKFLOW_ENABLED')).toBe('false')
    const { Id } = project.inspect()
    await runtime.applyConfig()
    expect(project.inspect().Id).toBe(Id)
    const hasty = composeRuntimeKind(
      composeDeps(project, { stability: { answers: 1, overMs: 0, everyMs: 100, withinMs: 5_000 } }),
    )
    const wrong = { ...expected, settings: { OPS_LANG: 'ko' } }
    await expect(hasty.open(runtime.reference).verifyEffective(wrong)).rejects.toThrow('OPS_LANG')
  })

  test('names every key that a recreate would change, secrets by their digest only', async () => {
    const runtime = await runtimeOf(project)
    const env = project.env()
    project.writeEnv(`${env}RBAC_ENABLED=false\nWEBHOOK=https://hooks.example/s3cret\n`)
    const { drift } = await runtime.observe()
    project.writeEnv(env)
    expect(drift).toEqual([
      { what: 'RBAC_ENABLED', from: 'true', to: 'false' },
      { what: 'WEBHOOK', from: 'absent', to: expect.stringMatching(/^set \(hmac:[0-9a-f]{8}\)$/) },
    ])
  })

  test('refuses when the image is gone or is another one by now', async () => {
    const runtime = await runtimeOf(project)
    const { Image } = project.inspect().Config
    docker('image', 'rm', Image)
    await expect(runtime.observe()).rejects.toThrow('is gone')
    docker('tag', IMAGE.replace(/:.*/, ':base'), Image)
    await expect(runtime.observe()).rejects.toThrow('another image')
    docker('tag', IMAGE, Image)
    expect((await runtime.observe()).running).toBe(true)
  })
})
