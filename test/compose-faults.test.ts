import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { composeRuntimeKind } from '../src/rollback/compose-detect.ts'
import { composeDeps, GATE_OFF, GATE_ON, runtimeOf } from './support/compose-deps.ts'
import { composeProject, type Project } from './support/compose-project.ts'
import { docker, dockerEnv, engine, missing, onEvent } from './support/docker.ts'

// Real containers on a shared machine: the limits only catch what hangs.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })

const flip = (project: Project): boolean => {
  const off = project.env().includes('ENABLED=true')
  project.writeEnv(project.env().replace(/ENABLED=\w+/, `ENABLED=${!off}`))
  return off
}

describe.skipIf(missing !== undefined)(`compose under fire${missing ? ` (${missing})` : ''}`, () => {
  const projects: Project[] = []
  async function running(env = 'APPROVAL_WORKFLOW_ENABLED=true\n'): Promise<Project> {
    const project = await composeProject({ env })
    projects.push(project)
    await project.up()
    return project
  }
  beforeAll(engine)
  afterEach(() => {
    for (const project of projects.splice(0)) project.remove()
  })

  test('a recreate that is killed at any moment is finished by the next one, with no container left over', async () => {
    const project = await running()
    const runtime = await runtimeOf(project)
    // The moments of a recreate, as the engine tells them.
    for (const moment of ['kill', 'die', 'rename', 'create', 'start', 'destroy']) {
      let hit = false
      // At the last moments compose may have ended before somebody who is slow gets to kill it: then once more.
      for (let tries = 0; !hit && tries < 10; tries++) {
        const off = flip(project)
        hit = await killedAt(project, runtime.commands()[0]!, moment)
        const left = project.containers().join(', ')
        await runtime.applyConfig()
        await runtime.verifyEffective(off ? GATE_OFF : GATE_ON)
        expect(project.containers(), `${moment}: ${left}`).toEqual([`${project.name}_server_1 running`])
      }
      expect(hit, `${moment} was reached`).toBe(true)
    }
  })

  test('an operator who recreates by hand at the same time costs a retry, not the server', async () => {
    const project = await running()
    const runtime = await runtimeOf(project)
    const off = flip(project)
    const words = ['-p', project.name, 'up', '-d', '--force-recreate', '--no-build', 'server']
    const byHand = spawn('docker-compose', words, { cwd: project.folder, env: dockerEnv(), stdio: 'ignore' })
    const ended = new Promise((resolve) => byHand.on('exit', resolve))
    await Promise.all([runtime.applyConfig(), ended])
    await runtime.applyConfig()
    await runtime.verifyEffective(off ? GATE_OFF : GATE_ON)
    expect(project.containers()).toEqual([`${project.name}_server_1 running`])
  })

  test('a stopped container is started by the change, and is stopped again when that is taken back', async () => {
    const project = await running()
    project.compose('stop', 'server')
    const runtime = await runtimeOf(project)
    expect(runtime.describe().en).toContain('does not run (exited)')
    expect(await runtime.observe()).toMatchObject({ running: false, health: undefined, drift: [] })
    const folder = mkdtempSync(join(tmpdir(), 'approval-snapshot-'))
    await runtime.snapshot(folder)
    flip(project)
    await runtime.applyConfig()
    await runtime.verifyEffective(GATE_OFF)
    flip(project)
    await runtime.restore(folder)
    await runtime.verifyEffective(GATE_ON)
    expect(project.containers()).toEqual([`${project.name}_server_1 exited`])
    rmSync(folder, { recursive: true })
  })

  test('a container that is paused, doubled or gone is refused, with what to type', async () => {
    const project = await running()
    const runtime = await runtimeOf(project)
    docker('pause', `${project.name}_server_1`)
    await expect(runtime.observe()).rejects.toThrow(`docker unpause ${project.name}_server_1`)
    docker('unpause', `${project.name}_server_1`)
    project.writeEnv(project.env().replace(/PORT=\d+/, 'PORT=0'))
    project.compose('up', '-d', '--no-build', '--scale', 'server=2')
    await expect(runtimeOf(project)).rejects.toThrow(/server_1 \(running\), \S+server_2 \(running\)/)
    project.compose('down')
    await expect(runtime.observe()).rejects.toThrow('has no container for server')
  })
})

describe.skipIf(missing !== undefined)(`an engine that cannot be asked${missing ? ` (${missing})` : ''}`, () => {
  const { PATH, DOCKER_HOST } = process.env
  const nowhere = { envFile: '/nowhere/.env' }
  const listener = createServer(() => {})
  const refusal = async (): Promise<string> => {
    const began = performance.now()
    const detecting = composeRuntimeKind(composeDeps(nowhere)).detect()
    const message = await detecting.then(
      () => 'no refusal',
      (error: Error) => `${error.name}: ${error.message}`,
    )
    // 4 s of its own; a busy machine may take its time to start a program.
    expect(performance.now() - began).toBeLessThan(60_000)
    return message
  }
  afterEach(() => {
    process.env.PATH = PATH
    if (DOCKER_HOST === undefined) delete process.env.DOCKER_HOST
    else process.env.DOCKER_HOST = DOCKER_HOST
  })
  afterAll(() => listener.close())

  test('is a hint of its own: no docker command', async () => {
    process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock'
    process.env.PATH = '/nowhere'
    expect(await refusal()).toMatch(/^Refusal: there is no docker command\. .*command -v docker$/)
  })

  test('is a hint of its own: no engine behind the socket', async () => {
    process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock'
    expect(await refusal()).toMatch(/^Refusal: no Docker engine is running .*systemctl start docker$/)
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1'
    expect(await refusal()).toMatch(/^Refusal: no Docker engine is running/)
  })

  test('is a hint of its own: an engine that takes the call and never answers', async () => {
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const address = listener.address() as { port: number }
    process.env.DOCKER_HOST = `tcp://127.0.0.1:${address.port}`
    expect(await refusal()).toMatch(/^Refusal: the Docker engine does not answer within 4 s/)
  })

  test('is nothing to speak of where there has never been one', async () => {
    delete process.env.DOCKER_HOST
    const system = { ...composeDeps(nowhere).system, stat: async () => null }
    expect(await composeRuntimeKind(composeDeps(nowhere, { system })).detect()).toBeUndefined()
  })
})

/** Runs compose and kills it when the engine has done this to a container of the project. False: it never happened. */
async function killedAt(project: Project, words: readonly string[], moment: string): Promise<boolean> {
  let hit = false
  const stop = await onEvent(project.name, moment, () => {
    hit = compose.kill('SIGKILL')
  })
  const [program = '', ...args] = words
  const compose = spawn(program, args, { cwd: '/', env: dockerEnv(), stdio: 'ignore' })
  await once(compose, 'exit')
  stop()
  return hit
}
