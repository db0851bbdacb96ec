import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkDocker } from '../src/jobs/check-docker.ts'
import { wireContainers } from '../src/server-container.ts'
import { realSystem } from '../src/system/real.ts'
import { composeProject, type Project } from './support/compose-project.ts'
import { docker, engine, missing } from './support/docker.ts'
import { until } from './support/server.ts'

vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 })

const DAY = 86_400_000
const LIMIT = 120_000
const ERRORS = 12
/** What a server prints that is in trouble: errors of one kind a little apart, between lines that are none. */
const FAULT = `
for (let n = 0; n < ${ERRORS}; n++) {
  console.log('INFO: request', n, 'is no error')
  console.error('FATAL: sandbox', n, 'is gone, token=hunter2hunter2')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15)
}
console.error('INFO: next')
console.error('Traceback (most recent call last):\\n  File "a.py", line 1, in f\\nValueError: no such tool')
console.log('DONE')
`
const containersAt = (envFile: string, dockerHost = process.env.DOCKER_HOST) =>
  wireContainers({ system: realSystem, envFile, dockerHost, signal: new AbortController().signal })

describe.skipIf(missing !== undefined)(`the logs of the container${missing ? ` (${missing})` : ''}`, () => {
  let project: Project
  let now: number
  beforeAll(async () => {
    await engine()
    project = await composeProject({ fault: FAULT })
    await project.up()
    await until('the errors are logged', async () => docker('logs', `${project.name}_server_1`).includes('DONE'))
    now = Date.now()
  })
  afterAll(() => project?.remove())

  const look = (from: number, to: number) => checkDocker(containersAt(project.envFile), { from, to }, LIMIT)

  test('are read for errors, and it says from when on they can be', async () => {
    const { finding, rows } = await look(now - DAY, now)
    const born = Date.parse(project.inspect().Created)
    expect(finding).toMatchObject({
      ...{ check: 'docker', state: 'warning', code: 'some_recreated' },
      facts: { events: ERRORS + 1, kinds: 2, begins_at: new Date(born).toISOString(), seen_ms: now - born },
      next_command: expect.stringMatching(/^docker logs --timestamps --since \S+Z \w+_server_1$/),
    })
    const sample = expect.stringMatching(/^FATAL: sandbox \d+ is gone, token=(?!hunter2)/)
    // Whether it is new cannot be known: the container is younger than a week.
    expect(rows.groups).toMatchObject([
      { count: ERRORS, sample, is_new: null },
      { count: 1, sample: 'ValueError: no such tool' },
    ])
  })

  test('fall into one scan each, wherever the last one ended', async () => {
    const { rows } = await look(now - DAY, now)
    const [first, last] = [rows.groups[0]!.first_at!, rows.groups[0]!.last_at!].map(Date.parse) as [number, number]
    for (const share of [0, 0.2, 0.5, 0.77, 1]) {
      const middle = Math.round(first + (last - first) * share)
      const counts = await Promise.all([look(now - DAY, middle), look(middle, now)])
      expect(counts.reduce((sum, { finding }) => sum + Number(finding.facts.events), 0)).toBe(ERRORS + 1)
    }
    // Nothing of the past is new, and nothing is there before the first.
    expect((await look(now - DAY, first)).finding.code).toBe('none_recreated')
  })

  test('that do not arrive in time cannot be measured, which is not the same as no errors', async () => {
    const server = (await containersAt(project.envFile).server())!
    const { PATH } = process.env
    const folder = mkdtempSync(join(tmpdir(), 'slow-engine-'))
    writeFileSync(join(folder, 'docker'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
    process.env.PATH = `${folder}:${PATH}`
    try {
      const { finding } = await checkDocker({ server: async () => server }, { from: now - DAY, to: now }, 500)
      expect([finding.state, finding.facts.events]).toEqual(['unknown', 0])
    } finally {
      process.env.PATH = PATH
      rmSync(folder, { recursive: true })
    }
  })

  test("are nobody else's: without a container of ours there is nothing to read", async () => {
    const id = project.inspect().Id
    project.compose('rm', '--stop', '--force', 'server')
    const others = () => docker('ps', '--all', '--quiet', '--no-trunc', '--filter', 'label=approval-ops.image')
    const before = others()
    expect(before).not.toContain(id)
    const { finding } = await look(now - DAY, now)
    // Other tests of this run may have their own servers on this engine, or make one just now.
    if (before === '' && others() === '') expect(finding.state).toBe('not_configured')
  })
})

describe('an engine that cannot be asked is unknown, never fine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'no-engine-'))
  const before = { path: process.env.PATH, host: process.env.DOCKER_HOST }
  afterAll(() => rmSync(folder, { recursive: true }))
  afterEach(() => {
    process.env.PATH = before.path
    if (before.host === undefined) delete process.env.DOCKER_HOST
    else process.env.DOCKER_HOST = before.host
  })
  const look = async (host: string) => {
    process.env.DOCKER_HOST = host
    const { finding } = await checkDocker(containersAt(join(folder, '.env'), host), { from: 0, to: 1 }, LIMIT)
    return [finding.state, finding.code]
  }

  test('without the docker command', async () => {
    process.env.PATH = folder
    expect(await look(`unix://${folder}/docker.sock`)).toEqual(['unknown', 'no_program'])
  })

  test.skipIf(missing !== undefined)('while it is down', async () => {
    expect(await look(`unix://${folder}/docker.sock`)).toEqual(['unknown', 'down'])
  })

  test.skipIf(missing !== undefined)('while it hangs', async () => {
    const silent = createServer(() => {}).listen(join(folder, 'silent.sock'))
    await once(silent, 'listening')
    expect(await look(`unix://${folder}/silent.sock`)).toEqual(['unknown', 'hangs'])
    silent.close()
  })
})
