import { type Assignment, assignmentOf, type EnvFile, parseEnv, type Quote } from '../env-file.ts'

/**
 * The editor of `.env` files. It works on the bytes as text, one character per byte (`envText`), so that whatever
 * stands elsewhere in the file, valid UTF-8 or not, is the same afterwards.
 */

/** One edit, as plain data: enough to show it and to take back exactly this one. */
export interface EnvEdit {
  readonly key: string
  /** 1-based; of an appended key the line it got. */
  readonly line: number
  /** The value as it is written, quotes included, one character per byte. `null`: the key was absent. */
  readonly from: string | null
  readonly to: string
  /** Lines that set the same key before and have no effect. */
  readonly shadowed: readonly number[]
}

/** The file cannot be edited without guessing. The message names the line. */
export class EnvEditError extends Error {
  readonly line: number | null
  constructor(line: number | null, message: string) {
    super(line === null ? message : `line ${line}: ${message}`)
    this.name = 'EnvEditError'
    this.line = line
  }
}

/** Stands above a line that was not there before. */
export const MARKER = '# Added by a rollback of approval-ops; its undo removes this and the next line.'

const BOM = '\xef\xbb\xbf'

export const envText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
export const envBytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** The file as the server reads it, from its bytes as text. */
export const readEnv = (text: string): EnvFile => parseEnv(envBytes(text).toString('utf8'))

/** The value in force: of duplicates the last. */
export const envValue = (text: string, key: string): string | undefined =>
  readEnv(text).entries.findLast((entry) => entry.key === key)?.value

/** @throws EnvEditError when a line of the file, or the value, cannot be read in one way only */
export const setEnv = (text: string, key: string, value: string): string => planEdit(text, key, value).text

/**
 * Sets one key: the line in force keeps its quotes, spaces, comment and line end; an absent key is appended under a
 * marker. `edit` is undefined when the value is so already.
 * @throws EnvEditError
 */
export function planEdit(text: string, key: string, value: string): { text: string; edit: EnvEdit | undefined } {
  const before = sound(text)
  const entries = before.entries.filter((entry) => entry.key === key)
  const inForce = entries.at(-1)
  if (inForce?.value === value) return { text, edit: undefined }
  const shadowed = entries.slice(0, -1).map(({ line }) => line)
  const bytes = Buffer.from(value, 'utf8').toString('latin1')
  if (!inForce) {
    const to = written(bytes, '', key)
    const after = append(text, `${key}=${to}`)
    return { text: checked(before, after, key, value), edit: { key, line: lastLine(after), from: null, to, shadowed } }
  }
  const lines = text.split('\n')
  const { line, at, raw } = assignment(lines, inForce.line)
  const to = written(bytes, at.quote, key, line.slice(at.end))
  lines[inForce.line - 1] = line.slice(0, at.start) + to + line.slice(at.end)
  const after = checked(before, lines.join('\n'), key, value)
  return { text: after, edit: { key, line: inForce.line, from: raw, to, shadowed } }
}

/** Without any line that sets the key, and without a marker above such a line. @throws EnvEditError */
export function removeEnv(text: string, key: string): string {
  const set = new Set(
    sound(text)
      .entries.filter((entry) => entry.key === key)
      .map(({ line }) => line),
  )
  const lines = text.split('\n')
  const kept = lines.filter((line, i) => {
    const marksRemoved = set.has(i + 2) && line.replace(/\r$/, '').replace(BOM, '') === MARKER
    return !set.has(i + 1) && !marksRemoved
  })
  return kept.join('\n')
}

/**
 * Takes one edit back and leaves every other change since then alone.
 * @throws EnvEditError when the line no longer says what the edit wrote
 */
export function undoEdit(text: string, edit: EnvEdit): string {
  const inForce = sound(text).entries.findLast(({ key }) => key === edit.key)
  const lines = text.split('\n')
  const found = inForce && assignment(lines, inForce.line)
  const line = inForce?.line ?? null
  if (edit.from === null) {
    if (!found) return text
    if (found.raw !== edit.to) throw changed(line, edit)
    return withoutAdded(lines, inForce.line, edit)
  }
  if (!found || (found.raw !== edit.to && found.raw !== edit.from)) throw changed(line, edit)
  lines[inForce.line - 1] = found.line.slice(0, found.at.start) + edit.from + found.line.slice(found.at.end)
  return lines.join('\n')
}

function changed(line: number | null, { key }: EnvEdit): EnvEditError {
  return new EnvEditError(line, `${key} was changed since, by hand or by another rollback`)
}

function sound(text: string): EnvFile {
  if (/[^\0-\xff]/.test(text)) throw new TypeError('the text of an .env file is given one character per byte')
  const file = readEnv(text)
  const [first] = file.problems
  if (first) throw new EnvEditError(first.line, first.message)
  return file
}

function assignment(lines: readonly string[], number: number): { line: string; at: Assignment; raw: string } {
  const whole = lines[number - 1]!
  const skip = number === 1 && whole.startsWith(BOM) ? BOM.length : 0
  const found = assignmentOf(whole.slice(skip))!
  const at = { ...found, start: found.start + skip, end: found.end + skip }
  return { line: whole, at, raw: whole.slice(at.start, at.end) }
}

/** In the quotes that stand there when they can hold the value, else in the least that can. */
function written(bytes: string, present: Quote, key: string, tail = ''): string {
  for (const quote of [present, '', "'", '"'] as const) {
    // Nothing at all would make a comment behind it the value.
    if (bytes === '' && quote === '' && !/^\r?$/.test(tail)) continue
    const escaped = quote === '"' ? bytes.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r') : bytes
    const raw = quote + escaped + quote
    if (/[\r\n]/.test(raw)) continue
    const { entries, problems } = readEnv(`K=${raw}`)
    if (problems.length === 0 && entries[0]?.value === Buffer.from(bytes, 'latin1').toString('utf8')) return raw
  }
  throw new EnvEditError(null, `${key}: this value cannot be written so that every version of compose reads it alike`)
}

function append(text: string, line: string): string {
  const end = /\r?\n/.exec(text)?.[0] ?? '\n'
  const empty = text === '' || text === BOM
  // A file without a final line end stays one.
  const ended = empty || text.endsWith('\n')
  if (text.endsWith('\r')) throw new EnvEditError(lastLine(text), 'the file ends in half a line end')
  return ended ? `${text}${MARKER}${end}${line}${end}` : `${text}${end}${MARKER}${end}${line}`
}

const lastLine = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

function withoutAdded(lines: string[], number: number, edit: EnvEdit): string {
  const marked = lines[number - 2]?.replace(/\r$/, '').replace(BOM, '') === MARKER
  if (!marked) throw new EnvEditError(number, `${edit.key} has lost the comment that says a rollback added it`)
  const bom = number === 2 && lines[0]!.startsWith(BOM) ? BOM : ''
  const before = lines.slice(0, number - 2)
  const after = lines.slice(number)
  if (after.length > 0) return bom + [...before, ...after].join('\n')
  return bom + before.join('\n').replace(/\r$/, '')
}

/** Nothing but this key reads differently: else the edit is not made. */
function checked(before: EnvFile, after: string, key: string, value: string): string {
  const read = sound(after)
  const rest = (file: EnvFile) => JSON.stringify(file.entries.filter((entry) => entry.key !== key))
  const set = read.entries.findLast((entry) => entry.key === key)
  if (set?.value === value && rest(read) === rest(before)) return after
  throw new EnvEditError(set?.line ?? null, `${key} cannot be set without changing another setting`)
}
