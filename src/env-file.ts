/** One `KEY=value` of an `.env` file, with the line it stands on (1-based). */
export interface EnvEntry {
  readonly key: string
  readonly value: string
  readonly line: number
}

export interface EnvProblem {
  readonly line: number
  readonly message: string
}

export interface EnvFile {
  /** In the order of the file; of duplicates the last one wins, as in compose. */
  readonly entries: readonly EnvEntry[]
  readonly problems: readonly EnvProblem[]
}

export type Quote = '' | '"' | "'"

/** Where the value of an assignment stands in its line, quotes included. Only ASCII decides: bytes will do as well. */
export interface Assignment {
  readonly key: string
  readonly start: number
  readonly end: number
  readonly quote: Quote
}

/** `export =` is no assignment to `export`, as compose has it. */
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+|(?!export[ \t]))([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/
/** White space that one reader trims and another keeps. */
const ODD_SPACE = '[\\v\\f\\x1c-\\x1f\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
const ODD_EDGE = new RegExp(`^${ODD_SPACE}|${ODD_SPACE}$|${ODD_SPACE}#`)

/**
 * Reads the text of an `.env` file by the rules that `docker-compose` applies to one: blank lines and `#` lines are
 * comments, `export` is allowed, quotes are removed, ` #` ends an unquoted value, CRLF and a BOM are tolerated. Lines
 * that compose versions read differently are problems rather than guesses.
 */
export function parseEnv(text: string): EnvFile {
  const entries: EnvEntry[] = []
  const problems: EnvProblem[] = []
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .forEach((raw, index) => {
      const read = readLine(raw)
      if (read === undefined) return
      if (typeof read === 'string') problems.push({ line: index + 1, message: read })
      else entries.push({ ...read, line: index + 1 })
    })
  return { entries, problems }
}

/** Takes a line apart; `undefined` when it is no assignment, or its quote is not closed. */
export function assignmentOf(line: string): Assignment | undefined {
  const [head, key] = ASSIGNMENT.exec(line) ?? []
  if (head === undefined || key === undefined) return undefined
  const start = head.length
  const quote = line[start]
  if (quote === '"' || quote === "'") {
    const end = closingQuote(line, start)
    if (end < 0 || !/^[ \t\r]*(#.*)?$/s.test(line.slice(end + 1))) return undefined
    return { key, start, end: end + 1, quote }
  }
  const value = line.slice(start).replace(/[ \t]+#.*$/s, '')
  return { key, start, end: start + value.replace(/[ \t\r]+$/, '').length, quote: '' }
}

/** An entry, a sentence about what is wrong with the line, or nothing on a line that says nothing. */
function readLine(line: string): { key: string; value: string } | string | undefined {
  // Old compose versions begin a new line there, even in a comment.
  if (/\r[ \t\r]*[^ \t\r]/.test(line)) return 'a carriage return in the middle of a line. Write one setting per line'
  if (/^[ \t\r]*(#|$)/.test(line)) return undefined
  const key = ASSIGNMENT.exec(line)?.[1]
  if (key === undefined) return 'not KEY=value. Write KEY=value, or put # in front to make it a comment'
  const found = assignmentOf(line)
  if (!found) return `${key}: the quote is not closed, or text follows it`
  const raw = line.slice(found.start, found.end)
  const wrong = differently(raw, found.quote)
  return wrong === undefined ? { key, value: unquote(raw, found.quote) } : `${key}: ${wrong}`
}

/** Why compose versions do not agree on a value, if they do not. */
function differently(raw: string, quote: Quote): string | undefined {
  if (raw.includes('\0')) return 'a NUL cannot be part of a value'
  if (quote === "'") {
    if (raw.includes('${')) return 'some versions of compose expand $ and { even here. Write the value itself'
    return /\\\\|\\'$/.test(raw) ? 'a backslash like this is read in two ways. Write it in double quotes' : undefined
  }
  if (raw.includes('$')) return '$ is not expanded here. Write the value itself, or single-quote it'
  if (quote === '"') {
    const escaped = raw.slice(1, -1).match(/\\./gs) ?? []
    const odd = escaped.some(([, letter]) => /['c0]/.test(letter!)) || raw.at(-2) === '\\'
    return odd ? 'a backslash like this is read in two ways. Leave it out, or write it in single quotes' : undefined
  }
  if (raw.startsWith('#')) return 'compose takes a # right after = for the value. Quote it, or remove the comment'
  return ODD_EDGE.test(raw) ? 'a space that is no plain space stands beside the value. Remove it' : undefined
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '"': '"', '\\': '\\' },
}

function unquote(raw: string, quote: Quote): string {
  const inner = quote === '' ? raw : raw.slice(1, -1)
  return quote === '"' ? inner.replace(/\\(["\\abfnrtv])/g, (_, letter: string) => ESCAPES[letter]!) : inner
}

function closingQuote(line: string, start: number): number {
  for (let i = start + 1; i < line.length; i++) {
    if (line[start] === '"' && line[i] === '\\') i++
    else if (line[i] === line[start]) return i
  }
  return -1
}
