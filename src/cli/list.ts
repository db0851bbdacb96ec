import { STATUSES } from '../approval/request.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { displayWidth, printable, truncate } from '../report/printable.ts'
import { type Command, type Context, type Input, on } from './command.ts'
import { levelStyle, type Paint } from './detail.ts'
import { remaining, secondsLeft, shortIds, span, summary } from './format.ts'
import type { Messages } from './messages.ts'
import { json } from './outcome.ts'
import { GAP, renderTable, tableWidth } from './table.ts'
import { oneOf, wholeNumber } from './values.ts'
import { byRemaining } from './waiting-list.ts'
import type { WireRequest } from './wire.ts'

export const list: Command = {
  name: 'list',
  usage: '',
  options: {
    format: { type: 'string' },
    json: { type: 'boolean' },
    all: { type: 'boolean' },
    status: { type: 'string' },
    limit: { type: 'string' },
  },
  words: [0, 0],
  defaultUser: 'admin_user',
  examples: ['list', 'list --all --limit 20', 'list --status rejected --format json'],
  exits: { 0: 'shown' },
  run,
}

async function run({ client, terminal, t }: Context, input: Input): Promise<ExitCode> {
  const format = oneOf(input, 'format', ['table', 'json'], t) ?? (on(input, 'json') ? 'json' : 'table')
  const status = oneOf(input, 'status', STATUSES, t)
  const limit = wholeNumber(input, 'limit', 1, 1000, t)
  const past = on(input, 'all') || status !== undefined
  const answer = past
    ? await client.list({ limit: limit ?? 50, status })
    : await client.pending(limit ?? 1000).then((waiting) => ({
        ...waiting,
        pending_approvals: byRemaining(waiting.pending_approvals),
      }))
  if (format === 'json') {
    terminal.out(json(answer))
    return EXIT.OK
  }
  const requests = 'approvals' in answer ? answer.approvals : answer.pending_approvals
  if (requests.length === 0) terminal.err(past ? t.list.noneAtAll : t.list.none)
  else {
    const view = { now: client.now(), columns: terminal.columns(), t, paint: terminal.paint.bind(terminal) }
    terminal.out(renderRequests(requests, view))
  }
  if ('count' in answer && answer.count > requests.length) terminal.err(t.list.more(requests.length, answer.count))
  return EXIT.OK
}

export interface ListView {
  readonly now: number
  /** Of the terminal; undefined in a pipe, where only the arguments are cut. */
  readonly columns: number | undefined
  readonly t: Messages
  readonly paint: Paint
}

const SUMMARY_IN_PIPE = 60
/** Arguments in fewer columns than this tell nothing. */
const SUMMARY_MIN = 8

/** At most `columns` wide: what is left after the other columns goes to the arguments. Pure. */
export function renderRequests(requests: readonly WireRequest[], view: ListView): string {
  const { columns, t, paint } = view
  const head = t.list.head.slice(0, -1)
  const narrow = columns !== undefined && columns < 100
  const limits =
    columns === undefined ? { tool: 128, user: 64 } : narrow ? { tool: 16, user: 10 } : { tool: 24, user: 16 }
  let cells = cellsOf(requests, view, limits)
  const excess = columns === undefined ? 0 : tableWidth(head, cells) - columns
  const longest = Math.max(...cells.map((row) => displayWidth(row[1]!)))
  if (excess > 0) cells = cellsOf(requests, view, { ...limits, tool: Math.max(4, longest - excess) })
  const room = columns === undefined ? SUMMARY_IN_PIPE : columns - tableWidth(head, cells) - GAP
  const rows = requests.map((request, i) => {
    const [id, tool, level, by, age, left] = cells[i]!
    const urgent = request.status === 'pending' && secondsLeft(request, view.now) < 60
    const shown = [
      id!,
      tool!,
      paint(levelStyle(request.level), level!),
      by!,
      age!,
      urgent ? paint('red', left!) : left!,
    ]
    return room < SUMMARY_MIN ? shown : [...shown, summary(request.request_data, room)]
  })
  return renderTable(room < SUMMARY_MIN ? head : [...head, truncate(t.list.head.at(-1)!, room)], rows, [4, 5])
}

function cellsOf(requests: readonly WireRequest[], { now, t }: ListView, limits: { tool: number; user: number }) {
  const ids = shortIds(requests.map((request) => request.request_id))
  const by = ({ responder_id: who }: WireRequest) => (who ? ` (${truncate(printable(who), limits.user)})` : '')
  return requests.map((request) => [
    ids.get(request.request_id)!,
    truncate(printable(request.tool_name), limits.tool),
    request.level ?? '-',
    truncate(printable(request.user_id), limits.user),
    request.requested_at === null ? '-' : span(now - Date.parse(request.requested_at), t),
    remaining(request, now, t) + by(request),
  ])
}
