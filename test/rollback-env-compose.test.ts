import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Ran } from './support/captured.ts'
import { composeProject, type Project, type ProjectOptions } from './support/compose-project.ts'
import { engine, missing } from './support/docker.ts'
import { compareIn, killedAt, rollbackEnv } from './support/rollback-env.ts'
import { until } from './support/server.ts'

/** Believes a container after a second. */
const SOON = { answers: 3, overMs: 1_000, everyMs: 50, withinMs: 30_000 }
const REASON = ['--yes', '--reason', 'the settings do not match']

const rollback = (project: Project, ...args: string[]): Promise<Ran> =>
  rollbackEnv(project.folder, ['--runtime', 'compose', ...args], { seams: { stability: SOON } })

const projects: Project[] = []
async function made(options: ProjectOptions = {}): Promise<Project> {
  const project = await composeProject(options)
  projects.push(project)
  return project
}
async function running(options: ProjectOptions = {}): Promise<Project> {
  const project = await made(options)
  await project.up()
  return project
}
afterEach(() => {
  for (const project of projects.splice(0)) project.remove()
})

const given = (project: Project): string[] => [...project.inspect().Config.Env].sort()
const title = (text: string): string => (missing === undefined ? text : `${text} (${missing})`)

describe.skipIf(missing !== undefined)(title('rollback-env of a server in a container'), () => {
  beforeAll(engine, 900_000)

  test('one recreate brings every line of .env into the container; undo brings back what it was given', async () => {
    const project = await running({ env: 'APPROVAL_TIMEOUT=300\nGRAFANA_PASSWORD=hunter2\n' })
    const [first, was] = [project.inspect().Id, given(project)]
    expect((await compareIn(project.folder)).stdout).toContain('Inside the container the port is always 8020')
    const edited = `${project.env().replace('300', '"60"  # 1분').replace('hunter2', 'hunter3')}APPROVAL_HOLD=40\n`
    project.writeEnv(edited)
    // A restart does not help, and the table says why.
    project.compose('restart', '--timeout', '1', 'server')
    await until('the server answers again', async () => (await project.health())?.status === 'ok')
    const compared = await compareIn(project.folder)
    expect([compared.code, compared.stderr]).toEqual([1, expect.stringContaining('npm run rollback-env -- --dry-run')])
    const text = compared.stdout.replace(/\s+/g, ' ')
    expect(text).toMatch(/APPROVAL_TIMEOUT 60 60 300/)
    expect(text).toContain('APPROVAL_TIMEOUT: .env 60, in effect 300. The container is older than the edit')
    expect(text).toContain('GRAFANA_PASSWORD')
    expect(text).not.toContain('hunter')

    const { mtimeMs } = statSync(project.envFile)
    const dry = await rollback(project, '--dry-run')
    expect(dry.code, dry.stderr).toBe(0)
    expect(dry.stdout.replace(/\s+/g, ' ')).toMatch(/ up .*--no-deps --no-build server/)
    expect([project.inspect().Id, given(project)]).toEqual([first, was])

    const done = await rollback(project, ...REASON)
    expect(done.code, done.stderr).toBe(0)
    expect(`${done.stdout}${done.stderr}`).not.toContain('hunter')
    const second = project.inspect().Id
    expect(second).not.toBe(first)
    expect([project.inside('APPROVAL_TIMEOUT'), project.inside('APPROVAL_HOLD')]).toEqual(['60', '40'])
    expect(project.inside('GRAFANA_PASSWORD')).toBe('hunter3')
    expect((await project.health()).config.effective).toMatchObject({ APPROVAL_TIMEOUT: '60', APPROVAL_HOLD: '40' })
    expect([project.env(), statSync(project.envFile).mtimeMs]).toEqual([edited, mtimeMs])

    const again = await rollback(project, ...REASON)
    expect([again.code, project.inspect().Id]).toEqual([0, second])

    const undone = await rollback(project, 'undo', ...REASON)
    expect(undone.code, undone.stderr).toBe(0)
    expect([given(project), project.env()]).toEqual([was, edited])
    expect((await project.health()).config.effective).toMatchObject({ APPROVAL_TIMEOUT: '300', APPROVAL_HOLD: '50' })
    expect(project.containers()).toEqual([expect.stringContaining('running')])

    for (const id of readdirSync(join(project.folder, 'rollbacks')).filter((name) => /^\d{8}T/.test(name))) {
      for (const name of ['plan.json', 'journal.jsonl', 'result.json']) {
        expect(readFileSync(join(project.folder, 'rollbacks', id, name), 'utf8'), name).not.toContain('hunter')
      }
    }
  }, 900_000)

  test('a server that does not survive the new value is brought back with the old one: exit 1', async () => {
    const fault = "if (process.env.APPROVAL_TIMEOUT === '61') { console.error('cannot go on'); process.exit(70) }"
    const project = await running({ env: 'APPROVAL_TIMEOUT=60\n', fault })
    const was = given(project)
    const edited = project.env().replace('=60', '=61')
    project.writeEnv(edited)
    const { code, stderr } = await rollback(project, ...REASON)
    expect(code, stderr).toBe(1)
    expect([given(project), project.env()]).toEqual([was, edited])
    expect((await project.health()).config.effective.APPROVAL_TIMEOUT).toBe('60')
  }, 900_000)

  test('killed on the way there and on the way back, and resumed: all of it, then what was, and the same bytes', async () => {
    const project = await running({ env: 'APPROVAL_TIMEOUT=60\n' })
    const was = given(project)
    const edited = project.env().replace('=60', '=61')
    project.writeEnv(edited)
    const kill = async (moment: string, ...args: string[]): Promise<void> => {
      const { ended, text } = await killedAt(project.folder, moment, ['--runtime', 'compose', ...args])
      expect(ended, text).toBe('SIGKILL')
      const resumed = await rollback(project, 'resume', ...REASON)
      expect(resumed.code, resumed.stderr).toBe(0)
      expect(project.env(), moment).toBe(edited)
      expect(project.containers()).toEqual([expect.stringContaining('running')])
    }
    await kill('moment take-over taken over')
    expect((await project.health()).config.effective.APPROVAL_TIMEOUT).toBe('61')
    await kill('moment take-over earlier values written', 'undo')
    expect((await project.health()).config.effective.APPROVAL_TIMEOUT).toBe('60')
    expect(given(project)).toEqual(was)
  }, 900_000)

  test('what the compose file sets itself never follows .env: said, and refused', async () => {
    const project = await made({ env: 'RATE_LIMIT_ENABLED=true\n' })
    const path = join(project.folder, 'docker-compose.yml')
    const file = JSON.parse(readFileSync(path, 'utf8'))
    file.services.server.environment.APPROVAL_HOLD = '${HOLD:-30}'
    writeFileSync(path, JSON.stringify(file))
    await project.up()
    project.writeEnv(`${project.env()}APPROVAL_HOLD=40\n`)
    const compared = await compareIn(project.folder)
    expect(compared.code).toBe(1)
    expect(compared.stdout.replace(/\s+/g, ' ')).toContain('sets 30, so .env does not count')
    const refused = await rollback(project, ...REASON)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('APPROVAL_HOLD')])
    // Through the variable that the compose file asks for it does, and the plan shows what would be less safe, too.
    project.writeEnv(`${project.env().replace('APPROVAL_HOLD=40', 'HOLD=40')}RBAC_ENABLED=false\n`)
    const weak = await rollback(project, ...REASON)
    expect([weak.code, weak.stderr]).toEqual([2, expect.stringContaining('--accept RBAC_ENABLED')])
    const done = await rollback(project, ...REASON, '--accept', 'RBAC_ENABLED')
    expect(done.code, done.stderr).toBe(0)
    expect((await project.health()).config.effective).toMatchObject({ APPROVAL_HOLD: '40', RBAC_ENABLED: 'false' })
  }, 900_000)
})
