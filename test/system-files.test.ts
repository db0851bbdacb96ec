import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileSystemOf } from '../src/system/files.ts'
import { realSystem } from '../src/system/real.ts'
import type { Line } from '../src/system/system.ts'

const file = (content: string | Buffer): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'files-')), 'a.log')
  writeFileSync(path, content)
  return path
}
async function linesFrom(path: string, offset: number): Promise<Line[]> {
  const lines: Line[] = []
  for await (const line of (await realSystem.readFrom(path, offset)).lines) lines.push(line)
  return lines
}
const texts = (lines: Line[]): string[] => lines.map((line) => line.text)

describe('facts about files', () => {
  it('are kind, size, inode and permissions, or null when nothing is there', async () => {
    const path = file('12345')
    chmodSync(path, 0o600)
    expect(await realSystem.stat(path)).toMatchObject({ kind: 'file', size: 5, mode: 0o600, inode: statSync(path).ino })
    expect(await realSystem.stat(tmpdir())).toMatchObject({ kind: 'directory' })
    expect(await realSystem.stat(`${path}.no`)).toBeNull()
    expect(await realSystem.stat(`${path}/below`)).toBeNull()
  })

  it('name the file system and say whether it is remote', async () => {
    const facts = await realSystem.statfs(tmpdir())
    expect(facts.total).toBeGreaterThan(facts.free)
    expect(facts.type).not.toBe('')
    expect(fileSystemOf(0x01021997)).toEqual({ type: '9p', remote: true })
    expect(fileSystemOf(0x53464846)).toEqual({ type: 'drvfs', remote: true })
    expect(fileSystemOf(0x6969)).toEqual({ type: 'nfs', remote: true })
    expect(fileSystemOf(0xff534d42 | 0)).toEqual({ type: 'cifs', remote: true })
    expect(fileSystemOf(0xef53)).toEqual({ type: 'ext4', remote: false })
    expect(fileSystemOf(0x123)).toEqual({ type: '0x123', remote: false })
  })

  it('are no reason to read a huge file into memory', async () => {
    expect(await realSystem.readText(file('한글'))).toBe('한글')
    await expect(realSystem.readText(file('123456'), 5)).rejects.toThrow('more than 5')
  })
})

describe('reading a growing log', () => {
  it('continues where the last reading ended, without a hole or a repetition', async () => {
    const path = file('one\ntwo\r\nthr')
    const first = await linesFrom(path, 0)
    expect(texts(first)).toEqual(['one', 'two', 'thr'])
    expect(first.map((line) => line.complete)).toEqual([true, true, false])
    appendFileSync(path, 'ee\n\nfive\n')
    expect(texts(await linesFrom(path, first.at(-1)!.next))).toEqual(['three', '', 'five'])
  })

  it('begins again when the file was truncated, and shows a rotated file by its inode', async () => {
    const path = file('one\ntwo\n')
    expect((await realSystem.readFrom(path, 8)).from).toBe(8)
    truncateSync(path, 0)
    appendFileSync(path, 'new\n')
    const source = await realSystem.readFrom(path, 8)
    expect(source).toMatchObject({ from: 0, inode: statSync(path).ino })
    await expect(realSystem.readFrom(`${path}.no`, 0)).rejects.toThrow('ENOENT')
  })

  it('tolerates bytes that are no text, and a line that is too long for memory', async () => {
    const path = file(
      Buffer.concat([Buffer.from([0xff, 0, 0x41, 10]), Buffer.alloc(3_000_000, 'x'), Buffer.from('\nend\n')]),
    )
    const lines = await linesFrom(path, 0)
    expect(lines[0]!.text).toBe('\ufffd\0A')
    expect(lines[1]!.text).toHaveLength(256 * 1024)
    expect(lines.map((line) => line.cut)).toEqual([false, true, false])
    expect(lines[2]).toMatchObject({ text: 'end', next: 3_000_009 })
  })

  it('finds characters and lines that lie across two pieces of the file', async () => {
    const text = Array.from({ length: 20_000 }, (_, n) => `${n} 한글`)
    expect(texts(await linesFrom(file(`${text.join('\n')}\n`), 0))).toEqual(text)
  })
})

describe('the identity of a process', () => {
  it('is found alive while it runs, and dead once it has ended', async () => {
    const child = spawn('sleep', ['60'], { detached: true })
    const known = (await realSystem.processAt(child.pid!))!
    expect(await realSystem.isAlive(known)).toBe(true)
    expect(await realSystem.isGroupAlive(known)).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await realSystem.isAlive(known)).toBe(false)
    expect(await realSystem.isGroupAlive(known)).toBe(false)
  })

  it('does not mistake another process that got the same id, or one from before a reboot', async () => {
    const self = await realSystem.self()
    expect(await realSystem.isAlive(self)).toBe(true)
    expect(await realSystem.isAlive({ ...self, start: '1' })).toBe(false)
    expect(await realSystem.isAlive({ ...self, boot: 'another' })).toBe(false)
    expect(await realSystem.isGroupAlive({ ...self, start: '1' })).toBe(false)
  })

  it('leaves a process of another machine alone: nothing here can tell', async () => {
    expect(await realSystem.isAlive({ ...(await realSystem.self()), host: 'elsewhere', start: '1' })).toBe(true)
  })

  it('sees the rest of a group whose leader has gone', async () => {
    const script = 'require("child_process").spawn("sleep",["60"]);setInterval(()=>{},1e3)'
    const leader = spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' })
    const known = (await realSystem.processAt(leader.pid!))!
    await expect.poll(() => groupSize(leader.pid!), { timeout: 15_000 }).toBe(2)
    leader.kill('SIGKILL')
    await once(leader, 'close')
    expect(await realSystem.isAlive(known)).toBe(false)
    expect(await realSystem.isGroupAlive(known)).toBe(true)
    process.kill(-leader.pid!, 'SIGKILL')
    await expect.poll(() => realSystem.isGroupAlive(known), { timeout: 15_000 }).toBe(false)
  })
})

function groupSize(pgid: number): number {
  const groups = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[2])
      } catch {
        return 0
      }
    })
  return groups.filter((group) => group === pgid).length
}
