import type { Actor } from '../approval/identity.ts'
import type { Store } from '../approval/store.ts'
import { fromSqlTime } from '../sql.ts'
import { toEvent } from './rows.ts'
import type { StorePart } from './sqlite-part.ts'

type Events = 'append' | 'appendOnce' | 'events' | 'lastEvent' | 'hasOutcome' | 'missingGuards'

interface Deps extends StorePart {
  /** Throws when the caller, let in before the lock was ours, is no longer who it was. */
  readonly assertCaller: (by: Actor) => void
}

/** The triggers of sql/migrations that keep the record. */
const GUARDS = ['approval_events', 'approval_archives'].flatMap((table) =>
  ['in_order', 'no_update', 'no_delete'].map((what) => `${table}_${what}`),
)

/** The record's part of the Store. */
export function sqliteEvents({ sql, submit, read, record, assertCaller }: Deps): Pick<Store, Events> {
  return {
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

    missingGuards: () =>
      read(() => {
        const present = sql.eventGuards.all({}).map(({ name }) => name)
        return GUARDS.filter((name) => !present.includes(name))
      }),
  }
}
