import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './server.ts'

const ENV = { PATH: process.env.PATH ?? '', HOME: '/nowhere' }
/** docker-compose 1.x is a Python program and brings this along. */
const YAML_TO_JSON = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin.buffer), sys.stdout)'

/** Whether the oracle is there; `.ci/run` installs it. */
export const hasCompose = (): boolean => spawnSync('docker-compose', ['version'], { env: ENV }).status === 0

/** What `docker-compose config` makes of each of these `.env` files, all asked in one run. */
export function composeReads(files: readonly (string | Uint8Array)[]): Record<string, string | null>[] {
  const dir = temporaryFolder()
  try {
    const services = files.map((content, i) => {
      mkdirSync(join(dir.path, 'files'), { recursive: true })
      writeFileSync(join(dir.path, 'files', `${i}.env`), content)
      return [`s${i}`, { image: 'none', env_file: `files/${i}.env` }]
    })
    // JSON is YAML.
    writeFileSync(
      join(dir.path, 'docker-compose.yml'),
      JSON.stringify({ version: '3.8', services: Object.fromEntries(services) }),
    )
    const yaml = run('docker-compose', ['config'], dir.path)
    const read = JSON.parse(run('/usr/bin/python3', ['-c', YAML_TO_JSON], dir.path, yaml))
    return files.map((_, i) => {
      const given: Record<string, string | null> = read.services[`s${i}`].environment ?? {}
      return Object.fromEntries(
        Object.entries(given).map(([key, value]) => [key, value?.replaceAll('$$', '$') ?? null]),
      )
    })
  } finally {
    dir.remove()
  }
}

function run(program: string, args: string[], cwd: string, input?: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: ENV,
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}
