import { cutOf, endOf } from '../approval/archive.ts'
import type { ArchiveStore } from '../approval/store.ts'
import { fromSqlTime, sqlBound } from '../sql.ts'
import { toEvent } from './rows.ts'
import type { StorePart } from './sqlite-part.ts'

/** The archives' part of the Store. */
export function sqliteArchives({ sql, submit, read, record }: StorePart): ArchiveStore {
  const cut = () => {
    const event = sql.eventLastArchived.get({})
    return cutOf(event && toEvent(event))
  }

  return {
    archives: () => read(() => sql.archiveList.all({})),
    firstSeq: () => read(() => sql.eventFirst.get({})?.seq),
    oldest: (before) =>
      read(() => {
        const { event_at, request_at } = sql.archiveOldest.get({ until: sqlBound(before) })!
        const instants = [event_at, request_at].flatMap((text) => (text === null ? [] : [fromSqlTime(text)]))
        const known = instants.filter((ms) => !Number.isNaN(ms))
        return known.length > 0 ? Math.min(...known) : undefined
      }),

    archive: (archive, state, by, at, place) =>
      submit(() => {
        const before = cut()
        const end = endOf(before)
        const { first_seq, last_seq, last_hash } = archive
        const isNext = first_seq === end.seq + 1 && archive.month > (before.archives.at(-1)?.month ?? '')
        const last = last_seq === end.seq ? end : sql.eventPage.all({ after: last_seq - 1, limit: 1 })[0]
        if (!isNext || last?.seq !== last_seq || last.hash !== last_hash) return false
        place()
        const data = { month: archive.month, archives: [...before.archives, archive], state }
        record({ type: 'archived', request_id: null, actor: by, at, data })
        sql.archiveInsert.run(archive)
        return true
      }),

    dropRequests: (requests) =>
      submit(() => requests.reduce((dropped, request) => dropped + sql.archiveDropRequest.run(request), 0)),
    dropLife: (seen) => submit(() => seen.reduce((dropped, row) => dropped + sql.archiveDropLife.run(row), 0)),
    dropEvents: (limit) =>
      submit(() => {
        const last = sql.archiveList.all({}).at(-1)
        return last ? sql.archiveDropEvents.run({ last_seq: last.last_seq, limit }) : 0
      }),
  }
}
