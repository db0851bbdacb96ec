import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ROOT, RULES } from '../src/config.ts'
import { parseEnv } from '../src/env-file.ts'
import { EXIT } from '../src/exit-codes.ts'
import { displayWidth } from '../src/report/printable.ts'
import { TSX } from './support/server.ts'

const read = (file: string) => readFileSync(`${ROOT}/${file}`, 'utf8')
const readme = read('README.md')
const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts

describe('.env.example', () => {
  const { entries, problems } = parseEnv(read('.env.example'))

  test('names every setting once, with its default, and no other', () => {
    expect(problems).toEqual([])
    const defaults = Object.entries(RULES).map(([key, rule]) => [key, rule.fallback])
    expect(entries.map(({ key, value }) => [key, value]).sort()).toEqual(defaults.sort())
  })

  test('explains each, and marks those that only a start reads', () => {
    const blocks = read('.env.example').split('\n\n').slice(1)
    for (const [key, { fixed }] of Object.entries(RULES)) {
      const block = blocks.find((text) => new RegExp(`^${key}=`, 'm').test(text))
      expect(block, key).toMatch(/^# \S/)
      expect([key, /[Rr]estart/.test(block!)]).toEqual([key, fixed === true])
    }
  })
})

test.each(['ko', 'en'])('every script explains itself in 80 columns (%s)', (lang) => {
  const mains = Object.values(scripts).flatMap(
    (script) => /^(?:exec )?node .* (ops\/\S+|src\/(?:scheduler|server)\.ts)$/.exec(script)?.[1] ?? [],
  )
  expect(mains.length).toBeGreaterThan(10)
  for (const main of mains) {
    const argv = ['--import', TSX, `${ROOT}/${main}`, '--help']
    const help = execFileSync(process.execPath, argv, { encoding: 'utf8', env: { ...process.env, OPS_LANG: lang } })
    expect(
      help.split('\n').filter((line) => displayWidth(line) > 80),
      main,
    ).toEqual([])
  }
})

describe('the README', () => {
  test('names only npm scripts that exist', () => {
    const named = [...readme.matchAll(/npm run (?:-s )?([a-z][\w-]*)/g)].map((match) => match[1]!)
    expect(named.length).toBeGreaterThan(5)
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })

  test("shows hosts' settings that are JSON, with a command of ours that starts anywhere", () => {
    const hosts = readme.slice(readme.indexOf('### Hosts'), readme.indexOf('## When things go wrong'))
    const texts = [/```json\n([^`]+)```/g, /`(\{[^`]+\})`/g].flatMap((pattern) => [...hosts.matchAll(pattern)])
    const entries = texts.map(([, text]) => JSON.parse(text!)).map((json) => (json.mcpServers ?? json.servers).approval)
    expect(entries.length).toBeGreaterThan(2)
    for (const { command, args, url } of entries) {
      if (url) expect(url).toBe('http://127.0.0.1:8020/mcp')
      else {
        const own = args.map((word: string) => word.replace('/srv/approval-ops', ROOT))
        expect(execFileSync(command, [...own, '--help'], { cwd: '/', encoding: 'utf8' })).toContain('approval gateway')
      }
    }
  })

  test('names only files that exist', () => {
    const named = [...readme.matchAll(/\]\(([^)#]+)\)|`((?:src|ops|sql|test)\/[\w./-]*)`/g)].map((m) => m[1] ?? m[2]!)
    for (const file of named) expect(existsSync(`${ROOT}/${file}`), file).toBe(true)
  })

  test('gives each exit code that design and code share', () => {
    for (const code of [
      EXIT.USAGE,
      EXIT.UNREACHABLE,
      EXIT.LOCK_HELD,
      EXIT.NOT_PERMITTED,
      EXIT.BAD_CONFIG,
      EXIT.DEADLINE,
    ]) {
      expect(readme).toContain(String(code))
    }
  })

  test('starts with what it is and the two commands, within a first screen of 50 lines', () => {
    const first = readme.split('\n').slice(0, 50).join('\n')
    expect(first).toMatch(/^# approval-ops\n\nAn approval desk/)
    expect(first).toContain('npm ci && npm start')
    expect(first).toContain('npm ci && npm test')
  })

  test('documents every subcommand of the command line', () => {
    const help = execFileSync(process.execPath, [`${ROOT}/bin/approval.js`, '--help', '--lang', 'en'], {
      encoding: 'utf8',
    })
    const commands = [...help.matchAll(/^ {2}(\w+)(?: \w+)? {2,}/gm)].map((match) => match[1]!)
    expect(commands).toEqual(
      expect.arrayContaining(['request', 'list', 'show', 'approve', 'reject', 'watch', 'users', 'audit']),
    )
    for (const name of commands.filter((c) => c !== 'cancel')) expect(readme).toMatch(new RegExp(`\\b${name}\\b`))
  })
})

describe('--help', () => {
  const mains = [
    ...readdirSync(`${ROOT}/ops`).map((file) => `ops/${file}`),
    'src/server.ts',
    'src/scheduler.ts',
    'bin/approval.js',
  ]

  test.each(mains)('of %s prints usage and exits 0, from any folder and without a configuration', (main) => {
    const args = ['--import', TSX, `${ROOT}/${main}`, '--help']
    const text = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: '/', env: { PATH: process.env.PATH } })
    expect(text).toMatch(/Usage|사용법/)
  })

  test.each(mains)('an unknown option of %s is 64', (main) => {
    const run = () =>
      execFileSync(process.execPath, ['--import', TSX, `${ROOT}/${main}`, '--no-such-option'], { stdio: 'pipe' })
    expect(run).toThrow(expect.objectContaining({ status: EXIT.USAGE }))
  })
})

test('every change is under a heading of the changelog, and no registry host is named anywhere', () => {
  expect(read('CHANGELOG.md')).toMatch(/^# Changelog[\s\S]*^## Unreleased$/m)
  const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean)
  for (const file of tracked.filter((name) => !name.startsWith('test/'))) {
    expect(read(file), file).not.toMatch(/registry\.npm|deb\.debian|npmjs\.(org|com)/)
  }
})
