import { EXIT, type ExitCode } from '../exit-codes.ts'
import { type Command, type Context, type Input, on } from './command.ts'
import { renderDetail } from './detail.ts'
import { awaitOutcome, json, tell } from './outcome.ts'
import { requestId } from './values.ts'

export const show: Command = {
  name: 'show',
  usage: 'ID',
  options: { wait: { type: 'boolean' }, reveal: { type: 'boolean' }, json: { type: 'boolean' } },
  words: [1, 1],
  defaultUser: 'admin_user',
  examples: ['show 3f2a91c0', 'show 3f2a91c0 --reveal', 'show 3f2a91c0 --wait --as dev_user'],
  exits: { 0: 'shown', 1: 'rejected', 2: 'closed', 3: 'pending' },
  run,
}

async function run(context: Context, input: Input): Promise<ExitCode> {
  const { t, terminal, client, settings, signal } = context
  const id = requestId(input.positionals[0]!, t)
  const request = on(input, 'reveal') ? await client.reveal(id, signal) : await client.get(id)
  const asJson = on(input, 'json')
  if (on(input, 'wait')) {
    return request.status === 'pending' ? awaitOutcome(context, request, asJson) : tell(context, request, asJson)
  }
  const columns = terminal.columns()
  const view = { now: client.now(), settings, columns, t, paint: terminal.paint.bind(terminal) }
  terminal.out(asJson ? json(request) : renderDetail(request, view).join('\n'))
  return EXIT.OK
}
