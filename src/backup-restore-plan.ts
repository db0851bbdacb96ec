import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BackupFailure, backupText } from './backup/failure.ts'
import { BACKUP_NAME, difference, type Manifest } from './backup/manifest.ts'
import { type InUse, isInUse, type Observed, type RestorePlan, restorePlan } from './backup/plan.ts'
import { whoText } from './backup/restore-report.ts'
import { isWhole, lookAt, newestWhole, shelf } from './backup/shelf.ts'
import { SUFFIXES } from './backup-note.ts'
import type { Place } from './backup-place.ts'
import { changedFile } from './backup-verify.ts'
import type { Lang } from './report/document.ts'
import { shellWord } from './report/unmeasured.ts'
import { ReaderError, sqlTime } from './sql.ts'
import { glance, inspect, lockDatabase, movedOut } from './store/backup.ts'
import { whoHasOpen } from './system/open-files.ts'

/**
 * Looks at the backup, every byte and page of it, and at the database, and says what a restore would do. Writes
 * nothing, but for the second name by which the database is locked for a moment.
 * @throws BackupFailure when the backup cannot be used
 */
export async function planRestore(place: Place, which: string): Promise<{ plan: RestorePlan; manifest: Manifest }> {
  const { folder, settings, now } = place
  const manifest = await usable(place, which)
  const target = settings.SECURITY_DB_PATH
  const stamp = sqlTime(now).replace(/[-:]/g, '').replace(' ', 'T')
  const plan = restorePlan({
    manifest,
    folder: join(folder, manifest.name),
    target,
    ...(await currentOf(target, manifest, join(folder, manifest.name, manifest.database.file))),
    files: SUFFIXES.map((suffix) => target + suffix)
      .filter((path) => existsSync(path))
      .map((path) => basename(path)),
    aside: `${target}.before-restore-${stamp}Z`,
    inUse: await useOf(target),
    at: now,
  })
  return { plan, manifest }
}

async function usable(place: Place, which: string): Promise<Manifest> {
  const { system, folder, now } = place
  const list = 'npm run backup -- list'
  const name = which === 'latest' ? newestWhole(await shelf(system, folder), now)?.name : basename(which)
  if (name === undefined) throw new BackupFailure('refused', backupText('no_whole', {}), list)
  if (!BACKUP_NAME.test(name) || !existsSync(join(folder, name))) {
    throw new BackupFailure('refused', backupText('no_such', { name }), list)
  }
  const damaged = (detail: string) => new BackupFailure('refused', backupText('damaged', { name, detail }), list)
  const shelved = await lookAt(system, folder, name)
  if (!isWhole(shelved)) throw damaged(shelved.problem ?? '')
  const { database } = shelved.manifest
  const path = join(folder, name, database.file)
  try {
    const lacks = (await changedFile(place, shelved.manifest)) ?? difference(database, await inspect(path))
    if (lacks) throw damaged(lacks)
  } catch (error) {
    throw error instanceof ReaderError ? damaged(`${error.code}: ${error.detail}`) : error
  }
  return shelved.manifest
}

type Currently = Pick<Observed, 'now' | 'movedSince'>

async function currentOf(target: string, { database }: Manifest, backup: string): Promise<Currently> {
  const head = database.chain_head
  try {
    const { hash, ...facts } = await glance(target, head?.seq ?? 0)
    const same_past = head === null || hash === 'archived' ? null : hash === head.hash
    return { now: { ...facts, same_past }, movedSince: (await movedOut(target)) - (await movedOut(backup)) }
  } catch (error) {
    if (!(error instanceof ReaderError)) throw error
    const now = error.code === 'missing' ? null : { unreadable: `${error.code}: ${error.detail}` }
    return { now, movedSince: 0 }
  }
}

/**
 * Keeps everybody out, if nobody is in. First who can be seen to have the files open, then the lock: it also meets
 * those in other containers.
 */
export async function lockOut(target: string): Promise<{ readonly use: InUse; readonly release: () => void }> {
  const seen = await whoHasOpen(SUFFIXES.map((suffix) => target + suffix))
  const processes = seen && { looked: seen.looked, hidden: seen.hidden }
  const by = (seen?.holders ?? []).map(({ pid, program }) => `${program} (pid ${pid})`)
  const lock = by.length === 0 && existsSync(target) ? lockDatabase(target) : 'unknown'
  return typeof lock === 'string'
    ? { use: { by, lock, processes }, release: () => {} }
    : { use: { by, lock: 'free', processes }, release: lock.release }
}

export async function useOf(target: string): Promise<InUse> {
  const { use, release } = await lockOut(target)
  release()
  return use
}

/** @throws BackupFailure that says who has the database open */
export function refuseInUse(use: InUse, target: string): void {
  if (!isInUse(use)) return
  const text = (lang: Lang) => backupText('open', { who: whoText(use, lang) })[lang]
  throw new BackupFailure('refused', { ko: text('ko'), en: text('en') }, `fuser -v ${shellWord(target)}`)
}
