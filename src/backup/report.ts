import { size } from '../report/daily-check-text.ts'
import type { Block, Document, Lang, Report, State } from '../report/document.ts'
import { count, duration } from '../report/numbers.ts'
import { localTime, zoneName } from '../report/period.ts'
import { backupWords } from './failure.ts'
import type { DatabaseFacts, Manifest } from './manifest.ts'
import { requestsOf } from './plan.ts'
import { isWhole, newestWhole, type Shelved, takenAt } from './shelf.ts'

/** Where and when the reader is. */
export interface View {
  readonly now: number
  readonly zone: string
}

export interface Taken {
  readonly manifest: Manifest
  readonly folder: string
  /** Backups that were no longer needed and are gone. */
  readonly removed: readonly string[]
  /** Why they are not; null when all went well. */
  readonly remove_failed: string | null
}

const item = (text: string): Block => ({ kind: 'paragraph', text })

export const takenState = ({ manifest, remove_failed }: Taken): State =>
  manifest.left_out.length > 0 || remove_failed !== null ? 'warning' : 'ok'

export function takenReport(taken: Taken): Report {
  const { manifest, folder, removed, remove_failed } = taken
  return {
    schema: 'ops.backup.v1',
    data: { state: takenState(taken), folder, removed, remove_failed, manifest },
    document(lang) {
      const say = backupWords(lang)
      const { database, others, left_out } = manifest
      const facts = {
        size: size(database.bytes),
        requests: count(requestsOf(database)),
        took: duration(manifest.took_ms, lang),
      }
      const files = left_out.map(({ file }) => file).join(', ')
      return {
        lang,
        title: say('taken_title', { name: manifest.name }),
        verdict: {
          state: takenState(taken),
          text: left_out.length > 0 ? say('taken_partly', { files }) : say('taken', facts),
        },
        blocks: [
          item(say('where', { folder })),
          item(say('reaches', reachOf(database, lang))),
          {
            kind: 'table',
            caption: say('contents'),
            head: [say('file'), say('size'), say('sha256')],
            rows: [database, ...others].map(({ file, bytes, sha256 }) => [
              file,
              size(bytes),
              `${sha256.slice(0, 16)}…`,
            ]),
            align: ['left', 'right', 'left'],
          },
          ...left_out.map((left) => item(say('left_out', left))),
          ...(removed.length > 0 ? [item(say('pruned', { n: removed.length, names: removed.join(', ') }))] : []),
          ...(remove_failed === null ? [] : [item(say('not_pruned', { detail: remove_failed }))]),
        ],
      }
    },
  }
}

const reachOf = ({ newest_request, chain_head }: DatabaseFacts, lang: Lang) => ({
  newest: newest_request ? `${newest_request} UTC` : backupWords(lang)('none'),
  seq: chain_head ? count(chain_head.seq) : '–',
})

export function listReport(backups: readonly Shelved[], { now, zone }: View): Report {
  const bad = backups.filter((backup) => !isWhole(backup)).length
  const newest = newestWhole(backups, now)
  const state: State = backups.length === 0 || bad > 0 ? 'warning' : 'ok'
  return {
    schema: 'ops.backup-list.v1',
    data: {
      state,
      backups: backups.map(({ name, manifest, problem }) => ({ name, problem, manifest })),
    },
    document(lang) {
      const say = backupWords(lang)
      const n = backups.length
      const text = !newest
        ? n === 0
          ? say('list_none')
          : say('list_bad', { n, bad })
        : bad > 0
          ? say('list_bad', { n, bad })
          : say('list_ok', { n, age: duration(Math.max(0, now - takenAt(newest)), lang) })
      return {
        lang,
        title: `${say('list_title')} (${zoneName(now, zone)})`,
        verdict: { state, text },
        blocks:
          n === 0
            ? [{ kind: 'command', text: 'npm run backup' }]
            : [
                listTable(backups, { now, zone }, lang),
                ...backups.flatMap(({ name, problem }) =>
                  problem === null ? [] : [item(say('wrong', { name, problem }))],
                ),
                item(say('list_note', { command: 'npm run backup -- verify' })),
              ],
      }
    },
  }
}

function listTable(backups: readonly Shelved[], { zone }: View, lang: Lang): Block {
  const say = backupWords(lang)
  return {
    kind: 'table',
    caption: say('list_table'),
    head: [say('name'), say('taken_at'), say('size'), say('requests'), say('state')],
    rows: backups
      .toReversed()
      .map(({ name, manifest, problem }) => [
        name,
        manifest ? localTime(Date.parse(manifest.taken_at), zone, 'MM-DD HH:mm') : '–',
        manifest ? size(manifest.database.bytes) : '–',
        manifest ? count(requestsOf(manifest.database)) : '–',
        problem === null ? say('whole') : { text: say('not_whole'), state: 'critical' },
      ]),
    align: ['left', 'left', 'right', 'right', 'left'],
  }
}

export interface Proof {
  readonly name: string
  /** null: a restore gave back what the manifest says. */
  readonly problem: string | null
}

export function verifyReport(proofs: readonly Proof[]): Report {
  const bad = proofs.filter(({ problem }) => problem !== null)
  const state: State = bad.length > 0 ? 'critical' : 'ok'
  return {
    schema: 'ops.backup-verify.v1',
    data: { state, backups: proofs },
    document(lang): Document {
      const say = backupWords(lang)
      const n = proofs.length
      const names = bad.map(({ name }) => name).join(', ')
      return {
        lang,
        title: say('verify_title'),
        verdict: {
          state,
          text: bad.length > 0 ? say('verify_bad', { n, bad: bad.length, names }) : say('verify_ok', { n }),
        },
        blocks: [
          {
            kind: 'table',
            caption: say('verify_table'),
            head: [say('name'), say('state')],
            rows: proofs.map(({ name, problem }) => [
              name,
              problem === null ? say('verified') : { text: problem, state: 'critical' },
            ]),
          },
        ],
      }
    },
  }
}
