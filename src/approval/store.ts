import type { Archive, AuditState } from './archive.ts'
import type { AuditedRequest } from './audit-request.ts'
import type { Consumption, Transition } from './decide.ts'
import type { ApprovalError } from './errors.ts'
import type { RecordedCalls } from './forecast.ts'
import type { Actor, Role, User } from './identity.ts'
import type { Sighting } from './life.ts'
import type { Call, Level, Request, Status } from './request.ts'

/** What happened: one row per transition, bypassed call and administrative act. */
export type EventType =
  | Exclude<Status, 'pending'>
  | 'created'
  | 'consumed'
  | 'bypassed'
  | 'gate_off'
  | 'gate_on'
  | 'config_reloaded'
  | 'server_started'
  | 'server_stopped'
  | 'user_added'
  | 'user_disabled'
  | 'user_enabled'
  | 'token_issued'
  | 'adopted'
  | 'changed_elsewhere'
  | 'rollback'
  | 'restored'
  | 'archived'

export interface NewEvent {
  readonly type: EventType
  readonly request_id: string | null
  readonly actor: string
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}

/** What happened without the server, which learns of it later, and perhaps more than once. */
export interface OutsideEvent extends NewEvent {
  readonly type: 'rollback' | 'restored'
  readonly data: Readonly<Record<string, unknown>> & { readonly id?: string; readonly finished_at: string }
}

export interface ApprovalEvent extends NewEvent {
  readonly seq: number
  /** `at` and `data` as stored: the texts that the hash covers. */
  readonly at_text: string
  readonly data_text: string
  readonly prev_hash: string
  readonly hash: string
}

export interface NewRequest {
  readonly request_id: string
  readonly call: Call
  readonly digest: string
  /** Canonical JSON of the arguments. */
  readonly request_data: string
  readonly actor: Actor
  readonly level: Level
  readonly reason: string | null
  readonly at: number
  readonly expires_at: number
  /** Join an approval of this call, too, that was decided after this instant and not used. */
  readonly usableAfter?: number
}

/** A row's place in the list; the text as stored, since the old system's rows have no milliseconds. */
export interface Place {
  readonly requested_at: string
  readonly request_id: string
}

export interface Filter {
  readonly status?: Status
  readonly tool_name?: string
  readonly user_id?: string
  /** Newest first, strictly after this row. */
  readonly after?: Place
  /** Decides which pending requests count as expired. */
  readonly now: number
  readonly limit: number
}

/** Who may call. `also` runs in the same transaction: when it throws, nothing was changed. */
export interface UserStore {
  userByToken(tokenSha256: string): Promise<User | undefined>
  user(userId: string): Promise<User | undefined>
  users(): Promise<User[]>
  /** Makes sure that the roles exist. */
  seedRoles(at: number): Promise<void>
  /** @throws ApprovalError `user_exists` */
  addUser(
    user: { user_id: string; username: string | null; role: Role; token_sha256: string },
    by: string,
    at: number,
    also?: () => void,
  ): Promise<User>
  /** @throws ApprovalError `last_admin` */
  setActive(userId: string, active: boolean, by: string, at: number): Promise<User | undefined>
  setToken(userId: string, tokenSha256: string, by: string, at: number, also?: () => void): Promise<User | undefined>
}

/** A request that an archive holds, as it was when it was copied. */
export interface ArchivedRequest {
  readonly request_id: string
  readonly created_seq: number | null
  readonly closed_seq: number | null
  readonly consumed_seq: number | null
}

/** Somebody who was seen with a request that an archive holds, as the database writes it. */
export interface ArchivedLife {
  readonly created_seq: number
  readonly what: string
  readonly who: string
  readonly first_at: string
  readonly last_at: string
}

/** Moving what is old out of the store, into files that somebody else writes and verifies. */
export interface ArchiveStore {
  /** What was moved out, oldest first. */
  archives(): Promise<Archive[]>
  /** From when is the oldest that could be moved, ms since 1970; requests of the old system only if before `before`. */
  oldest(before: number): Promise<number | undefined>
  /** The first event that is still here. */
  firstSeq(): Promise<number | undefined>
  /**
   * Puts on record that a month lies in its file from now on. False when the record does not end the previous archive
   * where this one begins, or has not this one's last event: then somebody else was faster, or it is another record.
   * @param place puts the file under its name, durably, in the same transaction: when it throws, nothing was changed
   */
  archive(archive: Archive, state: AuditState, by: string, at: number, place: () => void): Promise<boolean>
  /** Takes out requests that are archived; returns how many. One that was changed since it was copied stays. */
  dropRequests(requests: readonly ArchivedRequest[]): Promise<number>
  /** Takes out what is archived of requests' lives; returns how many. */
  dropLife(seen: readonly ArchivedLife[]): Promise<number>
  /** Takes out the oldest archived events, `limit` at most; returns how many. */
  dropEvents(limit: number): Promise<number>
}

