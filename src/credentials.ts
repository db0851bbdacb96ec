import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { sha256 } from './approval/digest.ts'
import { ApprovalError } from './approval/errors.ts'
import { type Role, SERVER_ACTOR } from './approval/identity.ts'
import type { Store } from './approval/store.ts'
import { lockFile } from './store/lock-file.ts'

const PATIENCE_MS = 5000

/** 256 bits, printable. */
export const newToken = (): string => `apv_${randomBytes(32).toString('base64url')}`

const FIRST_USERS: readonly (readonly [string, Role])[] = [
  ['admin_user', 'admin'],
  ['dev_user', 'developer'],
]

/**
 * Makes the first users able to call: those that do not exist are created, those adopted without a token get one. A
 * disabled user stays disabled, and a user who has a token keeps it.
 * @returns the users whose tokens were written to `path`
 */
export async function createFirstUsers(store: Store, path: string, now: number): Promise<string[]> {
  await store.seedRoles(now)
  const written: string[] = []
  for (const [user_id, role] of FIRST_USERS) {
    const user = await store.user(user_id)
    if (user && (user.token_sha256 !== null || !user.is_active)) continue
    const token = newToken()
    // Written under the database's lock: of two servers that start at once one makes the user and its token, and a
    // crash before the commit leaves a token that nobody accepts and the next start replaces.
    const save = () => saveToken(path, user_id, token)
    try {
      if (user) await store.setToken(user_id, sha256(token), SERVER_ACTOR, now, save)
      else await store.addUser({ user_id, role, username: null, token_sha256: sha256(token) }, SERVER_ACTOR, now, save)
      written.push(user_id)
    } catch (error) {
      if (!(error instanceof ApprovalError) || error.code !== 'user_exists') throw error
    }
  }
  return written
}

/** Puts one token into the credentials file, readable by its owner only, whole or not at all. */
export function saveToken(path: string, userId: string, token: string): void {
  // Of two that read the file at once the second would write it without the token of the first.
  const release = lockFile(`${path}.lock`, PATIENCE_MS)
  if (!release) throw new Error(`${path} is being written by another process`)
  try {
    const known: Record<string, string> = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
    const temporary = `${path}.tmp`
    const fd = openSync(temporary, 'w', 0o600)
    writeSync(fd, `${JSON.stringify({ ...known, [userId]: token }, null, 2)}\n`)
    fsyncSync(fd)
    closeSync(fd)
    renameSync(temporary, path)
  } finally {
    release()
  }
}
