import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unstamped } from '../src/jobs/check-docker.ts'
import { LogScanner, scanLog } from '../src/jobs/error-log.ts'
import { Blocks } from '../src/jobs/error-log-blocks.ts'
import { fingerprint, Groups } from '../src/jobs/error-log-groups.ts'
import { readLine } from '../src/jobs/error-log-lines.ts'
import { realSystem } from '../src/system/real.ts'
import { corpus, score } from './error-log-corpus.ts'

const NINE = Date.parse('2026-11-22T00:00:00Z')
const HOUR = 3_600_000
const DAY = { from: NINE - 24 * HOUR, to: NINE }
const ALWAYS = { from: 0, to: Number.MAX_SAFE_INTEGER }

const pino = (level: number, at: number, msg: string): string =>
  JSON.stringify({ level, time: at, pid: 1, hostname: 'desk', msg })

function scan(lines: readonly string[], window = ALWAYS) {
  const scanner = new LogScanner(window)
  for (const line of lines) scanner.push(line)
  return scanner.end()
}

describe('on the labelled corpus', () => {
  const lines = corpus()

  it('has at least 200 lines', () => {
    expect(lines.length).toBeGreaterThanOrEqual(200)
  })

  it('reports each error once: precision at least 0.95, recall at least 0.98', () => {
    const blocks = new Blocks()
    const found: number[] = []
    // The place in the corpus stands in for the time, which tells where an event began.
    lines.forEach(({ text }, index) => {
      const event = blocks.push({ ...readLine(text), at: index })
      if (event) found.push(event.at!)
    })
    const last = blocks.end()
    if (last) found.push(last.at!)
    const { precision, recall, wrong, missed } = score(lines, found)
    expect(precision, `wrong: ${wrong.join('\n')}`).toBeGreaterThanOrEqual(0.95)
    expect(recall, `missed: ${missed.join('\n')}`).toBeGreaterThanOrEqual(0.98)
  })

  it('reports the same when Docker puts its own time in front of each line', () => {
    const stamped = lines.map(({ text }, i) => `2026-11-22T00:00:00.${String(i).padStart(9, '0')}Z ${text}`)
    const found = (texts: readonly string[]) => {
      const blocks = new Blocks()
      const places = texts.flatMap(
        (text, index) => blocks.push({ ...readLine(unstamped(text).written), at: index })?.at ?? [],
      )
      const last = blocks.end()
      return last ? [...places, last.at!] : places
    }
    const { precision, recall, wrong, missed } = score(lines, found(stamped))
    expect(precision, `wrong: ${wrong.join('\n')}`).toBeGreaterThanOrEqual(0.95)
    expect(recall, `missed: ${missed.join('\n')}`).toBeGreaterThanOrEqual(0.98)
  })

  it('is far better than the grep of the runbook, counted in the same way', () => {
    const grep = lines.flatMap(({ text }, index) => (/error|exception/i.test(text) ? [index] : []))
    const { precision, recall } = score(lines, grep)
    expect(precision).toBeLessThan(0.6)
    expect(recall).toBeLessThan(0.6)
  })
})

describe('an event', () => {
  it('is one traceback, named by its exception', () => {
    const { groups } = scan([
      'ERROR:mcp.sandbox:execution failed',
      'Traceback (most recent call last):',
      '  File "/app/sandbox.py", line 77, in run',
      '    return work()',
      'ValueError: no such tool: 17',
      'INFO:root:next',
    ])
    expect(groups).toEqual([
      {
        fingerprint: 'ERROR:mcp.sandbox:execution failed: ValueError: no such tool: <n>',
        count: 1,
        first: null,
        last: null,
        sample: 'ERROR:mcp.sandbox:execution failed: ValueError: no such tool: 17',
      },
    ])
  })

  it('is two when two tracebacks follow each other, and one when the second came of the first', () => {
    const trace = (error: string) => ['Traceback (most recent call last):', '  File "a.py", line 1, in f', error]
    expect(scan([...trace('KeyError: 1'), ...trace('KeyError: 2')]).events).toBe(2)
    const chain = 'During handling of the above exception, another exception occurred:'
    expect(scan([...trace('KeyError: 1'), '', chain, '', ...trace('OSError: 2')]).events).toBe(1)
  })

  it('is not split by lines that another stream writes between its own', () => {
    const { events } = scan([
      'Traceback (most recent call last):',
      pino(30, NINE, 'request completed'),
      '  File "a.py", line 1, in f',
      pino(50, NINE, 'another event'),
      'OSError: gone',
    ])
    expect(events).toBe(2)
  })
})

describe('groups', () => {
  it('count what differs only in ids, numbers and times together', () => {
    const scanned = scan([
      pino(50, NINE, 'commit of 3fa85f64-5717-4562-b3fc-2c963f66afa6 failed after 12 ms'),
      pino(50, NINE + 5, 'commit of 0e02b2c3-d479-4372-a567-f47ac10b58cc failed after 7 ms'),
      pino(50, NINE + 9, 'cannot write 2026-11-22T00:00:00.000Z'),
    ])
    expect(scanned.groups.map(({ fingerprint, count, first, last }) => ({ fingerprint, count, first, last }))).toEqual([
      { fingerprint: 'commit of <id> failed after <n> ms', count: 2, first: NINE, last: NINE + 5 },
      { fingerprint: 'cannot write <time>', count: 1, first: NINE + 9, last: NINE + 9 },
    ])
  })

  it('show a sample on one line, without secrets and terminal escapes', () => {
    const { groups } = scan([pino(50, NINE, 'refused: Bearer 6f1ed002ab5595859014ebf0951522d9\n\u001b[31mred\u202e')])
    expect(groups[0]?.sample).toBe('refused: Bearer [redacted] [31mred')
    expect(groups[0]?.fingerprint).not.toContain('6f1ed002')
  })

  it('stay bounded when every event is of its own kind, and count the rest', () => {
    const groups = new Groups()
    for (let i = 0; i < 2000; i++) groups.add({ at: i, text: `failed ${'x'.repeat(i % 190)}${'y'.repeat(i / 190)}` })
    expect(groups.events).toBe(2000)
    expect(groups.list().length + groups.ungrouped).toBeLessThanOrEqual(2000)
    expect(groups.list().length).toBeLessThanOrEqual(500)
    expect(groups.list().reduce((sum, group) => sum + group.count, 0) + groups.ungrouped).toBe(2000)
  })

  it('have the same order for the same lines', () => {
    const lines = ['b failed', 'a failed', 'c failed'].map((text) => pino(50, NINE, text))
    expect(scan(lines).groups.map((group) => group.sample)).toEqual(['a failed', 'b failed', 'c failed'])
  })

  it('keep words that look like hexadecimal digits', () => {
    expect(fingerprint('facade decade 5f3a9c77 failed')).toBe('facade decade <hex> failed')
  })
})