/**
 * Where requests live. test/store-contract.ts is the definition of a Store: any implementation must pass it.
 * Every method may fail with ApprovalError `store_unavailable`; no promise of a write resolves before the write is
 * durable, and a write that failed has left nothing behind.
 */
export interface Store extends UserStore, ArchiveStore {
  /**
   * Stores the request, or returns the open one of the same requester and digest; with `usableAfter` the approved one,
   * if there is one on record.
   * @throws ApprovalError `queue_full` when `maxPending` requests are open
   */
  create(request: NewRequest, maxPending: number): Promise<{ request: Request; joined: boolean }>

  /**
   * Applies all transitions or none, each only if its request is still pending (and, unless it expires it, before its
   * deadline). Answers the requests as they are now, or undefined when any of them was no longer open.
   */
  transition(transitions: readonly Transition[], by: Actor): Promise<Request[] | undefined>

  /** Marks the approval used; undefined when the row no longer allows it, or no approval was recorded for it. */
  consume(consumption: Consumption, by: Actor): Promise<Request | undefined>

  /** The user's request for the call with this digest that is marked pending, past its deadline or not. */
  openCall(userId: string, digest: string): Promise<Request | undefined>

  /** The user's approval of the call with this digest, decided after the instant and not used; the oldest of several. */
  usable(userId: string, digest: string, decidedAfter: number): Promise<Request | undefined>

  /** Expires up to `limit` requests whose deadline is at or before `now`. */
  expireDue(now: number, limit: number): Promise<Request[]>

  /** The earliest deadline of a pending request. */
  nextDeadline(): Promise<number | undefined>

  get(requestId: string): Promise<Request | undefined>
  /** Ids that start with `prefix` (lower-case hex and dashes), two at most: enough to tell unique from ambiguous. */
  idsWithPrefix(prefix: string): Promise<string[]>
  /** Newest first; `next` is where the following page begins, absent on the last one. */
  list(filter: Filter): Promise<{ requests: Request[]; next?: Place }>
  /** Open requests, oldest first, and how many there are in all. */
  open(now: number, limit: number, userId?: string): Promise<{ requests: Request[]; count: number }>

  /** Puts down who was seen with which request, all of it or nothing; earlier sightings of the same kind are widened. */
  recordLife(sightings: readonly Sighting[]): Promise<void>
  /** In the order in which it happened; undefined where it is not recorded, which does not mean that nothing did. */
  lifeOf(requestId: string): Promise<Sighting[] | undefined>

  /**
   * How often each tool was called since `from`, as far as calls are on record: those that were asked about, and those
   * that ran because the gate was off. Without drills. `first`: the oldest of them, as ms since 1970.
   */
  recordedCalls(from: number): Promise<{ calls: RecordedCalls[]; first: number | undefined }>

  append(event: NewEvent, by?: Actor): Promise<ApprovalEvent>
  /**
   * Appends it, unless one of its type with its data's `id` and `finished_at` is there, or it is from before what was
   * archived: then undefined.
   */
  appendOnce(event: OutsideEvent): Promise<ApprovalEvent | undefined>
  events(afterSeq: number, limit: number): Promise<ApprovalEvent[]>
  /** The newest event; with `'gate'` the newest that says the gate opened or closed; with `'archived'` that type's. */
  lastEvent(of?: 'gate' | 'archived'): Promise<ApprovalEvent | undefined>
  /** Whether the record says how the request ended, as its row does: what another program wrote there it does not. */
  hasOutcome(requestId: string): Promise<boolean>

  /** Every request beside the events that it points at, by id, strictly after `afterId`. */
  auditedRequests(afterId: string, limit: number): Promise<AuditedRequest[]>
  /** The triggers that keep the record and are not there. */
  missingGuards(): Promise<string[]>
  /** True when another connection has committed since the last call. */
  changedElsewhere(): Promise<boolean>
  /** Why the last write failed; undefined once one has succeeded. */
  failure(): ApprovalError | undefined
  /** Writes something without meaning, to see whether writing works (again). */
  tryWrite(): Promise<void>
  close(): Promise<void>
}
