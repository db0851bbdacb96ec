import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from './support/cli.ts'
import { type RunningServer, startServer, temporaryFolder, until, writeEnv } from './support/server.ts'

const dir = temporaryFolder()
const path = join(dir.path, 'policy.json')
const OLD = `{
  "tools": {
    "execute_python": "CRITICAL",
    "read_file": "MEDIUM",
    "read_*": "LOW"
  },
  "servers": {
    "files*": { "tools": { "read_file": "HIGH" } }
  }
}`
let server: RunningServer
const policyOf = async () => (await server.call('GET', '/health')).json.policy
const explain = async (query: string, as = 'dev_user') =>
  (await server.call('GET', `/api/policy/explain?${query}`, undefined, as)).json

beforeAll(async () => {
  writeFileSync(path, OLD)
  writeEnv(dir.path, '')
  server = await startServer(dir.path, { POLICY_PATH: path })
  for (let n = 0; n < 3; n++) await server.ask(`print(${n})`)
  const drill = { tool_name: 'ops-canary', server: 'ops-canary', arguments: {} }
  await server.call('POST', '/api/approvals', drill, 'dev_user')
})
afterAll(async () => {
  await server?.kill('SIGTERM')
  dir.remove()
})

describe('the policy in force', () => {
  test('is explained: which rule decides, on which line, and which come after it', async () => {
    expect(await explain('tool=read_file&server=files1')).toEqual({
      ...{ server: 'files1', tool: 'read_file', level: 'HIGH', needs_approval: true },
      decided_by: { rule: 'files* / read_file', level: 'HIGH', line: 8 },
      also_fit: [
        { rule: 'read_file', level: 'MEDIUM', line: 4 },
        { rule: 'read_*', level: 'LOW', line: 5 },
      ],
    })
    expect(await explain('tool=Read_file')).toMatchObject({ level: 'HIGH', decided_by: null, also_fit: [] })
  })

  test('stays in force when an edit is wrong, and /health says what is wrong on which line', async () => {
    writeFileSync(path, OLD.replace('"LOW"', '"low"'))
    server.child.kill('SIGHUP')
    await until('it is said', async () => (await policyOf()).error !== null)
    expect((await policyOf()).error).toMatch(/policy\.json:5: tools\.read_\*: /)
    expect((await explain('tool=read_x')).level).toBe('LOW')
    writeFileSync(path, OLD)
    server.child.kill('SIGHUP')
    await until('it is right again', async () => (await policyOf()).error === null)
  })
})

describe('the forecast', () => {
  const next = JSON.stringify({ tools: { execute_python: 'LOW', read_file: 'HIGH' } })
  const forecast = (policy: string, as?: string) =>
    server.call('POST', '/api/policy/forecast', { policy, weeks: 4 }, as)

  test('counts recorded calls, bypassed ones too, leaves drills out, and does not guess what was not recorded', async () => {
    writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=false\n')
    server.child.kill('SIGHUP')
    const gateOff = async () => !(await server.call('GET', '/health')).json.gate.effective
    await until('the gate is off', gateOff)
    await server.ask('print("bypassed")')
    const { status, json } = await forecast(next)
    expect(status).toBe(200)
    expect(json).toMatchObject({ days: 1, before: 4, after: 0 })
    expect(json.tools).toEqual([
      { server: '', tool: 'execute_python', calls: 4, from: 'CRITICAL', to: 'LOW', before: 4, after: 0 },
    ])
    expect(json.unknown).toEqual([{ server: '', tool: 'read_file', from: 'MEDIUM', to: 'HIGH' }])
  })

  test('is for those who decide, and refuses a wrong file with its lines', async () => {
    expect((await forecast(next, 'dev_user')).status).toBe(403)
    const wrong = await forecast('{\n"tools": {\n"a": "x"}}')
    expect(wrong.status).toBe(422)
    expect(wrong.json.problems).toEqual([expect.stringMatching(/^policy:3: tools\.a: /)])
  })

  test('and the explanation are printed in both languages', async () => {
    const file = join(dir.path, 'next.json')
    writeFileSync(file, next)
    const env = { ...server.env, APPROVAL_URL: server.url }
    const english = await cli(env, 'policy', 'forecast', file)
    expect(english.code).toBe(0)
    expect(english.stdout).toMatch(/execute_python +CRITICAL -> LOW +4 +4\.0 +0\.0/)
    expect(english.stdout).toContain('cost UNKNOWN')
    expect(english.stdout).toContain('(less than a day, counted as one), drills left out.')
    const short = await cli({ ...env, OPS_LANG: 'ko' }, 'policy', 'forecast', file)
    expect(short.stdout).toContain('(하루가 안 되어 하루로 셈), 모의 승인 제외.')
    const korean = await cli({ ...env, OPS_LANG: 'ko' }, 'policy', 'explain', 'read_file', '--server', 'files1')
    expect(korean.stdout).toContain('적용된 규칙: files* / read_file (8행)')
    expect(readFileSync(path, 'utf8')).toBe(OLD)
  })
})
