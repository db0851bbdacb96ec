import type Database from 'better-sqlite3'
import { createdData } from '../approval/audit-request.ts'
import { expire, type Transition } from '../approval/decide.ts'
import { ApprovalError } from '../approval/errors.ts'
import { type Actor, assertStill } from '../approval/identity.ts'
import type { Request } from '../approval/request.ts'
import type { Store } from '../approval/store.ts'
import { storeQueries } from '../queries.ts'
import { sqlTime } from '../sql.ts'
import { fileIdentity } from './database.ts'
import { isStoreFailure, StoreError, unavailable } from './failures.ts'
import { createGroupCommit } from './group-commit.ts'
import { createRecorder } from './recorder.ts'
import { type RequestRow, toRequest, toUser } from './rows.ts'
import { sqliteArchives } from './sqlite-archives.ts'
import { sqliteEvents } from './sqlite-events.ts'
import { sqliteRequests } from './sqlite-requests.ts'
import { sqliteUsers } from './sqlite-users.ts'
import { prepareAll } from './statements.ts'

export interface StoreOptions {
  /** How long a write waits for a lock held by another program, ms. */
  readonly patienceMs?: number
}

/** Thrown inside a shared transaction to take back one caller's part of it. */
const NOT_OPEN = Symbol('not open')
/** The Store on SQLite: one connection, one writer, group commit. `db` comes from openDatabase and is closed here. */
export function createSqliteStore(db: Database.Database, { patienceMs = 5000 }: StoreOptions = {}): Store {
  const sql = prepareAll(db, storeQueries)
  const identity = fileIdentity(db.name)
  const { record, ...recorder } = createRecorder(sql)
  /** Open requests, as far as this transaction has counted. */
  let open: number | undefined
  let version = db.pragma('data_version', { simple: true })

  function assertSameFile(): void {
    if (fileIdentity(db.name) !== identity) throw new StoreError(`${db.name} was replaced or deleted while in use`)
  }
  const { submit, drain, failure } = createGroupCommit(
    db,
    {
      begin() {
        assertSameFile()
        recorder.begin()
        open = undefined
      },
      undone() {
        recorder.undone()
        open = undefined
      },
      committed: recorder.committed,
    },
    patienceMs,
  )

  /** Reads run on the same connection between transactions, so they see committed rows only. */
  async function read<T>(work: () => T): Promise<T> {
    try {
      return work()
    } catch (error) {
      throw isStoreFailure(error) ? unavailable(error) : error
    }
  }

  /** The caller was let in before the lock was ours: is it still who it was? */
  function assertCaller(by: Actor): void {
    const row = sql.userGet.get({ user_id: by.user_id })
    assertStill(by, row && toUser(row))
  }

  function apply({ request_id, to, at: ms, actor, reason }: Transition): Request {
    const at = sqlTime(ms)
    const seq = recorder.next()
    let row: RequestRow | undefined
    if (to === 'expired') row = sql.requestExpire.get({ request_id, at, seq })
    else if (to === 'cancelled') row = sql.requestCancel.get({ request_id, at, seq })
    else row = sql.requestDecide.get({ request_id, at, seq, status: to, responder_id: actor, reason })
    if (!row) throw NOT_OPEN
    open = undefined
    record({ type: to, request_id, actor, at: ms, data: reason === null ? {} : { reason } })
    return toRequest(row)
  }

  const parts = { sql, submit, read, record }
  return {
    create: (asked, maxPending) =>
      submit(() => {
        const { request_id, call, digest, request_data, actor, level, reason, usableAfter } = asked
        const at = sqlTime(asked.at)
        assertCaller(actor)
        if (usableAfter !== undefined) {
          const decided_after = sqlTime(usableAfter)
          const usable = sql.requestUsable.get({ user_id: actor.user_id, digest, decided_after })
          if (usable && sql.eventOutcome.get(usable)) return { request: toRequest(usable), joined: true }
        }
        const same = sql.requestOpenCall.get({ user_id: actor.user_id, digest })
        if (same && same.expires_at > at) return { request: toRequest(same), joined: true }
        if (same) apply(expire(same, asked.at))
        open ??= sql.requestCountOpen.get({ now: at })!.n
        if (open >= maxPending) {
          const sentence = `${open} requests wait already, ${maxPending} are allowed. Try again when some are decided`
          throw new ApprovalError('queue_full', sentence, { open, max_pending: maxPending })
        }
        const { server, tool: tool_name } = call
        const { user_id, role } = actor
        const row = {
          ...{ request_id, server, tool_name, user_id, role, request_data, level, digest, reason },
          ...{ status: 'pending', requested_at: at, expires_at: sqlTime(asked.expires_at) },
        }
        sql.requestInsert.run({ ...row, seq: recorder.next() })
        open++
        record({ type: 'created', request_id, actor: user_id, at: asked.at, data: createdData(row) })
        const unanswered = { responded_at: null, responder_id: null, response_reason: null, consumed_at: null }
        return { request: toRequest({ ...row, ...unanswered }), joined: false }
      }),

    transition: (transitions, by) =>
      submit(() => {
        assertCaller(by)
        return transitions.map(apply)
      }).catch((error) => {
        if (error === NOT_OPEN) return undefined
        throw error
      }),

    consume: ({ request_id, digest, at, decidedAfter, actor }, by) =>
      submit(() => {
        assertCaller(by)
        const use = { request_id, digest, user_id: actor, at: sqlTime(at), decided_after: sqlTime(decidedAfter) }
        const row = sql.requestConsume.get({ ...use, seq: recorder.next() })
        if (!row) return undefined
        record({ type: 'consumed', request_id, actor, at, data: { digest } })
        return toRequest(row)
      }),

    async expireDue(now, limit) {
      const due = { now: sqlTime(now), limit }
      // Most sweeps find nothing: they must not take the write lock.
      if (!(await read(() => sql.requestDue.get({ ...due, limit: 1 })))) return []
      return submit(() => sql.requestDue.all(due).map((row) => apply(expire(row, now))))
    },

    recordLife: (sightings) =>
      submit(() => {
        for (const { first_at, last_at, ...seen } of sightings) {
          sql.lifeSee.run({ ...seen, first_at: sqlTime(first_at), last_at: sqlTime(last_at) })
        }
      }),
    ...sqliteRequests(parts),
    ...sqliteEvents({ ...parts, assertCaller }),
    ...sqliteUsers(parts),
    ...sqliteArchives(parts),

    changedElsewhere: () =>
      read(() => {
        const seen = version
        version = db.pragma('data_version', { simple: true })
        return seen !== version
      }),
    failure() {
      try {
        assertSameFile()
        return failure()
      } catch (error) {
        return unavailable(error)
      }
    },
    // Rewrites the header of the file as it is: that takes the lock and room on the disk, like any write.
    tryWrite: () => submit(() => void db.pragma(`user_version = ${db.pragma('user_version', { simple: true })}`)),
    async close() {
      await drain()
      db.close()
    },
  }
}
