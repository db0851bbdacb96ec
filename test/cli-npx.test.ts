import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { PROGRAM } from './support/cli.ts'

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const cache = mkdtempSync(join(tmpdir(), 'approval-npx-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

test('npx approval works in the repository without asking anything and without a registry', () => {
  const env = { ...process.env, npm_config_cache: cache, npm_config_registry: 'http://127.0.0.1:9' }
  const npx = (word: string) => spawnSync('npx', ['approval', word], { cwd: ROOT, env, encoding: 'utf8', input: '' })
  expect(npx('--version')).toMatchObject({ status: 0, stdout: `${version}\n` })
  expect(npx('lst')).toMatchObject({ status: 64 })
})

test('the program works by its absolute path from any directory', () => {
  expect(spawnSync(PROGRAM, ['--version'], { cwd: cache, encoding: 'utf8' })).toMatchObject({ stdout: `${version}\n` })
})
