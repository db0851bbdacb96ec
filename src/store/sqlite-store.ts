import type Database from 'better-sqlite3'
import { createdData } from '../approval/audit-request.ts'
import { tokenMark } from '../approval/chain.ts'
import { expire, type Transition } from '../approval/decide.ts'
import { ApprovalError } from '../approval/errors.ts'
import type { RecordedCalls } from '../approval/forecast.ts'
import { type Actor, assertStill } from '../approval/identity.ts'
import type { Request } from '../approval/request.ts'
import type { Store } from '../approval/store.ts'
import { storeQueries } from '../queries.ts'
import { fromSqlTime, sqlTime } from '../sql.ts'
import { fileIdentity } from './database.ts'
import { isStoreFailure, StoreError, unavailable } from './failures.ts'
import { createGroupCommit } from './group-commit.ts'
import { createRecorder } from './recorder.ts'
import { type RequestRow, toEvent, toRequest, toSighting, toUser } from './rows.ts'
import { sqliteArchives } from './sqlite-archives.ts'
import { sqliteUsers } from './sqlite-users.ts'
import { prepareAll } from './statements.ts'

export interface StoreOptions {
  /** How long a write waits for a lock held by another program, ms. */
  readonly patienceMs?: number
}

/** Thrown inside a shared transaction to take back one caller's part of it. */
const NOT_OPEN = Symbol('not open')
/** The triggers of sql/migrations that keep the record. */
const GUARDS = ['approval_events', 'approval_archives'].flatMap((table) =>
  ['in_order', 'no_update', 'no_delete'].map((what) => `${table}_${what}`),
)

