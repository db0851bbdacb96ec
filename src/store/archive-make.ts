import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Archive, type AuditState, type Cut, endOf } from '../approval/archive.ts'
import { type Place, stateAfter, walkSegment } from '../approval/audit-segment.ts'
import { archiveQueries } from '../queries.ts'
import { archiveSegment, writeLabel } from './archive-read.ts'
import { prepareAll, type Statements } from './statements.ts'

export interface MakeTask {
  readonly database: string
  readonly folder: string
  /** Oldest first: the first one that has something to move is moved. Instants as the database writes them. */
  readonly months: readonly { readonly month: string; readonly until: string }[]
  readonly now: string
  /** What was moved so far. */
  readonly cut: Cut
}

export interface Made {
  readonly archive: Archive
  readonly state: AuditState
  /** The verified file, on disk, not yet under its name. */
  readonly part: string
}

/** Rows that one statement reads: no read of the server's database lasts long enough to keep its WAL from being emptied. */
const PAGE = 1000

/**
 * Copies what is old into a file of its own and verifies the copy, for each event and request with the audit's code.
 * Nothing is taken out of the database, and nothing is under a final name.
 * @returns null when none of the months has anything that could be moved
 * @throws Error when the copy is not provable, or cannot be written
 */
export async function makeArchive({ database, folder, months, now, cut }: MakeTask): Promise<Made | null> {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.endsWith('.part')) rmSync(join(folder, name), { force: true })
  for (const { month, until } of months) {
    const part = join(folder, `${month}.db.${process.pid}.part`)
    try {
      const end = copyMonth(database, part, { until, now, start: endOf(cut) })
      const made = end && (await verified(database, part, { month, until, end, cut }))
      if (made) return made
    } catch (error) {
      rmSync(part, { force: true })
      throw new Error(`the archive of ${month}: ${(error as Error).message}`, { cause: error })
    }
    rmSync(part, { force: true })
  }
  return null
}

/** @returns the last event that was copied; null when neither an event nor a request was */
function copyMonth(
  database: string,
  part: string,
  { until, now, start }: { until: string; now: string; start: Place },
): Place | null {
  const db = new Database(part)
  try {
    // What is not whole is thrown away: no journal is needed.
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    // The users that old rows may point at are not here.
    db.pragma('foreign_keys = OFF')
    db.prepare('ATTACH DATABASE ? AS live').run(database)
    for (const table of ['approval_requests', 'approval_events', 'request_life']) {
      // The same columns, whatever the old system had there.
      db.prepare(db.prepare('SELECT sql FROM live.sqlite_master WHERE name = ?').pluck().get(table) as string).run()
    }
    const sql = prepareAll(db, archiveQueries)
    const end = chooseEnd(sql, start, sql.copyLimit.get({ after: start.seq, until, now })!.seq ?? 0)
    for (let after = start.seq; after < end; after += PAGE) {
      const stretch = { after, until: Math.min(after + PAGE, end) }
      sql.copyEvents.run(stretch)
      sql.copyRequests.run(stretch)
      sql.copyLife.run(stretch)
    }
    while (sql.copyAdopted.run({ until, limit: 10 * PAGE }) > 0);
    const { events, requests } = sql.counts.get({})!
    if (events === 0 && requests === 0) return null
    const last = db.prepare('SELECT seq, hash FROM main.approval_events ORDER BY seq DESC LIMIT 1').get()
    return (last as Place | undefined) ?? start
  } finally {
    db.close()
  }
}

/** The last place before the limit where no request is half done and the gate is not off: both sides tell all of it. */
function chooseEnd(sql: Statements<typeof archiveQueries>, start: Place, before: number): number {
  let end = start.seq
  let reach = 0
  let isGateOff = false
  for (let after = start.seq; ; ) {
    const rows = sql.copyReach.all({ after, before, limit: PAGE })
    for (const { seq, type, waits, last } of rows) {
      if (type === 'gate_off') isGateOff = true
      if (type === 'gate_on') isGateOff = false
      if (type === 'created') reach = Math.max(reach, waits ? Number.POSITIVE_INFINITY : last)
      if (!isGateOff && reach <= seq) end = seq
    }
    if (rows.length < PAGE || reach === Number.POSITIVE_INFINITY) return end
    after = rows.at(-1)!.seq
  }
}

interface Copied {
  readonly month: string
  readonly until: string
  readonly end: Place
  readonly cut: Cut
}

/** Reads the copy back from its file. */
async function verified(database: string, part: string, { month, until, end, cut }: Copied): Promise<Made> {
  const start = endOf(cut)
  const wrong: string[] = []
  const walk = async () => {
    const db = new Database(part, { readonly: true })
    try {
      const verdict = db.pragma('integrity_check', { simple: true })
      if (verdict !== 'ok') wrong.push(`its file is damaged (${verdict})`)
      const report = (what: string, { seq, request_id }: { seq?: number; request_id?: string | null } = {}) =>
        wrong.push(`${seq ?? request_id ?? ''} ${what}`.trim())
      const walked = await walkSegment(archiveSegment(db), {
        ...{ start, state: cut.state, until: Number.POSITIVE_INFINITY, report },
      })
      // Whoever attaches through a connection that cannot write, cannot write there either.
      db.prepare('ATTACH DATABASE ? AS live').run(database)
      const { events, requests } = prepareAll(db, { counts: archiveQueries.counts }).counts.get({})!
      if (walked.end.seq !== end.seq || events !== end.seq - start.seq) wrong.push('not every event is in it')
      if (walked.requests + walked.adopted !== requests) wrong.push('not every request in it belongs there')
      if (sameRows(db) !== requests) wrong.push('a request in it is not what it is in the database')
      return walked
    } finally {
      db.close()
    }
  }
  const walked = await walk()
  if (wrong.length > 0) throw new Error(`cannot be proven, so nothing was moved: ${wrong.slice(0, 3).join('; ')}`)
  const state = stateAfter(walked)
  const facts = {
    ...{ month, file: `${month}.db`, until, first_seq: start.seq + 1, last_seq: end.seq, last_hash: end.hash },
    ...{ requests: walked.requests, adopted: walked.adopted },
  }
  writeLabel(part, { ...facts, prev_hash: start.hash, before: cut.state, after: state })
  const archive = { ...facts, sha256: flushed(part) }
  return { archive, state, part }
}

/** How many requests are, column by column and type by type, those of the database? */
function sameRows(db: Database.Database): number {
  const columns = db.prepare("SELECT name FROM pragma_table_info('approval_requests')").pluck().all() as string[]
  const same = columns.map((name) => {
    const column = `"${name.replaceAll('"', '""')}"`
    return `a.${column} IS b.${column} AND typeof(a.${column}) = typeof(b.${column})`
  })
  const from = 'main.approval_requests a JOIN live.approval_requests b ON b.request_id = a.request_id'
  const where = ['a.rowid > :after AND a.rowid <= :until', ...same].join(' AND ')
  const count = db.prepare(`SELECT count(*) FROM ${from} WHERE ${where}`).pluck()
  const most = db.prepare('SELECT coalesce(max(rowid), 0) FROM main.approval_requests').pluck().get() as number
  let found = 0
  for (let after = 0; after < most; after += PAGE) found += count.get({ after, until: after + PAGE }) as number
  return found
}

/** Brings the file to the disk. @returns its SHA-256 */
function flushed(path: string): string {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
    const hash = createHash('sha256')
    const buffer = Buffer.alloc(1 << 20)
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) hash.update(buffer.subarray(0, n))
    return hash.digest('hex')
  } finally {
    closeSync(fd)
  }
}
