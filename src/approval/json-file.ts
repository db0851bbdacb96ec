import type { z } from 'zod'
import { readLocatedJson } from './located-json.ts'

/** All that is wrong with a JSON file at once, each with its file and line. */
export class BrokenFileError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.name = 'BrokenFileError'
    this.problems = problems
  }
}

export interface Findings {
  lineOf(path: readonly PropertyKey[]): number
  /** Says what is wrong with the value at this path. */
  wrong(path: readonly PropertyKey[], message: string): void
  /** Says what is wrong on this line. */
  wrongOn(line: number, said: string): void
}

export interface JsonFile<Schema extends z.ZodType> {
  /** As the messages name it. */
  readonly file: string
  /** What the whole of its contents is called. */
  readonly whole: string
  readonly schema: Schema
  /** Looks for what a schema cannot say. */
  readonly check: (data: z.output<Schema>, findings: Findings) => void
}

/**
 * Reads the text of a JSON file that people edit.
 * @throws BrokenFileError
 */
export function readJsonFile<Schema extends z.ZodType>(
  text: string,
  { file, whole, schema, check }: JsonFile<Schema>,
): z.output<Schema> {
  const { value, problems: unread, lineOf } = readLocatedJson(text)
  const problems = unread.map(({ line, message }) => ({ line, said: message }))
  const wrongOn = (line: number, said: string) => void problems.push({ line, said })
  const wrong = (path: readonly PropertyKey[], message: string) =>
    wrongOn(lineOf(path), `${path.map(String).join('.') || whole}: ${message}`)
  const parsed = schema.safeParse(value)
  if (value !== undefined && !parsed.success) {
    for (const issue of parsed.error.issues) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : []
      for (const key of unknown) wrong([...issue.path, key], 'no such key here')
      if (unknown.length === 0) wrong(issue.path, issue.message)
    }
  }
  if (parsed.success) check(parsed.data, { lineOf, wrong, wrongOn })
  if (!parsed.success || problems.length > 0) {
    problems.sort((a, b) => a.line - b.line)
    throw new BrokenFileError(problems.map(({ line, said }) => `${file}:${line}: ${said}`))
  }
  return parsed.data
}
