import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupFailure } from './backup/failure.ts'
import type { Manifest } from './backup/manifest.ts'
import type { Place } from './backup-place.ts'
import { proveByRestore } from './backup-take.ts'
import { ReaderError } from './sql.ts'
import { fingerprintOf } from './system/durable.ts'

/** What is wrong with the contents of a backup, by reading all of it and restoring it to a scratch copy; or null. */
export async function problemOf(place: Place, manifest: Manifest): Promise<string | null> {
  const { name, database } = manifest
  const changed = await changedFile(place, manifest)
  if (changed !== null) return changed
  const { folder } = place
  const part = join(folder, `${name}.part`)
  try {
    await mkdir(part, { mode: 0o700 })
    const path = join(folder, name, database.file)
    await proveByRestore(place, path, join(part, database.file), database, path)
    return null
  } catch (error) {
    if (error instanceof ReaderError) return `${error.code}: ${error.detail}`
    if (error instanceof BackupFailure && error.kind === 'failed') return error.text.en
    throw error
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

/** The first file whose bytes are no longer those that were kept. */
export async function changedFile({ folder }: Place, { name, database, others }: Manifest): Promise<string | null> {
  for (const { file, sha256 } of [database, ...others]) {
    const found = await fingerprintOf(join(folder, name, file))
    if (found.sha256 !== sha256) return `${file}: SHA-256 ${found.sha256.slice(0, 12)}…, not ${sha256.slice(0, 12)}…`
  }
  return null
}
