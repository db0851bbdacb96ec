import { readFileSync } from 'node:fs'
import { EXIT } from '../exit-codes.ts'
import { Failure } from './failure.ts'
import type { Messages } from './messages.ts'

export interface Identity {
  readonly token: string
  /** Named by `--as` or by default; undefined when only the token tells. */
  readonly user: string | undefined
}

/** The words that make a command act as the same user again; none where it does by itself. */
export const asUser = ({ user }: Pick<Identity, 'user'>, fallback: string): string[] =>
  user === undefined || user === fallback ? [] : ['--as', user]

interface Source {
  /** `--as`. It wins over APPROVAL_TOKEN: nobody is to act as someone they did not name. */
  readonly as: string | undefined
  readonly token: string | undefined
  readonly fallback: string
  readonly path: string
}

/** @throws Failure that names the users there are, or how to get some */
export function identify({ as, token, fallback, path }: Source, t: Messages): Identity {
  const given = token?.trim()
  if (as === undefined && given) return { token: usable(given, 'APPROVAL_TOKEN', t), user: undefined }
  const user = as ?? fallback
  const known = readCredentials(path, t)
  const found = known.get(user)
  if (found !== undefined) return { token: usable(found, path, t), user }
  throw new Failure(EXIT.USAGE, t.identity.unknown(user, path, [...known.keys()]), t.identity.unknownNext)
}

function readCredentials(path: string, t: Messages): Map<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Failure(EXIT.NOT_PERMITTED, t.identity.noFile(path), t.identity.noFileNext)
    throw new Failure(EXIT.NOT_PERMITTED, t.identity.unreadable(path, code ?? String(error)), t.identity.unreadableNext)
  }
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>)
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    throw new Failure(EXIT.BAD_CONFIG, t.identity.malformed(path), t.identity.unreadableNext)
  }
}

/** fetch refuses a header with other characters, with a message that prints the token. */
function usable(token: string, where: string, t: Messages): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new Failure(EXIT.BAD_CONFIG, t.identity.badToken(where), t.identity.unreadableNext)
}
