import type { RecordedCalls } from '../approval/forecast.ts'
import type { Store } from '../approval/store.ts'
import { fromSqlTime, sqlTime } from '../sql.ts'
import { type RequestRow, toRequest, toSighting } from './rows.ts'
import type { StorePart } from './sqlite-part.ts'

type Reads =
  | 'openCall'
  | 'usable'
  | 'nextDeadline'
  | 'get'
  | 'idsWithPrefix'
  | 'list'
  | 'open'
  | 'lifeOf'
  | 'recordedCalls'
  | 'auditedRequests'

/** Rows that one statement of a list looks at, at most. */
const LOOK = 2000

/** What the Store reads of requests, and writes nothing. */
export function sqliteRequests({ sql, read }: Pick<StorePart, 'sql' | 'read'>): Pick<Store, Reads> {
  return {
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

    auditedRequests: (after, limit) => read(() => sql.requestAudited.all({ after, limit })),
  }
}
