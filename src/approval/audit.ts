import { type Archive, type AuditState, archiveData, cutOf, endOf, isSame } from './archive.ts'
import { walkSegment } from './audit-segment.ts'
import { userDisagreements } from './audit-user.ts'
import type { Store } from './store.ts'

export interface Head {
  readonly seq: number
  readonly hash: string
}

export interface Problem {
  readonly seq: number | null
  readonly request_id: string | null
  readonly what: string
}

/** What the archives came to, each walked like the record itself. */
export interface ArchivesAudit {
  /** Files that are there and are the recorded ones. */
  readonly verified: number
  readonly events: number
  readonly requests: number
  /** Files that are not there: no fault of the record, but nobody has verified them. */
  readonly missing: readonly string[]
  readonly problems: readonly Problem[]
  /** What the newest one leaves to the record behind it; null when it could not be walked. */
  readonly state: AuditState | null
  readonly foundHead: boolean
}

/** Walks the files that these entries tell of, oldest first. */
export type ReadArchives = (archives: readonly Archive[], known?: Head) => Promise<ArchivesAudit>

export interface AuditResult {
  readonly ok: boolean
  /** All events that were walked, archived ones included. */
  readonly events: number
  readonly requests: number
  readonly archives: { readonly verified: number; readonly events: number; readonly missing: readonly string[] }
  /** Write it down elsewhere: a later chain that does not contain it was cut or rewritten. */
  readonly head: Head | null
  readonly problems: readonly Problem[]
}

export type AuditSource = Pick<
  Store,
  'events' | 'lastEvent' | 'auditedRequests' | 'users' | 'missingGuards' | 'archives'
>

/** More than these are not told: the record is broken, however many there are. */
export const MAX_PROBLEMS = 100

/** For whoever has no folder of archives: what was not looked at counts as missing. */
const leaveUnread: ReadArchives = async (archives) => ({
  ...{ verified: 0, events: 0, requests: 0, problems: [], state: null, foundHead: false },
  missing: archives.map(({ file }) => file),
})

/**
 * Walks the whole record: the archives, as far as they are there, then the database from the cut on; and every user
 * and token against the acts that made them. What happens during the walk is left to the next one.
 * @param known a head written down earlier: the record must still contain it
 */
export async function verifyAudit(
  source: AuditSource,
  known?: Head,
  readArchives: ReadArchives = leaveUnread,
): Promise<AuditResult> {
  const problems: Problem[] = []
  const report = (what: string, at: { seq?: number; request_id?: string | null } = {}) => {
    if (problems.length >= MAX_PROBLEMS) return
    problems.push({ seq: at.seq ?? null, request_id: at.request_id ?? null, what })
  }
  for (const name of await source.missingGuards()) report(`the trigger ${name}, which keeps the record, is gone`)

  const until = (await source.lastEvent())?.seq ?? 0
  const cut = cutOf(await source.lastEvent('archived'))
  const start = endOf(cut)
  if (!isSame((await source.archives()).map(archiveData), cut.archives)) {
    report('the table of archives is not the recorded one')
  }
  const archived = await (cut.archives.length > 0 ? readArchives : leaveUnread)(cut.archives, known)
  for (const { what, seq, request_id } of archived.problems) report(what, { ...(seq !== null && { seq }), request_id })
  if (archived.state && !isSame(archived.state, cut.state)) {
    report('the users and requests that the record takes over from the archives are not theirs')
  }

  // A head that lies in a file that is not there is looked up when it is there again.
  const isElsewhere = known !== undefined && known.seq <= start.seq && archived.missing.length > 0
  let found = known === undefined || archived.foundHead || isElsewhere
  const walked = await walkSegment(source, {
    ...{ start, state: cut.state, until, report },
    each: ({ seq, hash }) => {
      found ||= seq === known?.seq && hash === known.hash
    },
  })
  if (!found) report(`does not contain ${known?.seq}:${known?.hash}, which it once ended with: it was cut or rewritten`)
  for (const what of userDisagreements(walked.users, await source.users())) report(what)
  if (walked.unseen !== 0) {
    const counted = walked.adopted + walked.unseen
    const what = 'requests of the old system were taken away, or put in'
    report(`${what}: the record tells of ${counted}, the table of ${walked.adopted}`)
  }
  const { end } = walked
  return {
    ok: problems.length === 0,
    events: archived.events + end.seq - start.seq,
    requests: archived.requests + walked.requests + walked.adopted,
    archives: { verified: archived.verified, events: archived.events, missing: archived.missing },
    head: end.seq > 0 ? end : null,
    problems,
  }
}
