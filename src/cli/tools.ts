import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable, truncate } from '../report/printable.ts'
import { type Command, type Context, type Input, on } from './command.ts'
import { json } from './outcome.ts'
import { GAP, renderTable, tableWidth } from './table.ts'

export const tools: Command = {
  name: 'tools',
  usage: '',
  options: { json: { type: 'boolean' } },
  words: [0, 0],
  defaultUser: 'dev_user',
  examples: ['tools', 'tools --json'],
  exits: { 0: 'shown' },
  run,
}

/** A description in fewer columns than this tells nothing. */
const LEAST = 20

async function run({ client, terminal, t }: Context, input: Input): Promise<ExitCode> {
  const answer = await client.tools()
  if (on(input, 'json')) {
    terminal.out(json(answer))
    return EXIT.OK
  }
  const cells = answer.tools.map(({ name, server, level }) => [printable(name), printable(server), level])
  const taken = tableWidth(t.tools.head.slice(0, -1), cells) + GAP
  const room = (terminal.columns() ?? Number.POSITIVE_INFINITY) - taken
  const rows = answer.tools.map(({ description }, i) => {
    const [first = ''] = description.trim().split('\n')
    return [...cells[i]!, truncate(printable(first), Math.max(LEAST, room))]
  })
  if (rows.length === 0) terminal.err(t.tools.none)
  else terminal.out(renderTable(t.tools.head, rows))
  if (answer.not_up.length > 0) terminal.err(t.tools.notUp(answer.not_up.map(printable).join(', ')))
  return EXIT.OK
}
