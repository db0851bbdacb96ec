import { dirname } from 'node:path'
import { reportQueries } from '../queries.ts'
import type { Period } from '../report/period.ts'
import type { Size } from '../report/timeout-diagnosis-data.ts'
import { fromSqlTime, type ReadTransaction } from '../sql.ts'
import type { System } from '../system/system.ts'
import { readTotals } from './statistics.ts'

const DAY = 86_400_000

type Growth = Pick<
  Size,
  'free_pages_bytes' | 'requests' | 'bytes_per_request' | 'requests_per_day' | 'growth_bytes_per_day'
>

/**
 * How fast the database grows: the requests of a day, of those that the period has, times what a request takes with its
 * events and indexes on the average of the file. Unknown with less than a day of data.
 */
export function readGrowth(tx: ReadTransaction, period: Period, now: number): Growth {
  const { page_size, page_count, freelist_count, requests } = tx.one(reportQueries.checkFile, {})!
  const first = fromSqlTime(tx.one(reportQueries.firstRequest, {})!.first ?? '')
  const days = (period.until - Math.max(period.from, first)) / DAY
  const { total, unknown_status } = readTotals(tx, period, now)
  const asked = total + unknown_status
  const bytes_per_request = requests > 0 ? ((page_count - freelist_count) * page_size) / requests : null
  const requests_per_day = days >= 1 ? asked / days : null
  const growth = bytes_per_request === null || requests_per_day === null ? null : bytes_per_request * requests_per_day
  return {
    free_pages_bytes: freelist_count * page_size,
    requests,
    bytes_per_request: rounded(bytes_per_request),
    requests_per_day: rounded(requests_per_day),
    growth_bytes_per_day: rounded(growth),
  }
}

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value))

/** The files as they lie on the disk, and how long the disk lasts at this rate. */
export async function measureSize(
  system: Pick<System, 'stat' | 'statfs'>,
  path: string,
  growth: Growth,
): Promise<Size> {
  const [db, wal, shm] = await Promise.all(['', '-wal', '-shm'].map((end) => system.stat(`${path}${end}`)))
  const disk_free_bytes = await system.statfs(dirname(path)).then(
    ({ free }) => free,
    () => null,
  )
  const { growth_bytes_per_day: daily } = growth
  const days_to_full = disk_free_bytes === null || !daily ? null : Math.floor(disk_free_bytes / daily)
  return {
    ...{ db_bytes: db?.size ?? 0, wal_bytes: wal?.size ?? 0, shm_bytes: shm?.size ?? 0 },
    ...growth,
    ...{ disk_free_bytes, days_to_full },
  }
}
