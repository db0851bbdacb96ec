import { describe, expect, test } from 'vitest'
import type { Block, Document, Format, Report } from '../src/report/document.ts'
import { worst } from '../src/report/document.ts'
import { count, duration, ratio } from '../src/report/numbers.ts'
import { displayWidth } from '../src/report/printable.ts'
import { render } from '../src/report/render.ts'

const HOSTILE = '\u001b[2J\u202e<b onclick="x">@channel & `rm` | *a* _b_ \\ 한글 ✅'

const reportOf = (blocks: readonly Block[], verdict?: Document['verdict']): Report => ({
  schema: 'ops.probe.v1',
  data: { blocks },
  document: (lang) => ({ lang, title: HOSTILE, ...(verdict && { verdict }), blocks }),
})

const shown = (report: Report, format: Format, { columns = 80, colour = false } = {}) =>
  render(report, format, 'ko', { columns, colour })

const table = (rows: string[][]): Block => ({
  ...{ kind: 'table', caption: '도구', head: ['도구', '요청', '설명'], align: ['left', 'right', 'left'] },
  rows,
})

const everyBlock: Block[] = [
  { kind: 'heading', text: HOSTILE },
  { kind: 'paragraph', text: HOSTILE, state: 'critical' },
  { kind: 'list', items: [{ text: HOSTILE, state: 'warning', command: HOSTILE }] },
  table([[HOSTILE, '1', HOSTILE]]),
  { kind: 'command', text: HOSTILE },
]

describe('hostile text', () => {
  test.each(['table', 'markdown', 'html', 'json'] as const)('has no control or bidi character left as %s', (format) => {
    const text = shown(reportOf(everyBlock, { state: 'warning', text: HOSTILE }), format)
    expect(text.replaceAll('\n', '').replaceAll('@\u200b', '@')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(text).toContain('한글 ✅')
  })

  test('is no element in HTML', () => {
    const html = shown(reportOf(everyBlock, { state: 'warning', text: HOSTILE }), 'html')
    expect(html).not.toContain('<b ')
    expect(html).toContain('&lt;b onclick=&quot;x&quot;&gt;')
  })

  test('is no markup, mention or HTML in Markdown, and keeps inside its cell', () => {
    const markdown = shown(reportOf([{ kind: 'paragraph', text: HOSTILE }, table([[HOSTILE, '1', 'x']])]), 'markdown')
    expect(markdown).toContain('&lt;b onclick="x"&gt;@\u200bchannel &amp; \\`rm\\` \\| \\*a\\* \\_b\\_ \\\\ 한글')
    for (const line of markdown.split('\n').filter((line) => line.startsWith('|'))) {
      expect(line.replaceAll(/\\[|\\]/g, '').split('|')).toHaveLength(5)
    }
  })

  test('does not begin a heading, a list or a quotation in Markdown', () => {
    const first = (text: string) =>
      shown(reportOf([{ kind: 'paragraph', text }]), 'markdown')
        .split('\n\n')[1]!
        .trimEnd()
    expect(['# a', '- a', '+ a', '1. a', '> a', 'run_command'].map(first)).toEqual([
      ...['\\# a', '\\- a', '\\+ a', '1\\. a', '&gt; a', 'run_command'],
    ])
  })

  test('ends no inline code in Markdown', () => {
    const markdown = shown(reportOf([{ kind: 'command', text: 'echo `a` ``b``' }]), 'markdown')
    expect(markdown).toContain('``` echo `a` ``b`` ```')
  })
})

describe('the table', () => {
  const rows = [
    ['execute_python', '1,234', '긴 설명 문장입니다 '.repeat(8).trim()],
    ['한글도구', '3', 'x'.repeat(200)],
  ]

  test.each([40, 60, 80, 120])('fits %d columns, its columns aligned under Hangul', (columns) => {
    const lines = shown(reportOf([table(rows)]), 'table', { columns })
      .split('\n')
      .slice(3)
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns)
    const rule = lines.find((line) => line.startsWith('─'))!
    const right = displayWidth(rule.slice(0, rule.indexOf('  ', rule.indexOf('  ') + 2)))
    const numbers = lines.filter((line) => /(1,234|3) /.test(line))
    for (const line of numbers) expect(displayWidth(line.slice(0, line.search(/(?<=1,234|3) {2}/)))).toBe(right)
  })

  test('says every state in words, with and without colour', () => {
    const report = reportOf([{ kind: 'list', items: [{ text: 'a', state: 'unknown' }] }], {
      state: 'critical',
      text: 'b',
    })
    const plain = shown(report, 'table')
    const colour = shown(report, 'table', { colour: true })
    expect(plain).toContain('위험: b')
    expect(plain).toContain('[확인 불가] a')
    expect(colour).toContain('\u001b[31m')
    // biome-ignore lint/complexity/useRegexLiterals: the escape character is the point.
    expect(colour.replaceAll(new RegExp('\u001b\\[\\d+m', 'g'), '')).toBe(plain)
  })

  test('puts the verdict first', () => {
    for (const format of ['table', 'markdown'] as const) {
      expect(shown(reportOf([], { state: 'ok', text: 'b' }), format)).toMatch(/^(\*\*)?정상: b/)
    }
  })
})

describe('numbers', () => {
  test('have no percentage below ten cases, and none without a case', () => {
    expect([ratio(0, 0), ratio(3, 9), ratio(3, 10), ratio(1000, 1001)]).toEqual([
      '–',
      '3/9',
      '3/10 (30.0%)',
      '1,000/1,001 (99.9%)',
    ])
  })

  test('never round some up to all, nor few down to none', () => {
    expect(ratio(9999, 10_000)).toBe('9,999/10,000 (99.9%)')
    expect(ratio(1, 10_000)).toBe('1/10,000 (0.1%)')
    expect(ratio(10, 10)).toBe('10/10 (100.0%)')
    expect(ratio(0, 10)).toBe('0/10 (0.0%)')
  })

  test('are durations in two units at most', () => {
    const durations = [0, 450, 9_999, 10_000, 59_999, 60_000, 125_000, 3_600_000, 11_520_000, 90_000_000]
    expect(durations.map((ms) => duration(ms, 'en'))).toEqual([
      ...['0.0 s', '0.4 s', '9.9 s', '10 s', '59 s', '1 min', '2 min 5 s', '1 h', '3 h 12 min', '25 h'],
    ])
    expect(duration(11_520_000, 'ko')).toBe('3시간 12분')
    expect(count(1_234_567)).toBe('1,234,567')
  })
})

test('could not measure ranks above a warning, and what is not configured below everything', () => {
  expect(worst(['ok', 'warning', 'unknown'])).toBe('unknown')
  expect(worst(['unknown', 'critical'])).toBe('critical')
  expect(worst(['not_configured', 'ok'])).toBe('ok')
  expect(worst([])).toBe('unknown')
})
