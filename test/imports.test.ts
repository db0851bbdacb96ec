import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'

/** What the files of a room may import from this project (its own room is always allowed). */
const ROOMS: Record<string, readonly string[]> = {
  'src/approval': [],
  'src/report': ['src/approval'],
  'src/backup': ['src/report'],
  'src/jobs': [
    'src/approval',
    'src/backup',
    'src/report',
    'src/queries',
    'src/sql',
    'src/config',
    'src/schedule/table',
  ],
  'src/http': ['src/approval'],
  'src/gateway': ['src/approval', 'src/patient-fetch'],
  'src/tools': ['src/system/tail'],
  'src/store': ['src/approval', 'src/backup/manifest', 'src/queries', 'src/sql'],
  'src/schedule': ['src/report', 'src/sql', 'src/exit-codes'],
  'src/rollback': ['src/report', 'src/env-file'],
  'src/system': [],
  'src/cli': ['src/approval', 'src/report', 'src/config', 'src/credentials', 'src/exit-codes', 'src/patient-fetch'],
}

/** What it may know by its types alone: interfaces that somebody else fills in. */
const TYPES: Record<string, readonly string[]> = {
  'src/report': ['src/sql'],
  'src/jobs': ['src/system/system', 'src/schedule/ledger'],
  'src/rollback': ['src/system/system'],
  'src/backup': ['src/system/system'],
  'src/store': ['src/schedule/ledger', 'src/system/system'],
  'src/schedule': ['src/system/system'],
}

/** Packages and built-ins that a room must not touch. */
const FORBIDDEN: Record<string, RegExp> = {
  'src/approval': /^node:(?!crypto$)|^(zx|better-sqlite3|hono|@hono\/node-server|pino)/,
  'src/report': /^node:(?!util$)|^(zx|better-sqlite3|hono|pino)/,
  'src/jobs': /^(zx|better-sqlite3|hono|node:(fs|net|http|child_process|process))/,
  'src/rollback': /^(zx|better-sqlite3|hono|node:(fs|net|http|child_process|process|os))/,
  'src/backup': /^(zx|better-sqlite3|hono|node:(?!path$))/,
  'src/http': /^(zx|better-sqlite3|node:(fs|net|child_process))/,
  'src/gateway': /^(zx|better-sqlite3|hono|@hono|node:(fs|net|http))/,
  'src/tools': /^(zx|better-sqlite3|hono|@hono)/,
  'src/store': /^(zx|hono)/,
  'src/schedule': /^(zx|better-sqlite3|hono)/,
  'src/cli': /^(zx|better-sqlite3|hono)/,
}

const MAINS = ['src/server', 'src/scheduler', 'src/archiver', 'src/tools-server', 'src/cli/main']

const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm),
  ].map((m) => {
    const to = m[2] ?? m[3] ?? m[4] ?? ''
    const resolved = to.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), to)).replace(/\.ts$/, '') : to
    return { from: file, to: resolved, typeOnly: m[1] !== undefined }
  })
}

const all = [...files('src'), ...files('ops')].flatMap(importsOf)
const said = ({ from, to }: Import) => `${from} imports ${to}`

describe('imports point down only', () => {
  for (const [room, allowed] of Object.entries(ROOMS)) {
    test(`${room} knows ${allowed.length > 0 ? allowed.join(', ') : 'nobody'}`, () => {
      const wrong = all
        .filter(({ from }) => from.startsWith(`${room}/`))
        .filter(({ to }) => /^(src|ops)\//.test(to))
        .filter(({ to, typeOnly }) => {
          const places = [room, ...allowed, ...(typeOnly ? (TYPES[room] ?? []) : [])]
          return !places.some((place) => to === place || to.startsWith(`${place}/`))
        })
      expect(wrong.map(said)).toEqual([])
    })
  }

  for (const [room, pattern] of Object.entries(FORBIDDEN)) {
    test(`${room} keeps its hands off what it must not touch`, () => {
      const wrong = all.filter(({ from, to, typeOnly }) => from.startsWith(`${room}/`) && !typeOnly && pattern.test(to))
      expect(wrong.map(said)).toEqual([])
    })
  }

  test('nobody imports a main', () => {
    expect(all.filter(({ to }) => MAINS.includes(to) || to.startsWith('ops/')).map(said)).toEqual([])
  })

  test('no rule and no report reads the clock or rolls dice: time and ids are parameters', () => {
    // A stopwatch (performance.now) tells no time: jobs measure with it how long an answer took.
    const impure = /\bDate\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|process\.(env|argv|cwd|exit)/
    const wrong = [
      ...files('src/approval'),
      ...files('src/report'),
      ...files('src/jobs'),
      ...files('src/rollback'),
      ...files('src/backup'),
      ...files('src/schedule'),
    ].filter((file) => impure.test(readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')))
    expect(wrong).toEqual([])
  })

  test('only mains end the process', () => {
    const ends = /process\.exit\(/
    const mains = [...MAINS.map((main) => `${main}.ts`), ...files('ops')]
    expect(
      files('src').filter((file) => !mains.includes(file) && ends.test(readFileSync(join(ROOT, file), 'utf8'))),
    ).toEqual([])
  })
})
