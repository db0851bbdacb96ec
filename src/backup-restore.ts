import { existsSync } from 'node:fs'
import { chmod, chown, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupFailure, backupText } from './backup/failure.ts'
import { type DatabaseFacts, difference, type Manifest, restoreNotePath } from './backup/manifest.ts'
import type { RestorePlan } from './backup/plan.ts'
import type { Restored } from './backup/restore-report.ts'
import { putBack, type RestoreNote, readNote, SUFFIXES, writeNote } from './backup-note.ts'
import { type Place, refuseFullDisk } from './backup-place.ts'
import { lockOut, refuseInUse, useOf } from './backup-restore-plan.ts'
import { restoresPath } from './config.ts'
import type { Lang } from './report/document.ts'
import type { RestoreResult } from './report/restore-result.ts'
import { shellWord } from './report/unmeasured.ts'
import { inspect } from './store/backup.ts'
import { copyDurably, moveDurably } from './system/durable.ts'

const MARGIN_BYTES = 16 * 1024 * 1024

/** Who wants it, and why. */
export type Order = Pick<RestoreResult, 'reason' | 'by' | 'host'>

/**
 * Does what the plan says. From the note on, a run that is cut off leaves the database to `resume`, and no server
 * starts on what lies there.
 * @throws BackupFailure
 */
export async function restore(place: Place, plan: RestorePlan, manifest: Manifest, order: Order): Promise<Restored> {
  const { folder, settings, pause } = place
  const target = settings.SECURITY_DB_PATH
  const { database } = manifest
  await refuseFullDisk(place, database.bytes + MARGIN_BYTES, 'no_room', 'refused', dirname(target))
  const fresh = `${target}.restoring`
  let note: RestoreNote
  let finished_at: string
  try {
    await rm(fresh, { force: true })
    const taken = SUFFIXES.map((suffix) => plan.aside + suffix).find((path) => existsSync(path))
    if (taken !== undefined) throw new Error(`${taken} exists`)
    const { sha256 } = await copyDurably(join(folder, manifest.name, database.file), fresh)
    if (sha256 !== database.sha256) throw new Error(`SHA-256 ${sha256.slice(0, 16)}…`)
    await likeBefore(target, fresh)
    place.checkDeadline()
    await pause('copied')
    const { dev, ino } = await stat(fresh)
    note = {
      schema: 'ops.restore-note.v1',
      backup: manifest.name,
      taken_at: manifest.taken_at,
      started_at: new Date(place.now).toISOString(),
      finished_at: null,
      ...order,
      // What a database that is gone held is unknown.
      lost: plan.now === null ? null : plan.lost,
      holds: factsIn(database),
      target,
      aside: plan.aside,
      moved: SUFFIXES.filter((suffix) => existsSync(target + suffix)),
      fresh: `${dev}:${ino}`,
    }
    await writeNote(place, note)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw notBegun(error, folder)
  }
  try {
    await pause('noted')
    await exchange(place, note, fresh)
    const lacks = difference(note.holds, await inspect(target))
    if (lacks) throw new Error(lacks)
    await pause('verified')
    finished_at = new Date(place.clock()).toISOString()
    await writeNote(place, { ...note, finished_at })
  } catch (error) {
    throw await backAgain(place, note, error)
  }
  await pause('decided')
  return await finish(place, note, finished_at)
}

const factsIn = ({ schema_sha256, tables, newest_request, chain_head }: DatabaseFacts): DatabaseFacts => ({
  ...{ schema_sha256, tables, newest_request, chain_head },
})

/**
 * The files of before go aside, the database first: whoever only reads then finds none, instead of one without its
 * last transactions. The new one comes when nothing of the old is left that could be taken for its WAL.
 */
async function exchange({ pause }: Place, note: RestoreNote, fresh: string): Promise<void> {
  const { target, aside } = note
  // Again, after the note: whoever opened the database since has not seen it.
  const { use, release } = await lockOut(target)
  try {
    refuseInUse(use, target)
    for (const suffix of SUFFIXES) {
      if (existsSync(target + suffix)) await moveDurably(target + suffix, aside + suffix)
      await pause(`moved ${suffix || 'db'}`)
    }
  } finally {
    release()
  }
  for (const suffix of SUFFIXES) {
    if (existsSync(target + suffix))
      throw new BackupFailure('failed', backupText('appeared', { path: target + suffix }), '')
  }
  await moveDurably(fresh, target)
  await pause('placed')
}

/** The new file belongs to whom the old one did, else to whom the folder belongs: a restore is often done by root. */
async function likeBefore(target: string, fresh: string): Promise<void> {
  const old = await stat(target).catch(() => undefined)
  const { uid, gid } = old ?? (await stat(dirname(target)))
  const now = await stat(fresh)
  if (now.uid !== uid || now.gid !== gid) await chown(fresh, uid, gid)
  if (old) await chmod(fresh, old.mode & 0o777)
}

const notBegun = (error: unknown, folder: string): unknown => {
  if (error instanceof BackupFailure) return error
  const detail = (error as Error).message
  return new BackupFailure('refused', backupText('not_begun', { detail }), `df -h ${shellWord(folder)}`, {
    cause: error,
  })
}

/** @returns what to throw: how the restore ended */
async function backAgain(place: Place, note: RestoreNote, error: unknown): Promise<BackupFailure> {
  const why = (lang: Lang) => sentenceOf(error, lang)
  try {
    await putBack(place, note)
  } catch (worse) {
    return uncertain(note, (lang) => `${why(lang)}; ${sentenceOf(worse, lang)}`)
  }
  // Somebody had it open: nothing had been moved.
  if (error instanceof BackupFailure && error.kind === 'refused') return error
  const text = (lang: Lang) => backupText('restored_before', { detail: why(lang) })[lang]
  return new BackupFailure('restored', { ko: text('ko'), en: text('en') }, 'npm run backup -- verify')
}

/** The restore is done and proven: it is put down, and the way is free for the server. */
async function finish({ system, settings }: Place, note: RestoreNote, finished_at: string): Promise<Restored> {
  const { backup, taken_at, started_at, by, host, reason, lost, target, holds, moved } = note
  const aside = moved.length > 0 ? note.aside : null
  const restored = { backup, taken_at, started_at, finished_at, by, host, reason, lost, target, aside, holds }
  await system.appendLine(restoresPath(settings), JSON.stringify(restored))
  await system.remove(restoreNotePath(settings.SECURITY_DB_PATH))
  return restored
}

/**
 * A restore that was cut off: one that was verified is finished, any other is taken back.
 * @returns null when there is none; otherwise what it came to
 * @throws BackupFailure
 */
export async function resumeRestore(place: Place): Promise<Restored | 'taken back' | null> {
  const note = await readNote(place)
  if (note === null) return null
  refuseInUse(await useOf(note.target), note.target)
  if (note.finished_at !== null) return await finish(place, note, note.finished_at)
  try {
    await putBack(place, note)
    return 'taken back'
  } catch (error) {
    throw uncertain(note, (lang) => sentenceOf(error, lang))
  }
}

const sentenceOf = (error: unknown, lang: Lang): string =>
  error instanceof BackupFailure ? error.text[lang] : (error as Error).message

function uncertain(note: RestoreNote, detail: (lang: Lang) => string): BackupFailure {
  const text = (lang: Lang) => backupText('uncertain', { detail: detail(lang), aside: note.aside })[lang]
  return new BackupFailure('uncertain', { ko: text('ko'), en: text('en') }, `ls -l ${shellWord(dirname(note.target))}`)
}
