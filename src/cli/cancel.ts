import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { type Command, type Context, type Input, on } from './command.ts'
import { json } from './outcome.ts'
import { requestId } from './values.ts'

export const cancel: Command = {
  name: 'cancel',
  usage: 'ID',
  options: { json: { type: 'boolean' } },
  words: [1, 1],
  defaultUser: 'dev_user',
  examples: ['cancel 3f2a91c0'],
  exits: { 0: 'done', 2: 'refused' },
  run,
}

async function run({ client, t, terminal }: Context, input: Input): Promise<ExitCode> {
  const request = await client.cancel(requestId(input.positionals[0]!, t))
  const line = t.decide.done(request.short_id, t.status[request.status], printable(request.tool_name))
  terminal.out(on(input, 'json') ? json(request) : line)
  return EXIT.OK
}