describe('the window', () => {
  it('is half-open, and lines without a time are as old as the line before them', () => {
    const { events, lines } = scan(
      [
        pino(50, DAY.from - 1, 'too old'),
        'Error: also too old',
        pino(50, DAY.from, 'first'),
        'Error: after the first',
        pino(50, DAY.to, 'too new'),
      ],
      DAY,
    )
    expect({ events, lines }).toEqual({ events: 2, lines: 2 })
  })

  it('says what it saw of it', () => {
    const inside = scan([pino(30, DAY.to - 7 * HOUR, 'start'), pino(30, DAY.to - HOUR, 'end')], DAY)
    expect(inside).toMatchObject({ begins: DAY.to - 7 * HOUR, ends: DAY.to - HOUR, fromTheStart: false })
    const whole = scan([pino(30, DAY.from - HOUR, 'before'), pino(30, DAY.to - HOUR, 'end')], DAY)
    expect(whole).toMatchObject({ begins: DAY.to - HOUR, fromTheStart: true })
  })

  it('reads the zone of a time, and does not guess one', () => {
    expect(readLine('2026-11-22T09:00:00.5+09:00 ERROR x').at).toBe(NINE + 500)
    expect(readLine('2026-11-22T00:00:00.123456789Z x').at).toBe(NINE + 123)
    expect(readLine('{"level":30,"time":"2026-11-22T00:00:00.500Z","pid":1,"msg":"x"}').at).toBe(NINE + 500)
    expect(readLine('{"level":50,"time":"2026-11-22T00:00:00.500Z","pid":1,"ms').at).toBe(NINE + 500)
    expect(readLine('[2026-11-22 09:00:00 +0900] x').at).toBeNull()
    expect(readLine('2026-11-22 09:00:00,120 - root - ERROR - x').at).toBeNull()
    expect(readLine('{"level":"error","ts":1795305600.25,"msg":"x"}').at).toBe(1795305600250)
  })
})

describe('a log file', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'error-log-'))
  })
  afterAll(() => rm(dir, { recursive: true }))

  it('is searched, not read, for the beginning of the window', async () => {
    const path = join(dir, 'year.log')
    const filler = 'x'.repeat(400)
    const start = NINE - 365 * 24 * HOUR
    const lines = Array.from({ length: 8760 }, (_, hour) => pino(50, start + hour * HOUR, `${filler} ${hour}`))
    await writeFile(path, `${lines.join('\n')}\n`)
    let read = 0
    const counted = {
      stat: realSystem.stat,
      readFrom: async (file: string, offset: number) => {
        const source = await realSystem.readFrom(file, offset)
        return {
          ...source,
          lines: (async function* () {
            for await (const line of source.lines) {
              read++
              yield line
            }
          })(),
        }
      },
    }
    const found = await scanLog(counted, path, DAY)
    expect(found).toMatchObject({ events: 24, begins: DAY.from, fromTheStart: true, cutShort: false })
    expect(read).toBeLessThan(1000)
  })

  it('without any time is read from its beginning', async () => {
    const path = join(dir, 'plain.log')
    await writeFile(path, 'INFO nothing\nERROR it broke\n'.repeat(20_000))
    expect(await scanLog(realSystem, path, DAY)).toMatchObject({ events: 20_000, begins: null, fromTheStart: false })
  })

  it('that ends in the middle of a line still reports that line', async () => {
    const path = join(dir, 'cut.log')
    await writeFile(path, '{"level":60,"time":1795305599000,"msg":"out of mem')
    expect(await scanLog(realSystem, path, DAY)).toMatchObject({ events: 1 })
  })

  it('with a line of 8 MB, NUL bytes and invalid UTF-8 does not stop the scan', async () => {
    const path = join(dir, 'odd.log')
    const odd = Buffer.concat([Buffer.alloc(8_000_000, 120), Buffer.from([0, 0xff, 0xfe, 10])])
    await writeFile(path, Buffer.concat([odd, Buffer.from(`${pino(50, NINE - HOUR, 'after')}\n`)]))
    expect((await scanLog(realSystem, path, DAY)).groups.map((group) => group.sample)).toEqual(['after'])
  })

  it('that takes too long is cut short, and says so', async () => {
    const path = join(dir, 'long.log')
    await writeFile(path, `${pino(30, NINE - HOUR, 'x')}\n`.repeat(10_000))
    expect(await scanLog(realSystem, path, DAY, () => true)).toMatchObject({ cutShort: true, lines: 4095 })
  })

  it('that is absent rejects', async () => {
    await expect(scanLog(realSystem, join(dir, 'absent.log'), DAY)).rejects.toThrow()
  })
})
