import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupFailure, backupText, type FailureKind } from './backup/failure.ts'
import { restoreNotePath } from './backup/manifest.ts'
import type { Settings } from './config.ts'
import { size } from './report/daily-check-text.ts'
import { localTime } from './report/period.ts'
import { causeOf, remedyOf, shellWord } from './report/unmeasured.ts'
import { ReaderError } from './sql.ts'
import { DiskFullError } from './store/backup.ts'
import { lockFile } from './store/lock-file.ts'
import type { System } from './system/system.ts'

/** What a backup and a restore work with. */
export interface Place {
  readonly settings: Settings
  readonly envFile: string
  readonly system: System
  /** `data/backups` */
  readonly folder: string
  readonly zone: string
  /** The one instant of the run, ms since 1970. */
  readonly now: number
  /** What time it is, from `now` on. */
  readonly clock: () => number
  /** @throws BackupFailure when the run's deadline has passed */
  readonly checkDeadline: () => void
  /** Called at named points of the run; tests stop there. */
  readonly pause: (moment: string) => Promise<void>
}

/**
 * Makes sure that this is the only backup or restore of this desk.
 * @returns what ends that
 * @throws BackupFailure
 */
export async function enter(place: Place): Promise<() => void> {
  const { folder, settings, system } = place
  if ((await system.stat(dirname(settings.SECURITY_DB_PATH))) === null) {
    throw explained(new ReaderError('missing', settings.SECURITY_DB_PATH, 'ENOENT'), folder)
  }
  let release: (() => void) | undefined
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    release = lockFile(join(folder, 'lock.db'))
  } catch (error) {
    throw explained(error, folder)
  }
  if (!release) throw new BackupFailure('held', backupText('held', {}), 'npm run backup -- list')
  return release
}

/** A restore that was cut off comes first: until then nobody can say which database is the real one. */
export async function refuseUnfinished({ settings, zone }: Place): Promise<void> {
  const path = restoreNotePath(settings.SECURITY_DB_PATH)
  if (!existsSync(path)) return
  const { backup, started_at } = JSON.parse(await readFile(path, 'utf8')) as { backup: string; started_at: string }
  const at = localTime(Date.parse(started_at), zone, 'YYYY-MM-DD HH:mm')
  throw new BackupFailure('refused', backupText('unfinished', { backup, at }), 'npm run backup -- resume')
}

export async function refuseFullDisk(
  { system }: Place,
  needed: number,
  key: 'disk_full' | 'no_room',
  kind: FailureKind,
  folder: string,
): Promise<void> {
  const { free } = await system.statfs(folder)
  if (free >= needed) return
  const facts = { folder, free: size(free), needed: size(needed) }
  throw new BackupFailure(kind, backupText(key, facts), `df -h ${shellWord(folder)}`)
}

/** Whatever a backup ran into, as a sentence and what to type next. */
export function explained(error: unknown, folder: string): unknown {
  if (error instanceof BackupFailure) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (error instanceof DiskFullError || ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)) {
    return new BackupFailure('failed', backupText('disk_filled', { folder }), `df -h ${shellWord(folder)}`)
  }
  if (error instanceof ReaderError) {
    const isDamaged = error.code === 'corrupt' || error.code === 'not_a_database'
    const text = { ko: sentence(error, 'ko'), en: sentence(error, 'en') }
    return new BackupFailure(isDamaged ? 'failed' : 'unmeasured', text, remedyOf(error), { cause: error })
  }
  if (['EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EEXIST'].includes(code)) {
    const text = backupText('cannot_write', { folder, detail: message })
    return new BackupFailure('failed', text, `ls -ld ${shellWord(folder)}`, { cause: error })
  }
  return error
}

const sentence = (error: ReaderError, lang: 'ko' | 'en'): string =>
  backupText('unreadable', { cause: causeOf(error, lang) })[lang]
