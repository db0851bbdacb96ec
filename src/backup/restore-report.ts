import type { Block, Lang, Report } from '../report/document.ts'
import { count, duration } from '../report/numbers.ts'
import { localTime } from '../report/period.ts'
import type { RestoreResult } from '../report/restore-result.ts'
import { backupWords } from './failure.ts'
import type { DatabaseFacts } from './manifest.ts'
import { type InUse, isInUse, type RestorePlan, requestsOf } from './plan.ts'
import type { View } from './report.ts'

/** How a restore ended well. */
export interface Restored extends RestoreResult {
  readonly target: string
  readonly holds: DatabaseFacts
}

const line = (text: string): Block => ({ kind: 'paragraph', text })

export function planReport(plan: RestorePlan, { zone }: View, reason: string): Report {
  return {
    schema: 'ops.backup-restore-plan.v1',
    data: plan,
    document(lang) {
      const say = backupWords(lang)
      return {
        lang,
        title: say('plan_title', { name: plan.backup }),
        verdict: isInUse(plan.in_use)
          ? { state: 'critical', text: say('plan_open', { who: whoText(plan.in_use, lang) }) }
          : { state: 'warning', text: lossText(plan, lang) },
        blocks: [
          line(
            say('plan_age', {
              at: localTime(Date.parse(plan.taken_at), zone, 'YYYY-MM-DD HH:mm'),
              age: duration(Math.max(0, plan.age_ms), lang),
            }),
          ),
          comparison(plan, lang),
          { kind: 'list', items: notes(plan, reason, lang).map((text) => ({ text })) },
        ],
      }
    },
  }
}

function lossText({ diverged, lost, now }: RestorePlan, lang: Lang): string {
  const say = backupWords(lang)
  if (diverged) return say('plan_diverged')
  if (lost === null) return say('plan_lost_unknown')
  if (now !== null && lost.requests + lost.events === 0) return say('plan_lost_nothing')
  return now === null
    ? say('plan_lost_nothing')
    : say('plan_lost', { requests: count(lost.requests), events: count(lost.events) })
}

function comparison({ now, then }: RestorePlan, lang: Lang): Block {
  const say = backupWords(lang)
  const cell = (of: (facts: DatabaseFacts) => string): string =>
    now === null ? '–' : 'unreadable' in now ? say('unreadable_now') : of(now)
  const row = (title: string, of: (facts: DatabaseFacts) => string) => [title, cell(of), of(then)]
  const rowsIn = (table: string) => (facts: DatabaseFacts) => {
    const rows = facts.tables[table]
    return rows === undefined ? '–' : count(rows)
  }
  const tables = new Set([...Object.keys(then.tables), ...(now && 'tables' in now ? Object.keys(now.tables) : [])])
  return {
    kind: 'table',
    caption: say('plan_table'),
    head: [say('plan_what'), say('plan_now'), say('plan_then')],
    rows: [
      ...[...tables].sort().map((table) => row(table, rowsIn(table))),
      row(say('plan_newest'), ({ newest_request }) => newest_request ?? '–'),
      row(say('plan_head'), ({ chain_head: head }) => (head ? `${count(head.seq)} ${head.hash.slice(0, 12)}` : '–')),
    ],
    align: ['left', 'right', 'right'],
  }
}

function notes(plan: RestorePlan, reason: string, lang: Lang): string[] {
  const say = backupWords(lang)
  const { files, aside, target, others, folder } = plan
  return [
    say('plan_replaces', { path: target }),
    files.length > 0 ? say('plan_aside', { files: files.join(', '), aside }) : say('plan_aside_none', { path: target }),
    // Where there is no database nobody has it open.
    ...(plan.now === null ? [] : useText(plan.in_use, lang)),
    ...(others.length > 0 ? [say('plan_others', { files: others.join(', '), folder })] : []),
    say('plan_tokens'),
    ...(plan.source === target ? [] : [say('plan_source', { source: plan.source })]),
    ...(reason === '' ? [] : [say('reason_line', { reason })]),
  ]
}

/** What was looked at before it says that nobody has the database open, and what could not be. */
function useText(use: InUse, lang: Lang): string[] {
  const say = backupWords(lang)
  if (isInUse(use)) return []
  const { processes, lock } = use
  if (processes === null) return [say('plan_free_no_proc')]
  const looked = count(processes.looked)
  if (lock === 'free') return [say('plan_free', { looked })]
  const { hidden } = processes
  return [
    say('plan_free_unlocked', { looked }),
    ...(hidden > 0 ? [say('plan_free_hidden', { hidden: count(hidden) })] : []),
  ]
}

export const whoText = ({ by }: InUse, lang: Lang): string =>
  by.length > 0 ? by.join('; ') : backupWords(lang)('somebody')

export function restoredReport(restored: Restored): Report {
  const { backup, aside, reason, holds } = restored
  return {
    schema: 'ops.backup-restore.v1',
    data: restored,
    document(lang) {
      const say = backupWords(lang)
      return {
        lang,
        title: say('done_title', { name: backup }),
        verdict: { state: 'ok', text: say('done', { name: backup }) },
        blocks: [
          line(
            say('done_holds', {
              requests: count(requestsOf(holds)),
              newest: holds.newest_request ? `${holds.newest_request} UTC` : say('none'),
              seq: holds.chain_head ? count(holds.chain_head.seq) : '–',
            }),
          ),
          line(aside === null ? say('done_no_aside') : say('done_aside', { aside })),
          line(say('reason_line', { reason })),
          line(`${say('next')}:`),
          { kind: 'command', text: 'npm start' },
        ],
      }
    },
  }
}

/** For what ends well and has no more to say than a sentence. */
export function sentenceReport(state: 'ok' | 'warning', key: 'nothing_unfinished' | 'taken_back'): Report {
  return {
    schema: 'ops.backup-resume.v1',
    data: { state, result: key },
    document: (lang) => ({
      lang,
      title: backupWords(lang)(key),
      verdict: { state, text: backupWords(lang)(key) },
      blocks: [],
    }),
  }
}
