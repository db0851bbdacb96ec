import { en } from './catalogue/command.en.ts'
import { ko } from './catalogue/command.ko.ts'
import type { Lang, Report } from './document.ts'
import { words } from './words.ts'

export const commandWords = words(ko, en)

/** What to type next about a database that cannot be read, by the way in which it cannot. */
const REMEDIES = {
  missing: () => 'npm start',
  empty: () => 'npm start',
  // The server adopts a database of the old system and migrates an older one of its own.
  schema: () => 'npm start',
  not_a_database: () => 'grep -n SECURITY_DB_PATH .env',
  corrupt: (file: string) => `sqlite3 ${file} 'PRAGMA integrity_check'`,
  locked: (file: string) => `fuser -v ${file}`,
  permission: (file: string) => `ls -l ${file}`,
  io: (file: string) => `df -h ${file}`,
  archived: (file: string) => `sqlite3 -readonly ${file}`,
  before_record: () => 'npm run backup -- list',
} as const

/** A ReaderError is one. */
export interface Unreadable {
  readonly code: keyof typeof REMEDIES
  readonly file: string
  readonly detail: string
}

/** "cause", without a full stop. */
export function causeOf({ code, file, detail }: Unreadable, lang: Lang): string {
  const say = commandWords(lang)
  if (code === 'schema' || code === 'io' || code === 'archived' || code === 'before_record') {
    return say(code, { file, detail })
  }
  return say(code, { file })
}

export const remedyOf = ({ code, file }: Unreadable): string => REMEDIES[code](shellWord(file))

/** The report of a run that could read nothing: it says so in every format, and never looks like an empty day. */
export function unmeasured(name: string, problem: Unreadable): Report {
  return {
    schema: `ops.${name}.v1`,
    data: {
      verdict: 'unknown',
      error: { code: problem.code, file: problem.file, detail: problem.detail, next_command: remedyOf(problem) },
    },
    document: (lang) => ({
      lang,
      title: commandWords(lang)('unmeasured_title', { name }),
      verdict: { state: 'unknown', text: causeOf(problem, lang) },
      blocks: [
        { kind: 'paragraph', text: `${commandWords(lang)('next')}:` },
        { kind: 'command', text: remedyOf(problem) },
      ],
    }),
  }
}

/** Quoted for a shell where it must be. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
