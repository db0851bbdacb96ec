import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MOST_ENTRIES, MOST_READ } from '../src/tools/files.ts'
import { temporaryFolder } from './support/server.ts'
import { startTools, type Tools } from './support/tools.ts'

describe('files of the workspace', () => {
  const { path: dir, remove } = temporaryFolder()
  const workspace = join(dir, 'workspace')
  let tools: Tools
  beforeAll(async () => {
    tools = await startTools(workspace)
  })
  afterAll(async () => {
    await tools.close()
    remove()
  })
  const read = (path: string, offset = 0) => tools.call('read_file', { path, offset })
  const write = (args: object) => tools.call('write_file', args)

  test('text comes as text, other bytes as base64, and both are said', async () => {
    await write({ path: 'a.txt', content: '가나다' })
    expect((await read('a.txt')).facts).toEqual({ encoding: 'utf8', content: '가나다', bytes: 9, next_offset: null })
    await write({ path: 'deep/er/b.bin', content: '/wA=', encoding: 'base64' })
    expect(readFileSync(join(workspace, 'deep/er/b.bin'))).toEqual(Buffer.from([0xff, 0]))
    const binary = await read('deep/er/b.bin')
    expect(binary.facts).toEqual({ encoding: 'base64', content: '/wA=', bytes: 2, next_offset: null })
    expect(binary.text).toBe('/wA=\nencoding: base64')
  })

  test('a shorter content leaves nothing of the longer one', async () => {
    await write({ path: 'c.txt', content: 'a long line' })
    await write({ path: 'c.txt', content: 'short' })
    expect((await read('c.txt')).text).toBe('short')
    await write({ path: 'c.txt', content: '' })
    expect((await read('c.txt')).facts).toMatchObject({ content: '', bytes: 0, next_offset: null })
  })

  test('a large file is read part by part, cut at characters, and the parts are the file', async () => {
    const whole = '가나다라 '.repeat(50_000)
    writeFileSync(join(workspace, 'large.txt'), whole)
    let text = ''
    let offset: number | null = 0
    let parts = 0
    while (offset !== null) {
      const { facts } = await read('large.txt', offset)
      expect(facts.encoding).toBe('utf8')
      expect(Buffer.byteLength(facts.content)).toBeLessThanOrEqual(MOST_READ)
      text += facts.content
      offset = facts.next_offset
      parts++
    }
    expect(parts).toBe(Math.ceil(Buffer.byteLength(whole) / MOST_READ))
    expect(text === whole).toBe(true)
    expect((await read('large.txt')).text).toMatch(/cut: 650000 bytes in all; read on with offset 26214\d$/)
    expect((await read('large.txt', 10 ** 9)).facts).toMatchObject({ content: '', next_offset: null })
  })

  test('what is no base64, or too large, writes nothing', async () => {
    for (const content of ['not base64!', 'YQ', 'YQ==YQ==']) {
      expect((await write({ path: 'd.bin', content, encoding: 'base64' })).isError, content).toBe(true)
    }
    expect((await write({ path: 'd.bin', content: 'a'.repeat(1_000_001) })).isError).toBe(true)
    expect((await read('d.bin')).text).toBe('"d.bin": there is no such file or folder')
  })

  test('a folder with many entries is listed in part, and that is said', async () => {
    mkdirSync(join(workspace, 'many'))
    for (let n = 0; n < MOST_ENTRIES; n++) writeFileSync(join(workspace, 'many', `${n}`), '')
    expect((await tools.call('list_files', { path: 'many' })).facts).toMatchObject({ cut: false })
    writeFileSync(join(workspace, 'many/one-more'), '')
    const { facts, text } = await tools.call('list_files', { path: 'many' })
    expect(facts.cut).toBe(true)
    expect(facts.entries).toHaveLength(MOST_ENTRIES)
    expect(text).toContain(`cut: only ${MOST_ENTRIES} entries are here`)
  })

  test('the workspace may be named as programs in the sandbox see it', async () => {
    expect((await read('/workspace/a.txt')).text).toBe('가나다')
    expect((await read('./deep//er/./b.bin')).facts.bytes).toBe(2)
    expect((await tools.call('list_files', { path: '/workspace' })).isError).toBe(false)
    expect((await read('/workspaces/a.txt')).isError).toBe(true)
  })
})
