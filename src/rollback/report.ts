import { type Block, heading, type Lang, paragraph, type Report, type State } from '../report/document.ts'
import { localTime } from '../report/period.ts'
import { npmScript, type Outcome } from './engine.ts'
import type { Plan } from './plan.ts'
import { type Entry, type RollbackRecord, undoneBy } from './records.ts'
import { instantText, rollbackWords } from './words.ts'

export interface View {
  readonly zone: string
  readonly reason: string
  /** Nothing else will be done. */
  readonly dryRun: boolean
  /** It takes something back itself. */
  readonly isUndo: boolean
}

/** What would be done. */
export function planReport(plan: Plan, view: View): Report {
  const { details: _, ...data } = plan
  return {
    schema: 'ops.rollback-plan.v1',
    data: { ...data, reason: view.reason, undo: `${npmScript(plan.scenario)} -- undo` },
    document(lang) {
      const say = rollbackWords(lang)
      const title = say('plan_title', { scenario: plan.scenario })
      return {
        lang,
        title,
        ...(view.dryRun ? { verdict: { state: 'ok', text: say('planned') } as const } : {}),
        blocks: [...planBlocks(plan, view, lang)],
      }
    },
  }
}

/** What was done, or why nothing was. */
export function resultReport(outcome: Outcome, scenario: Plan['scenario']): Report {
  const { exit, text, next, plan, result } = outcome
  const state: State = ({ 0: 'ok', 1: 'warning', 2: 'warning', 3: 'critical', 75: 'warning' } as const)[exit]
  const { details: _, ...shown } = plan ?? { details: undefined }
  return {
    schema: 'ops.rollback-result.v1',
    data: {
      ...{ scenario, exit_code: exit, changed: result !== undefined && exit === 0, text },
      ...{ next: next ?? null, result: result ?? null, plan: plan ? shown : null },
    },
    document(lang) {
      const say = rollbackWords(lang)
      const rows = result ? [changesTable(result.changes, lang)] : []
      const after: Block[] =
        next === undefined ? [] : [heading(exit === 0 ? say('how_undo') : say('next')), { kind: 'command', text: next }]
      return {
        lang,
        title: say('result_title', { scenario }),
        verdict: { state, text: text[lang] },
        blocks: [...(exit === 0 ? rows : []), ...after],
      }
    },
  }
}

/** All rollbacks, newest first. */
export function statusReport(records: readonly RollbackRecord[], { zone }: Pick<View, 'zone'>): Report {
  const newest = records.toReversed()
  const undone = undoneBy(records)
  return {
    schema: 'ops.rollback-status.v1',
    data: {
      rollbacks: newest.map(({ id, begun, result }) => ({
        ...{ ...withoutPlan(begun), result: result ?? null, undone_by: undone.get(id)?.id ?? null },
      })),
    },
    document(lang) {
      const say = rollbackWords(lang)
      const items = newest.map(({ id, begun, result }) => {
        const until = result?.until ? ` ${say('until', { until: instantText(result.until, zone) })}` : ''
        const by = undone.get(id)?.id
        const outcome =
          by === undefined ? `${say(`outcome_${result?.outcome ?? 'unfinished'}`)}${until}` : say('undone_by', { by })
        return { text: `${id} ${outcome}: ${begun.reason} (${begun.by})`, state: stateOf(result?.outcome) }
      })
      const blocks: Block[] = items.length === 0 ? [paragraph(say('no_records'))] : [{ kind: 'list', items }]
      return { lang, title: say('status_title'), blocks }
    },
  }
}

/** One of them, with every line of its journal. */
export function recordReport(
  record: RollbackRecord,
  entries: readonly Entry[],
  view: Pick<View, 'zone'> & { readonly undoneBy: string | undefined },
): Report {
  const { id, begun, result } = record
  return {
    schema: 'ops.rollback-status.v1',
    data: { ...withoutPlan(begun), result: result ?? null, undone_by: view.undoneBy ?? null, journal: entries },
    document(lang) {
      const say = rollbackWords(lang)
      const outcome = result?.outcome
      const at = (instant: string) => localTime(Date.parse(instant), view.zone)
      const rows = entries.map((entry) => [
        at(entry.at),
        [entry.what, entry.step, entry.detail].filter(Boolean).join(' '),
      ])
      return {
        lang,
        title: say('record_title', { id }),
        verdict: { state: stateOf(outcome), text: result ? result.summary[lang] : say('outcome_unfinished') },
        blocks: [
          ...(view.undoneBy === undefined ? [] : [paragraph(say('already_undone', { id, by: view.undoneBy }))]),
          paragraph(say('reason_line', { reason: begun.reason })),
          changesTable(begun.plan.changes, lang),
          { kind: 'table', caption: view.zone, head: [say('col_at'), say('col_event')], rows },
        ],
      }
    },
  }
}

function* planBlocks(plan: Plan, { reason, isUndo }: View, lang: Lang): Generator<Block> {
  const say = rollbackWords(lang)
  yield paragraph(say('target', { target: plan.target, runtime: plan.runtime }))
  if (reason !== '') yield paragraph(say('reason_line', { reason }))
  yield changesTable(plan.changes, lang)
  yield heading(say('commands'))
  yield { kind: 'list', ordered: true, items: plan.commands.map((words) => ({ text: commandText(words, lang) })) }
  if (plan.hazards.length > 0) {
    yield heading(say('hazards'))
    for (const hazard of plan.hazards) yield { kind: 'paragraph', text: hazard[lang], state: 'warning' }
  }
  yield heading(say('notes'))
  const [least, most] = plan.outage
  const outage = most === 0 ? say('outage_none') : say('outage', { least, most })
  yield { kind: 'list', items: [outage, ...plan.notes.map((note) => note[lang])].map((text) => ({ text })) }
  if (isUndo) return
  yield heading(say('how_undo'))
  yield { kind: 'command', text: `${npmScript(plan.scenario)} -- undo --reason '...'` }
}

function changesTable(changes: Plan['changes'], lang: Lang): Block {
  const say = rollbackWords(lang)
  const head = [say('change_what'), say('change_from'), say('change_to')]
  const cell = (text: string) => (text === '' ? '-' : text)
  const rows = changes.map(({ what, from, to, shown }) =>
    shown ? [shown.what[lang], shown.from[lang], shown.to[lang]] : [what, cell(from), cell(to)],
  )
  return { kind: 'table', caption: say('changes'), head, rows }
}

/** A command as it can be typed; an edit of a file names itself. */
function commandText(words: readonly string[], lang: Lang): string {
  const say = rollbackWords(lang)
  const [name, file = '', line = ''] = words
  if (name === 'edit') return say('edit_command', { file, line })
  if (name === 'restore') return say('restore_command', { file })
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}

const stateOf = (outcome: string | undefined): State =>
  outcome === 'done' ? 'ok' : outcome === 'restored' ? 'warning' : 'critical'

const withoutPlan = ({ plan: { details: _, ...plan }, ...rest }: RollbackRecord['begun']) => ({ ...rest, plan })
