import type { DatabaseFacts, Manifest } from './manifest.ts'

/** What a database holds now; `same_past` says whether its record continues that of the backup. */
export interface Current extends DatabaseFacts {
  readonly same_past: boolean | null
}

/** Whether anybody has the database open. */
export interface InUse {
  /** Program and process id, as far as they can be seen. */
  readonly by: readonly string[]
  /** `open`: somebody has it open. `unknown`: too damaged to be locked, or there is nothing to lock. */
  readonly lock: 'free' | 'open' | 'unknown'
  /** null where the system does not tell. */
  readonly processes: { readonly looked: number; readonly hidden: number } | null
}

/** The restore as it would be done; a dry run and a real one show the same. */
export interface RestorePlan {
  readonly backup: string
  readonly folder: string
  readonly taken_at: string
  readonly age_ms: number
  readonly source: string
  readonly target: string
  /** null: there is no database. */
  readonly now: Current | { readonly unreadable: string } | null
  readonly then: DatabaseFacts
  /** null: unknown. */
  readonly lost: { readonly requests: number; readonly events: number } | null
  readonly diverged: boolean
  /** What is moved aside, and where to. */
  readonly files: readonly string[]
  readonly aside: string
  readonly in_use: InUse
  /** Other files of the backup, which stay where they are. */
  readonly others: readonly string[]
}

export interface Observed {
  readonly manifest: Manifest
  readonly folder: string
  readonly target: string
  readonly now: RestorePlan['now']
  /** Requests that left the database for archive files since the backup: they are not rows of it, and not lost. */
  readonly movedSince: number
  readonly files: readonly string[]
  readonly aside: string
  readonly inUse: InUse
  readonly at: number
}

export function restorePlan(observed: Observed): RestorePlan {
  const { manifest, folder, target, now, movedSince, files, aside, inUse, at } = observed
  const { schema_sha256, tables, newest_request, chain_head } = manifest.database
  const then = { schema_sha256, tables, newest_request, chain_head }
  return {
    backup: manifest.name,
    folder,
    taken_at: manifest.taken_at,
    age_ms: at - Date.parse(manifest.taken_at),
    source: manifest.database.source,
    target,
    now,
    then,
    lost: lostBetween(now, then, movedSince),
    diverged: now !== null && 'same_past' in now && now.same_past === false,
    files,
    aside,
    in_use: inUse,
    others: manifest.others.map(({ file }) => file),
  }
}

function lostBetween(now: RestorePlan['now'], then: DatabaseFacts, movedSince: number): RestorePlan['lost'] {
  if (now === null) return { requests: 0, events: 0 }
  if ('unreadable' in now || now.same_past === false) return null
  const requests = requestsOf(now) + movedSince - requestsOf(then)
  const events = (now.chain_head?.seq ?? 0) - (then.chain_head?.seq ?? 0)
  return { requests: Math.max(0, requests), events: Math.max(0, events) }
}

export const requestsOf = ({ tables }: DatabaseFacts): number => tables.approval_requests ?? 0

export const isInUse = ({ by, lock }: InUse): boolean => by.length > 0 || lock === 'open'
