import { rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BackupFailure, backupText } from './backup/failure.ts'
import { type DatabaseFacts, restoreNotePath } from './backup/manifest.ts'
import type { Place } from './backup-place.ts'
import type { RestoreResult } from './report/restore-result.ts'
import { moveDurably, sync } from './system/durable.ts'

/** A database and what SQLite keeps beside it; they belong together. */
export const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const
export type Suffix = (typeof SUFFIXES)[number]

/** Lies beside the database while it is being replaced. Whoever finds it and no restore at work finds all to undo it. */
export interface RestoreNote extends Omit<RestoreResult, 'finished_at' | 'aside'> {
  readonly schema: 'ops.restore-note.v1'
  /** When the new database was in its place and proven; null until then. */
  readonly finished_at: string | null
  readonly holds: DatabaseFacts
  readonly target: string
  readonly aside: string
  /** What there was of the old database. */
  readonly moved: readonly Suffix[]
  /** Device and inode of the new one. */
  readonly fresh: string
}

export async function readNote({ system, settings }: Place): Promise<RestoreNote | null> {
  const path = restoreNotePath(settings.SECURITY_DB_PATH)
  await system.discardUnfinished(path)
  if ((await system.stat(path)) === null) return null
  return JSON.parse(await system.readText(path)) as RestoreNote
}

export async function writeNote({ system, settings }: Place, note: RestoreNote): Promise<void> {
  await system.replaceFile(restoreNotePath(settings.SECURITY_DB_PATH), `${JSON.stringify(note, null, 2)}\n`, {
    mode: 0o640,
  })
}

/**
 * Puts the old database back, as far as that has not been done: it can be cut off and called again.
 * @throws BackupFailure when something else lies in its place, or it is gone
 */
export async function putBack({ system, settings, pause }: Place, note: RestoreNote): Promise<void> {
  const { target, aside, moved, fresh } = note
  if ((await identity(target)) === fresh) {
    // Nothing of the old one was left when it came: whoever made these has written to the new one.
    for (const suffix of SUFFIXES.slice(1)) await refuseAt(target + suffix)
    await moveDurably(target, `${target}.restoring`)
  }
  await pause('new one removed')
  // The database last: it never lies there without its WAL.
  for (const suffix of [...SUFFIXES].reverse()) {
    if ((await identity(aside + suffix)) !== undefined) {
      await refuseAt(target + suffix)
      await moveDurably(aside + suffix, target + suffix)
    } else if (moved.includes(suffix) && suffix !== '-shm' && (await identity(target + suffix)) === undefined) {
      throw new BackupFailure('uncertain', backupText('lost_aside', { path: target + suffix }), '')
    }
    await pause(`back ${suffix || 'db'}`)
  }
  for (const suffix of ['.restoring', '.restore-lock', '.restore-lock-wal', '.restore-lock-shm']) {
    await rm(target + suffix, { force: true })
  }
  await sync(dirname(target))
  await system.remove(restoreNotePath(settings.SECURITY_DB_PATH))
}

async function refuseAt(path: string): Promise<void> {
  if ((await identity(path)) !== undefined) throw new BackupFailure('uncertain', backupText('appeared', { path }), '')
}

const identity = async (path: string): Promise<string | undefined> => {
  const facts = await stat(path).catch(() => undefined)
  return facts && `${facts.dev}:${facts.ino}`
}
