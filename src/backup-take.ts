import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupFailure, backupText } from './backup/failure.ts'
import {
  backupName,
  DATABASE_FILE,
  type DatabaseFacts,
  difference,
  type KeptFile,
  MANIFEST_FILE,
  MANIFEST_SCHEMA,
  type Manifest,
  UNFINISHED_NAME,
} from './backup/manifest.ts'
import type { Taken } from './backup/report.ts'
import { kept } from './backup/retention.ts'
import { isWhole, shelf, takenAt } from './backup/shelf.ts'
import { explained, type Place, refuseFullDisk } from './backup-place.ts'
import { copyDatabase, inspect } from './store/backup.ts'
import { copyDurably, type Fingerprint, moveDurably, sync } from './system/durable.ts'

const SCRATCH_FILE = 'scratch.db'
/** Room for the small files and for SQLite's own. */
const MARGIN_BYTES = 16 * 1024 * 1024

/**
 * One backup: copied, restored to a scratch copy, compared, and only then given its name. Whatever ends it before
 * leaves a folder `*.part`, which the next one removes.
 * @throws BackupFailure
 */
export async function takeBackup(place: Place): Promise<Taken> {
  const { folder, now, settings, system, pause } = place
  const started = performance.now()
  const name = backupName(now)
  const part = join(folder, `${name}.part`)
  await removeUnfinished(folder)
  if (existsSync(join(folder, name))) {
    throw new BackupFailure('failed', backupText('exists', { name }), 'npm run backup -- list')
  }
  const bytes = await sizeOf(place)
  // The copy, and the scratch copy beside it.
  await refuseFullDisk(place, 2 * bytes + MARGIN_BYTES, 'disk_full', 'failed', folder)
  try {
    await mkdir(part, { mode: 0o700 })
    await pause('begun')
    const database = await keepDatabase(place, settings.SECURITY_DB_PATH, part, DATABASE_FILE)
    const { others, left_out } = await keepOthers(place, part)
    const manifest: Manifest = {
      schema: MANIFEST_SCHEMA,
      name,
      taken_at: new Date(now).toISOString(),
      took_ms: Math.round(performance.now() - started),
      database,
      others,
      left_out,
    }
    await system.replaceFile(join(part, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    await sync(part)
    await pause('manifest written')
    place.checkDeadline()
    await moveDurably(part, join(folder, name))
    await pause('named')
    return { manifest, folder: join(folder, name), ...(await prune(place)) }
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => {})
    throw explained(error, folder)
  }
}

async function sizeOf({ system, settings }: Place): Promise<number> {
  const path = settings.SECURITY_DB_PATH
  const facts = await Promise.all([path, `${path}-wal`].map((file) => system.stat(file).catch(() => null)))
  return facts.reduce((sum, found) => sum + (found?.size ?? 0), 0)
}

/** What a killed run left. Nobody else is at work: we have the lock. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (UNFINISHED_NAME.test(name)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

async function keepDatabase(
  place: Place,
  source: string,
  part: string,
  file: string,
): Promise<KeptFile & DatabaseFacts> {
  const copy = join(part, file)
  const wanted = await copyDatabase(source, copy)
  await chmod(copy, 0o600)
  await sync(copy)
  await place.pause(`copied ${file}`)
  place.checkDeadline()
  const print = await proveByRestore(place, copy, join(part, SCRATCH_FILE), wanted, source)
  return { file, source, ...print, ...wanted }
}

/**
 * Restores a copy to a scratch file as a restore would, and compares what that holds.
 * @param source what is damaged when the copy is
 * @returns size and SHA-256 of the copy
 */
export async function proveByRestore(
  place: Place,
  copy: string,
  scratch: string,
  wanted: DatabaseFacts,
  source: string,
): Promise<Fingerprint> {
  await rm(scratch, { force: true })
  try {
    const print = await copyDurably(copy, scratch)
    await place.pause('scratch copied')
    place.checkDeadline()
    const lacks = difference(wanted, await inspect(scratch, source))
    if (lacks) throw new BackupFailure('failed', backupText('not_equal', { detail: lacks }), 'npm run backup')
    return print
  } finally {
    await rm(scratch, { force: true })
  }
}

/** What a desk needs beside its requests. Each is worth less than the database: one that fails is named, no more. */
async function keepOthers(place: Place, part: string): Promise<Pick<Manifest, 'others' | 'left_out'>> {
  const { settings, envFile } = place
  const others: KeptFile[] = []
  const left_out: { file: string; reason: string }[] = []
  const copyOf = async (source: string, file: string): Promise<KeptFile> => ({
    file,
    source,
    ...(await copyDurably(source, join(part, file))),
  })
  const files: readonly [string, string, typeof copyOf][] = [
    [settings.OPS_DB_PATH, 'ops.db', (source, file) => keepDatabase(place, source, part, file)],
    [envFile, 'env', copyOf],
    [settings.POLICY_PATH, 'policy.json', copyOf],
  ]
  for (const [source, file, keep] of files) {
    if (!existsSync(source)) continue
    try {
      const { sha256, bytes } = await keep(source, file)
      others.push({ file, source, sha256, bytes })
    } catch (error) {
      if (error instanceof BackupFailure && error.kind === 'deadline') throw error
      await rm(join(part, file), { force: true })
      left_out.push({ file, reason: (error as Error).message })
    }
  }
  return { others, left_out }
}

/** Removes what is no longer needed. Only whole backups count and only whole ones are removed. */
async function prune({ folder, now, zone, system, pause }: Place): Promise<Pick<Taken, 'removed' | 'remove_failed'>> {
  const removed: string[] = []
  try {
    const whole = (await shelf(system, folder)).filter(isWhole)
    const stay = kept(
      whole.map((backup) => ({ name: backup.name, at: takenAt(backup) })),
      now,
      zone,
    )
    for (const { name } of whole.filter((backup) => !stay.has(backup.name))) {
      // A removal that is cut off must leave no half of a backup under its name.
      await rename(join(folder, name), join(folder, `${name}.removing`))
      await pause('removing')
      await rm(join(folder, `${name}.removing`), { recursive: true })
      removed.push(name)
    }
    return { removed, remove_failed: null }
  } catch (error) {
    return { removed, remove_failed: (error as Error).message }
  }
}
