import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import Database from 'better-sqlite3'
import { type Archive, type AuditState, archiveData, isSame, UNCUT } from '../approval/archive.ts'
import { type ArchivesAudit, type Head, MAX_PROBLEMS, type Problem } from '../approval/audit.ts'
import { type Segment, stateAfter, walkSegment } from '../approval/audit-segment.ts'
import { GENESIS } from '../approval/chain.ts'
import type { ArchivedLife, ArchivedRequest } from '../approval/store.ts'
import { archivedQueries, archiveQueries, storeQueries } from '../queries.ts'
import { toEvent } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'

/** What an archive says of itself, so that it can be verified without the ones before it. */
interface Label extends Omit<Archive, 'sha256'> {
  readonly prev_hash: string
  readonly before: AuditState
  readonly after: AuditState
}

/** An archive's tables have the names and columns of the database's: the audit reads them with the same statements. */
export function archiveSegment(db: Database.Database): Segment {
  const { eventPage, requestAudited } = storeQueries
  const sql = prepareAll(db, { eventPage, requestAudited })
  return {
    events: async (after, limit) => sql.eventPage.all({ after, limit }).map(toEvent),
    auditedRequests: async (after, limit) => sql.requestAudited.all({ after, limit }),
  }
}

export function writeLabel(path: string, label: Label): void {
  const db = new Database(path)
  try {
    db.pragma('journal_mode = OFF')
    db.exec('CREATE TABLE archive (key TEXT PRIMARY KEY, value TEXT NOT NULL)')
    const insert = db.prepare('INSERT INTO archive (key, value) VALUES (?, ?)')
    for (const [key, value] of Object.entries(label)) {
      insert.run(key, typeof value === 'object' ? JSON.stringify(value) : String(value))
    }
  } finally {
    db.close()
  }
}

function readLabel(db: Database.Database): Label {
  const rows = db.prepare('SELECT key, value FROM archive').raw().all() as [string, string][]
  const text = Object.fromEntries(rows)
  const numbers = ['first_seq', 'last_seq', 'requests', 'adopted'].map((key) => [key, Number(text[key])])
  const states = ['before', 'after'].map((key) => [key, JSON.parse(text[key] ?? 'null')])
  return { ...text, ...Object.fromEntries([...numbers, ...states]) } as Label
}

export interface VerifyTask {
  readonly folder: string
  /** As the record tells of them, oldest first, one after the other. */
  readonly archives: readonly Archive[]
  /** There are none before these: the first one begins with nothing. */
  readonly isAll: boolean
  readonly known?: Head | undefined
}

/** Is each file the recorded one, and is what is in it provable, up to the next one? */
export async function verifyArchives({ folder, archives, isAll, known }: VerifyTask): Promise<ArchivesAudit> {
  const problems: Problem[] = []
  const missing: string[] = []
  const sum = { verified: 0, events: 0, requests: 0 }
  let state: AuditState | null = isAll ? UNCUT.state : null
  let last: Archive | undefined
  let foundHead = false
  for (const archive of archives) {
    const { file } = archive
    const report = (what: string, at: { seq?: number; request_id?: string | null } = {}) => {
      if (problems.length >= MAX_PROBLEMS) return
      problems.push({ seq: at.seq ?? null, request_id: at.request_id ?? null, what: `archive ${file}: ${what}` })
    }
    if (last && archive.first_seq !== last.last_seq + 1) report(`does not continue ${last.file}`)
    const before = { state, hash: archive.first_seq === 1 ? GENESIS : last?.last_hash }
    last = archive
    state = null
    try {
      if ((await sha256Of(join(folder, file))) !== archive.sha256) {
        report('was changed: its SHA-256 is not the recorded one')
        continue
      }
      const each = ({ seq, hash }: Head) => {
        foundHead ||= seq === known?.seq && hash === known.hash
      }
      const walked = await walkFile(join(folder, file), archive, before, report, each)
      state = walked.after
      sum.verified++
      sum.events += archive.last_seq - archive.first_seq + 1
      sum.requests += walked.requests
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') missing.push(file)
      else report(`cannot be read: ${(error as Error).message}`)
    }
  }
  return { ...sum, missing, problems, state: archives.length > 0 ? state : null, foundHead }
}

async function walkFile(
  path: string,
  archive: Archive,
  before: { state: AuditState | null; hash: string | undefined },
  report: (what: string, at?: object) => void,
  each: (head: Head) => void,
): Promise<{ after: AuditState; requests: number }> {
  const db = new Database(path, { readonly: true })
  try {
    const label = readLabel(db)
    if (!isSame(archiveData({ ...label, sha256: archive.sha256 }), archive)) report('its label is not the recorded one')
    if ((before.hash ?? label.prev_hash) !== label.prev_hash) report('does not continue the one before it')
    if (before.state && !isSame(before.state, label.before))
      report('begins with other users than the one before it left')
    const start = { seq: archive.first_seq - 1, hash: label.prev_hash }
    const walk = { start, state: label.before, until: Number.POSITIVE_INFINITY, report, each }
    const walked = await walkSegment(archiveSegment(db), walk)
    const { end } = walked
    if (end.seq !== archive.last_seq || end.hash !== archive.last_hash) report('does not end where the record says')
    if (walked.requests !== archive.requests || walked.adopted !== archive.adopted)
      report('requests were added or taken')
    if (!isSame(stateAfter(walked), label.after)) report('leaves other users than it says')
    return { after: label.after, requests: walked.requests + walked.adopted }
  } finally {
    db.close()
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** The requests that an archive holds, in pages. */
export function archivedRequests(path: string, limit: number): Generator<ArchivedRequest[], void, undefined> {
  return pagesOf(path, ({ requestPage }, last?: { place: number }) =>
    requestPage.all({ after: last?.place ?? 0, limit }),
  )
}

/** Whether an archive has all that an earlier one of the same month has; not, when that one cannot be read. */
export function replaces(path: string, earlier: string): boolean {
  const db = new Database(path, { readonly: true })
  try {
    db.prepare('ATTACH DATABASE ? AS live').run(earlier)
    return prepareAll(db, { lacks: archiveQueries.lacks }).lacks.get({})!.lacks === 0
  } catch {
    return false
  } finally {
    db.close()
  }
}

/** What it holds of their lives. */
export function archivedLife(path: string, limit: number): Generator<ArchivedLife[], void, undefined> {
  return pagesOf(path, ({ lifePage }, last?: Pick<ArchivedLife, 'created_seq' | 'what' | 'who'>) => {
    const { created_seq, what, who } = last ?? { created_seq: 0, what: '', who: '' }
    return lifePage.all({ created_seq, what, who, limit })
  })
}

function* pagesOf<Row, Last>(
  path: string,
  read: (sql: Statements<typeof archivedQueries>, last?: Last) => (Row & Last)[],
): Generator<Row[], void, undefined> {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    const sql = prepareAll(db, archivedQueries)
    for (let rows = read(sql); rows.length > 0; rows = read(sql, rows.at(-1))) yield rows
  } finally {
    db.close()
  }
}
