import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Archive, cutOf } from './approval/archive.ts'
import { SERVER_ACTOR } from './approval/identity.ts'
import type { Store } from './approval/store.ts'
import type { Archiver } from './archiver-child.ts'
import { monthsDue } from './report/months.ts'
import { sqlBound, sqlTime } from './sql.ts'
import { archivedLife, archivedRequests, replaces } from './store/archive-read.ts'

export interface RetentionDeps {
  readonly store: Store
  readonly archiver: Archiver
  readonly database: string
  readonly folder: string
  readonly settings: () => { readonly RETENTION_DAYS: number | null; readonly OPS_TIMEZONE: string }
  readonly clock: () => number
  /** Runs the work while nobody audits the record. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>
  readonly stopping: AbortSignal
  readonly log: { error: (facts: object, text: string) => void }
}

/** Moves what is old out of the database, month by month. */
export interface Retention {
  /** Looks whether something is due, once a day and after a failure once an hour. Never rejects. */
  look(which?: 'now'): Promise<void>
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Rows that one transaction takes out: whoever waits for a commit of their own does not feel it. */
const ROWS = 100
/** Events lie side by side, and have few indexes: more of them at once cost no more. */
const EVENTS = 250

export function createRetention(deps: RetentionDeps): Retention {
  const { store, archiver, database, folder, settings, clock, alone, stopping, log } = deps
  let next = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | undefined
  /** The month whose rows are certainly gone from the database. */
  let swept = ''

  /** Puts the verified file under its name, and takes its rows out of the database. False: another was faster. */
  async function move(archive: Archive, state: ReturnType<typeof cutOf>['state'], part: string): Promise<boolean> {
    const place = () => {
      keepEarlier(part, join(folder, archive.file), clock())
      renameSync(part, join(folder, archive.file))
      flushFolder(folder)
    }
    if (!(await store.archive(archive, state, SERVER_ACTOR, clock(), place))) {
      rmSync(part, { force: true })
      return false
    }
    await sweep(archive)
    return true
  }

  /** Requests first: as long as an archived event is here, the sweep is not over. */
  async function sweep({ month, file }: Archive): Promise<void> {
    for (const page of archivedRequests(join(folder, file), ROWS)) {
      await store.dropRequests(page)
      await breathe()
    }
    for (const page of archivedLife(join(folder, file), ROWS)) {
      await store.dropLife(page)
      await breathe()
    }
    while ((await store.dropEvents(EVENTS)) > 0) await breathe()
    swept = month
  }

  /** As much time for others as the rows took, at least. */
  async function breathe(): Promise<void> {
    await sleep(10)
    stopping.throwIfAborted()
  }

  /** Goes on where a crash or a full disk ended the sweep; not without the file that has the rows. */
  async function finish(last: Archive): Promise<void> {
    if (last.month === swept) return
    const first = await store.firstSeq()
    const isOver = last.last_seq >= last.first_seq && first !== undefined && first > last.last_seq
    if (!isOver) {
      const { missing, problems } = await archiver.verify({ folder, archives: [last], isAll: false })
      const [what] = [...missing.map((file) => `${file} is missing`), ...problems.map(({ what }) => what)]
      if (what !== undefined) throw new Error(`the rows of ${last.month} stay in the database: ${what}`)
      await alone(() => sweep(last))
    }
    swept = last.month
  }

  async function moveAll(): Promise<void> {
    for (;;) {
      const cut = cutOf(await store.lastEvent('archived'))
      const last = cut.archives.at(-1)
      if (last) await finish(last)
      const { RETENTION_DAYS: days, OPS_TIMEZONE: zone } = settings()
      if (days === null) return
      const now = clock()
      const oldest = await store.oldest(now - days * DAY)
      if (oldest === undefined) return
      const due = monthsDue({ oldest, last: last?.month, now, zone }, days)
      if (due.length === 0) return
      const months = due.map(({ month, until }) => ({ month, until: sqlBound(until) }))
      const made = await archiver.make({ database, folder, months, now: sqlTime(now), cut })
      if (made === null) return
      if (!(await alone(() => move(made.archive, made.state, made.part)))) return
    }
  }

  async function run(): Promise<void> {
    next = clock() + DAY
    try {
      await moveAll()
    } catch (error) {
      if (stopping.aborted) return
      next = clock() + HOUR
      log.error({ err: error }, 'what is older than RETENTION_DAYS was not moved; trying again in an hour')
    }
  }

  return {
    look(which) {
      if (underWay) return underWay
      if (stopping.aborted || (which !== 'now' && clock() < next)) return Promise.resolve()
      underWay = run().finally(() => {
        underWay = undefined
      })
      return underWay
    },
  }
}

/**
 * After a restore of an older backup a month is moved out anew. What was decided between backup and restore is in no
 * other file than the month's earlier one.
 */
function keepEarlier(part: string, path: string, now: number): void {
  if (!existsSync(path) || replaces(part, path)) return
  renameSync(path, `${path}.before-${sqlTime(now).replace(/[-:]/g, '').replace(' ', 'T')}Z`)
}

/** A name is on disk when its folder is. */
function flushFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
