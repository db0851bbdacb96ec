import { restoreNotePath } from '../backup/manifest.ts'
import { isWhole, newestWhole, shelf, takenAt } from '../backup/shelf.ts'
import { backupsPath } from '../config.ts'
import { type Finding, LIMITS } from '../report/daily-check-data.ts'
import { finding, iso } from './check.ts'
import type { JobContext } from './job.ts'

const NEXT = { next: 'npm run backup' }

/**
 * The age of the last verified backup, by its manifest and by the presence and size of its files.
 * @param desk when the desk's record begins, ms; null when that is not known
 */
export async function checkBackup({ system, settings, now }: JobContext, desk: number | null): Promise<Finding> {
  const folder = backupsPath(settings)
  if ((await system.stat(restoreNotePath(settings.SECURITY_DB_PATH))) !== null) {
    return finding('backup.restore_cut_off', 'critical', {}, { next: 'npm run backup -- resume' })
  }
  const backups = await shelf(system, folder)
  const last = newestWhole(backups, now)
  if (last === undefined) return noneFinding(backups.length, now, desk)
  const at = takenAt(last)
  const facts = { taken_at: iso(at), size_bytes: last.manifest.database.bytes }
  if (at > now) return finding('backup.future', 'warning', facts, NEXT)
  const age = { ...facts, age_ms: now - at }
  const state = stateOf(now - at)
  if (state !== 'ok') return finding('backup.old', state, age, { since: at, ...NEXT })
  const broken = backups.filter((backup) => !isWhole(backup))
  if (broken.length > 0) {
    const names = broken.map(({ name }) => name)
    return finding('backup.broken', 'warning', { ...age, names }, { next: 'npm run backup -- list' })
  }
  return finding('backup.recent', 'ok', age)
}

function stateOf(age: number): 'ok' | 'warning' | 'critical' {
  if (age > LIMITS.backup_critical_ms) return 'critical'
  return age > LIMITS.backup_warning_ms ? 'warning' : 'ok'
}

/** A desk that is younger than a backup may be has not missed any yet. */
function noneFinding(broken: number, now: number, desk: number | null): Finding {
  if (broken > 0) return finding('backup.none_whole', 'critical', { broken }, { next: 'npm run backup -- list' })
  if (desk === null) return finding('backup.none', 'unknown', {}, NEXT)
  const state = stateOf(now - desk)
  if (state === 'ok') return finding('backup.none_yet', 'ok', { desk_at: iso(desk) })
  return finding('backup.none', state, {}, { since: desk, ...NEXT })
}
