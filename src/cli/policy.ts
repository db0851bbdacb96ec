import { readFileSync } from 'node:fs'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { type Command, type Context, type Input, text } from './command.ts'
import { Failure } from './failure.ts'
import { instant } from './format.ts'
import { json } from './outcome.ts'
import { renderTable } from './table.ts'
import { oneOf, wholeNumber } from './values.ts'

export const explainPolicy: Command = {
  name: 'policy explain',
  usage: 'TOOL',
  options: { server: { type: 'string' }, format: { type: 'string' } },
  words: [1, 1],
  defaultUser: 'admin_user',
  examples: ['policy explain execute_python', 'policy explain read_file --server files'],
  exits: { 0: 'shown' },
  async run({ client, t, terminal }, input) {
    const format = oneOf(input, 'format', ['table', 'json'], t) ?? 'table'
    const found = await client.explain(input.positionals[0]!, text(input, 'server') ?? '')
    if (format === 'json') {
      terminal.out(json(found))
      return EXIT.OK
    }
    const { decided_by, also_fit } = found
    terminal.out(t.policy.level(printable(found.tool), found.level, found.needs_approval))
    terminal.out(decided_by ? t.policy.decided(printable(decided_by.rule), decided_by.line) : t.policy.unnamed)
    for (const { rule, level, line } of also_fit) terminal.out(t.policy.alsoFits(printable(rule), level, line))
    return EXIT.OK
  },
}

export const forecastPolicy: Command = {
  name: 'policy forecast',
  usage: 'FILE',
  options: { weeks: { type: 'string' }, format: { type: 'string' } },
  words: [1, 1],
  defaultUser: 'admin_user',
  examples: ['policy forecast new-policy.json --weeks 4'],
  exits: { 0: 'shown' },
  run: forecast,
}

async function forecast({ client, t, terminal, settings }: Context, input: Input): Promise<ExitCode> {
  const format = oneOf(input, 'format', ['table', 'json'], t) ?? 'table'
  const weeks = wholeNumber(input, 'weeks', 1, 52, t) ?? 4
  const found = await client.forecast(readPolicy(input.positionals[0]!, t), weeks)
  if (format === 'json') {
    terminal.out(json(found))
    return EXIT.OK
  }
  const perDay = (n: number) => n.toFixed(1)
  const name = (server: string, tool: string) => printable(server === '' ? tool : `${server} / ${tool}`)
  const rows = found.tools.map((tool) => [
    ...[name(tool.server, tool.tool), `${tool.from} -> ${tool.to}`, String(tool.calls)],
    ...[perDay(tool.before), perDay(tool.after)],
  ])
  if (rows.length > 0) terminal.out(renderTable(t.policy.head, rows, [2, 3, 4]))
  terminal.out(t.policy.total(perDay(found.before), perDay(found.after)))
  terminal.out(t.policy.covers(instant(found.since, settings), found.days > 1 ? perDay(found.days) : undefined))
  for (const { server, tool, from, to } of found.unknown) terminal.out(t.policy.unknown(name(server, tool), from, to))
  terminal.out(t.policy.unrecorded)
  return EXIT.OK
}

function readPolicy(path: string, t: Context['t']): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(EXIT.USAGE, t.request.unreadable(path, (error as Error).message))
  }
}
