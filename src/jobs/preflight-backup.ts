import { restoreNotePath } from '../backup/manifest.ts'
import { newestWhole, shelf, takenAt } from '../backup/shelf.ts'
import { backupsPath } from '../config.ts'
import type { Evidence } from '../report/preflight-data.ts'
import { iso } from './check.ts'
import type { JobContext } from './job.ts'
import { proof } from './preflight-checks.ts'

const DAY = 86_400_000

/** A backup of the last 24 hours. One has a manifest only because a restore of it gave back the same. */
export async function recentCopy({
  system,
  settings,
  now,
}: Pick<JobContext, 'system' | 'settings' | 'now'>): Promise<Evidence> {
  if ((await system.stat(restoreNotePath(settings.SECURITY_DB_PATH))) !== null) {
    return proof('copy.interrupted', 'critical', {}, { next: 'npm run backup -- resume' })
  }
  const next = 'npm run backup'
  const last = newestWhole(await shelf(system, backupsPath(settings)), now)
  // One that is dated in the future tells nothing about today.
  if (!last || takenAt(last) > now) return proof('copy.none', 'critical', {}, { next })
  const at = iso(takenAt(last))
  const facts = { taken_at: at }
  if (now - takenAt(last) > DAY) return proof('copy.old', 'critical', facts, { at, next })
  return proof('copy.verified', 'ok', facts, { at })
}
