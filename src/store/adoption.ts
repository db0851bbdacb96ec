import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type Database from 'better-sqlite3'
import { tokenMark } from '../approval/chain.ts'
import { SERVER_ACTOR } from '../approval/identity.ts'
import { difference } from '../backup/manifest.ts'
import { storeQueries } from '../queries.ts'
import { ReaderError, sqlTime } from '../sql.ts'
import { copyDatabase, inspect } from './backup.ts'
import { createRecorder } from './recorder.ts'
import { toUser } from './rows.ts'
import { prepareAll } from './statements.ts'

/**
 * Copies the database beside itself, in `backups/`: temporary name, full check, everything counted, fsync, then the
 * final name.
 * @returns the backup's path
 */
export async function backUp(path: string, now: number): Promise<string> {
  const folder = join(dirname(path), 'backups')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stamp = sqlTime(now).replace(/[-:]/g, '').replace(' ', 'T').slice(0, 15)
  const start = `${basename(path, '.db')}-before-adoption-`
  const final = join(folder, `${start}${stamp}Z.db`)
  const part = `${final}.part`
  // What a killed start left, and its journal. Nobody else is at work: we have the lock.
  for (const name of readdirSync(folder)) {
    if (name.startsWith(start) && name.includes('.part')) rmSync(join(folder, name))
  }
  try {
    const wanted = await copyDatabase(path, part)
    const lacks = difference(wanted, await inspect(part))
    if (lacks) throw new Error(`the backup has ${lacks}`)
  } catch (error) {
    rmSync(part, { force: true })
    if (!(error instanceof ReaderError && error.code === 'corrupt')) throw error
    throw new Error(`the database is damaged (${error.detail}): it was not adopted, nothing was changed`)
  }
  const fd = openSync(part, 'r')
  fsyncSync(fd)
  closeSync(fd)
  renameSync(part, final)
  return final
}

/**
 * Puts on record which requests and users of the old system were taken over, and where their backup lies: seen from
 * the database, as both may be moved together. Belongs in the transaction that makes the tables ours: what is in them
 * then without a word of the record counts as put in behind its back.
 */
export function recordAdoption(db: Database.Database, backup: string, at: number): void {
  const sql = prepareAll(db, storeQueries)
  const users = sql.userList.all({}).map(toUser)
  const data = {
    backup: relative(dirname(db.name), backup),
    requests: sql.requestCountAdopted.get({})!.n,
    users: users.map(({ user_id, role, is_active, token_sha256 }) => {
      return { user_id, role, is_active, token: token_sha256 === null ? null : tokenMark(token_sha256) }
    }),
  }
  createRecorder(sql).record({ type: 'adopted', request_id: null, actor: SERVER_ACTOR, at, data })
}
