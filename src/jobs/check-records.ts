import type { Finding, Yesterday } from '../report/daily-check-data.ts'
import type { UnapprovedCalls } from '../report/daily-report-data.ts'
import type { Period } from '../report/period.ts'
import type { ReadTransaction } from '../sql.ts'
import { attempt, finding, unmeasured } from './check.ts'
import { openDatabase, unreadable } from './check-database.ts'
import { type DeskFacts, openFinding, readDesk, zombiesFinding } from './check-desk.ts'
import { rejectionsFinding } from './check-rejections.ts'
import { readYesterday, yesterdayFinding } from './check-yesterday.ts'
import { readUnapproved } from './daily-report-record.ts'
import { readGateOff } from './gate-periods.ts'
import type { JobContext } from './job.ts'

const DAY = 86_400_000

/** All that the daily check reads from security.db; null for what could not be read. */
export interface Records {
  readonly database: Finding
  readonly desk: DeskFacts | null
  readonly gateOff: readonly Period[] | null
  /** Of the last 24 hours. */
  readonly unapproved: UnapprovedCalls | null
  readonly yesterday: Yesterday | null
}

/** Each part is read by itself: a damaged page in one of them hides no other. */
export async function readRecords(context: JobContext, limitMillis: number): Promise<Records> {
  const nothing = { desk: null, gateOff: null, unapproved: null, yesterday: null }
  const opened = await attempt(limitMillis, () => openDatabase(context))
  if (!opened.done) return { ...nothing, database: unmeasured('database', opened) }
  const { reader } = opened.value
  let database = opened.value.finding
  if (reader === null) return { ...nothing, database }
  const part = <T>(work: (tx: ReadTransaction) => T): T | null => {
    try {
      return reader.read(work)
    } catch (error) {
      database = unreadable(error as Error, context.settings.SECURITY_DB_PATH)
      return null
    }
  }
  const { now, zone } = context
  try {
    const desk = part((tx) => readDesk(tx, now))
    const lastDay = { from: now - DAY, until: now }
    const gateOff = part((tx) => readGateOff(tx, lastDay))
    const unapproved = part((tx) => readUnapproved(tx, lastDay))
    const yesterday = part((tx) => readYesterday(tx, now, zone))
    return { desk, gateOff, unapproved, yesterday, database }
  } finally {
    reader.close()
  }
}

export interface Around {
  readonly now: number
  readonly maxPending: number
  /** A server is there to expire what is due. */
  readonly answers: boolean
}

/** One finding for each check that needs the database; what it could not tell is said as such. */
export function recordFindings(records: Records, { now, maxPending, answers }: Around): Finding[] {
  const { database, desk, yesterday } = records
  const next = database.state === 'ok' ? 'npm run daily-check' : database.next_command
  const none = (key: 'open' | 'zombies' | 'audit' | 'yesterday' | 'rejections') =>
    finding(`${key}.unmeasured`, 'unknown', {}, { next })
  return [
    desk ? openFinding(desk.open, maxPending, now) : none('open'),
    desk ? zombiesFinding(desk.zombies, answers) : none('zombies'),
    yesterday ? yesterdayFinding(yesterday) : none('yesterday'),
    yesterday ? rejectionsFinding(yesterday) : none('rejections'),
    database,
    desk ? desk.audit : none('audit'),
  ]
}