/** Rows that one statement of a list looks at, at most. */
const LOOK = 2000

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
        const row = { request_id, user_id: actor.user_id, role: actor.role, request_data, level, digest, reason }
        const { server, tool: tool_name } = call
        const inserted = sql.requestInsert.get({
          ...row,
          server,
          tool_name,
          requested_at: at,
          expires_at: sqlTime(asked.expires_at),
          seq: recorder.next(),
        })
        open++
        const data = createdData(inserted!)
        record({ type: 'created', request_id, actor: actor.user_id, at: asked.at, data })
        return { request: toRequest(inserted!), joined: false }
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

    openCall: (user_id, digest) =>
      read(() => {
        const row = sql.requestOpenCall.get({ user_id, digest })
        return row && toRequest(row)
      }),

    usable: (user_id, digest, decidedAfter) =>
      read(() => {
        const row = sql.requestUsable.get({ user_id, digest, decided_after: sqlTime(decidedAfter) })
        return row && toRequest(row)
      }),

    async expireDue(now, limit) {
      const due = { now: sqlTime(now), limit }
      // Most sweeps find nothing: they must not take the write lock.
      if (!(await read(() => sql.requestDue.get({ ...due, limit: 1 })))) return []
      return submit(() => sql.requestDue.all(due).map((row) => apply(expire(row, now))))
    },

    nextDeadline: () =>
      read(() => {
        const next = sql.requestNextDeadline.get({})?.expires_at
        const ms = next ? fromSqlTime(next) : Number.NaN
        return Number.isNaN(ms) ? undefined : ms
      }),

    get: (request_id) =>
      read(() => {
        const row = sql.requestGet.get({ request_id })
        return row && toRequest(row)
      }),
    idsWithPrefix: (prefix) => read(() => sql.requestIdsWithPrefix.all({ prefix }).map((row) => row.request_id)),
    async list({ status = null, tool_name = null, user_id, after, now, limit }) {
      const found: RequestRow[] = []
      let place = after
      for (;;) {
        const before = { before_at: place?.requested_at ?? null, before_id: place?.request_id ?? null }
        const params = { status, tool_name, ...before, now: sqlTime(now), limit: LOOK }
        const rows = await read(() =>
          user_id === undefined ? sql.requestList.all(params) : sql.requestListOf.all({ ...params, user_id }),
        )
        for (const row of rows) {
          place = { requested_at: row.requested_at, request_id: row.request_id }
          if (row.fits !== 1) continue
          found.push(row)
          if (found.length === limit) return { requests: found.map(toRequest), next: place }
        }
        if (rows.length < LOOK) return { requests: found.map(toRequest) }
        // Whoever looks for what is rare waits; nobody else does.
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    open: (at, limit, userId) =>
      read(() => {
        const now = sqlTime(at)
        const count = userId ? sql.requestCountOpenOf.get({ now, user_id: userId }) : sql.requestCountOpen.get({ now })
        const rows = sql.requestOpen.all({ now, user_id: userId ?? null, limit })
        return { requests: rows.map(toRequest), count: count!.n }
      }),

    recordLife: (sightings) =>
      submit(() => {
        for (const { first_at, last_at, ...seen } of sightings) {
          sql.lifeSee.run({ ...seen, first_at: sqlTime(first_at), last_at: sqlTime(last_at) })
        }
      }),
    lifeOf: (request_id) =>
      read(() => {
        const rows = sql.lifeOf.all({ request_id })
        if (rows.length === 0) return undefined
        return rows.flatMap((row) => (row.what === null ? [] : [toSighting(request_id, row)]))
      }),

    async recordedCalls(from) {
      const calls = new Map<string, RecordedCalls>()
      let first: number | undefined
      const count = (at: string, server: string, tool: string) => {
        const key = JSON.stringify([server, tool])
        calls.set(key, { server, tool, calls: (calls.get(key)?.calls ?? 0) + 1 })
        first = Math.min(first ?? Number.POSITIVE_INFINITY, fromSqlTime(at))
      }
      // Page by page, so that nobody who is decided upon waits for the whole of it.
      const rest = () => new Promise((resolve) => setImmediate(resolve))
      for (let place = { at: sqlTime(from), id: '' }; ; await rest()) {
        const rows = await read(() => sql.callsRequested.all({ ...place, limit: LOOK }))
        for (const row of rows) count(row.requested_at, row.server, row.tool_name)
        const last = rows.at(-1)
        if (!last || rows.length < LOOK) break
        place = { at: last.requested_at, id: last.request_id }
      }
      for (let place = { at: sqlTime(from), seq: 0 }; ; await rest()) {
        const rows = await read(() => sql.callsBypassed.all({ ...place, limit: LOOK }))
        for (const row of rows) count(row.at, row.server, row.tool_name)
        const last = rows.at(-1)
        if (!last || rows.length < LOOK) break
        place = { at: last.at, seq: last.seq }
      }
      return { calls: [...calls.values()], first }
    },

    append: (event, by) =>
      submit(() => {
        if (by) assertCaller(by)
        return record(event)
      }),
    appendOnce: (event) =>
      submit(() => {
        const { id = null, finished_at } = event.data
        const until = sql.archiveList.all({}).at(-1)?.until
        if (until !== undefined && Date.parse(finished_at) < fromSqlTime(until)) return undefined
        return sql.eventOnce.get({ type: event.type, id, finished_at }) ? undefined : record(event)
      }),
    events: (after, limit) => read(() => sql.eventPage.all({ after, limit }).map(toEvent)),
    lastEvent: (of) =>
      read(() => {
        const last = { gate: sql.eventLastGate, archived: sql.eventLastArchived, any: sql.eventLast }
        const row = last[of ?? 'any'].get({})
        return row && toEvent(row)
      }),
    hasOutcome: (request_id) => read(() => sql.eventOutcome.get({ request_id }) !== undefined),
    auditedRequests: (after, limit) => read(() => sql.requestAudited.all({ after, limit })),

    missingGuards: () =>
      read(() => {
        const present = sql.eventGuards.all({}).map(({ name }) => name)
        return GUARDS.filter((name) => !present.includes(name))
      }),
    adopt: (backup, by, at) =>
      submit(() => {
        const users = sql.userList.all({}).map(toUser)
        const data = {
          backup,
          requests: sql.requestCountAdopted.get({})!.n,
          users: users.map(({ user_id, role, is_active, token_sha256 }) => {
            return { user_id, role, is_active, token: token_sha256 === null ? null : tokenMark(token_sha256) }
          }),
        }
        record({ type: 'adopted', request_id: null, actor: by, at, data })
      }),
    ...sqliteUsers({ sql, submit, read, record }),
    ...sqliteArchives({ sql, submit, read, record }),

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
