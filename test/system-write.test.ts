import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realSystem } from '../src/system/real.ts'
import { temporaryFolder, until } from './support/server.ts'

let folder: ReturnType<typeof temporaryFolder>
let dir: string
let file: string
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
  file = join(dir, '설정 .env')
})
afterEach(() => folder.remove())

const mode = (path: string) => statSync(path).mode & 0o7777

test('replaces a file and keeps its mode, and gives a new one 0600', async () => {
  writeFileSync(file, 'old')
  chmodSync(file, 0o640)
  await realSystem.replaceFile(file, 'new', { mode: 0o777 })
  expect([readFileSync(file, 'utf8'), mode(file)]).toEqual(['new', 0o640])
  await realSystem.replaceFile(file, 'newer', { mode: 0o604, force: true })
  expect([readFileSync(file, 'utf8'), mode(file)]).toEqual(['newer', 0o604])
  await realSystem.replaceFile(join(dir, 'fresh'), 'x')
  expect(mode(join(dir, 'fresh'))).toBe(0o600)
  expect(readdirSync(dir).sort()).toEqual(['fresh', '설정 .env'])
})

test.runIf(process.getuid?.() === 0)('keeps the owner of a replaced file', async () => {
  writeFileSync(file, 'old')
  chownSync(file, 1234, 2345)
  await realSystem.replaceFile(file, 'new')
  expect(statSync(file)).toMatchObject({ uid: 1234, gid: 2345 })
})

test('follows links, refuses a link to nothing, and replaces no folder', async () => {
  mkdirSync(join(dir, 'elsewhere'))
  writeFileSync(join(dir, 'elsewhere', 'target'), 'old')
  symlinkSync(join(dir, 'elsewhere', 'target'), file)
  await realSystem.replaceFile(file, 'new')
  expect(lstatSync(file).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(dir, 'elsewhere', 'target'), 'utf8')).toBe('new')
  symlinkSync(join(dir, 'nothing'), join(dir, 'dangling'))
  await expect(realSystem.replaceFile(join(dir, 'dangling'), 'x')).rejects.toThrow('link to nothing')
  await expect(realSystem.replaceFile(join(dir, 'elsewhere'), 'x')).rejects.toThrow('not a file')
  expect(existsSync(join(dir, 'nothing'))).toBe(false)
})

test('clears away what a replacement that was cut off has left', async () => {
  writeFileSync(file, 'old')
  writeFileSync(`${file}.approval-ops-new`, 'ha')
  await realSystem.discardUnfinished(file)
  expect(readdirSync(dir)).toEqual(['설정 .env'])
  await realSystem.discardUnfinished(join(dir, 'never'))
})

test('a line that a crash cut off does not swallow the next one', async () => {
  const journal = join(dir, 'journal')
  await realSystem.appendLine(journal, 'one')
  writeFileSync(journal, 'one\ntw')
  await realSystem.appendLine(journal, 'three')
  expect(readFileSync(journal, 'utf8')).toBe('one\ntw\nthree\n')
  expect(mode(journal) & 0o077).toBe(0)
})

test('makes folders that only we may read, lists what is there, and removes it', async () => {
  await realSystem.makeFolder(join(dir, 'a', 'b'))
  expect([mode(join(dir, 'a')), mode(join(dir, 'a', 'b'))]).toEqual([0o700, 0o700])
  expect(await realSystem.list(join(dir, 'a'))).toEqual(['b'])
  await realSystem.remove(join(dir, 'a'))
  expect(await realSystem.list(join(dir, 'a'))).toEqual([])
})

test('starts a program that outlives us, with its environment alone, and signals it only while it is the same', async () => {
  const output = join(dir, 'output')
  const program = 'console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)'
  const env = { ONLY: 'this' }
  const pid = await realSystem.startDetached([process.execPath, '-e', program], { cwd: dir, env, outputFile: output })
  await until('it has written', () => readFileSync(output, 'utf8').includes('\n'))
  expect(JSON.parse(readFileSync(output, 'utf8'))).toEqual(env)
  const known = (await realSystem.processAt(pid))!
  expect(await realSystem.signal({ ...known, start: '1' }, 'SIGKILL')).toBe(false)
  expect(await realSystem.signal(known, 'SIGKILL')).toBe(true)
  await until('it is gone', async () => !(await realSystem.isAlive(known)))
  expect(await realSystem.signal(known, 'SIGKILL')).toBe(false)
  const nobody = realSystem.startDetached(['/nowhere/program'], { cwd: dir, env, outputFile: output })
  await expect(nobody).rejects.toThrow('ENOENT')
})
