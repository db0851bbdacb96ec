import type { Decision } from '../approval/request.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { type Command, type Context, type Input, on, text } from './command.ts'
import { Failure } from './failure.ts'
import { json } from './outcome.ts'
import { requestId } from './values.ts'

const MAX_IDS = 100

const command = (name: 'approve' | 'reject', decision: Decision, example: string): Command => ({
  name,
  usage: 'ID... --reason WHY',
  options: { reason: { type: 'string' }, json: { type: 'boolean' } },
  words: [1, Number.POSITIVE_INFINITY],
  defaultUser: 'admin_user',
  examples: [`${name} 3f2a91c0 --reason "${example}"`, `${name} 3f2a91c0 8b11d2e4 --reason "${example}"`],
  exits: { 0: 'done', 2: 'refused' },
  run: (context, input) => run(context, input, decision),
})

export const approve = command('approve', 'approved', 'checked with the requester')
export const reject = command('reject', 'rejected', 'not during the release')

async function run(context: Context, input: Input, decision: Decision): Promise<ExitCode> {
  const { t, terminal, client } = context
  const ids = [...new Set(input.positionals.map((word) => requestId(word, t)))]
  if (ids.length > MAX_IDS) throw new Failure(EXIT.USAGE, t.decide.tooMany)
  const reason = (text(input, 'reason') ?? (await askReason(context, ids))).trim()
  if (reason === '' || reason.length > 2000) throw new Failure(EXIT.USAGE, t.decide.reasonEmpty)
  const decided =
    ids.length === 1
      ? [await client.decide(ids[0]!, decision, reason)]
      : (await client.decideAll(ids, decision, reason)).approvals
  if (on(input, 'json')) terminal.out(json(ids.length === 1 ? decided[0] : decided))
  else {
    for (const { short_id, status, tool_name } of decided) {
      terminal.out(t.decide.done(short_id, t.status[status], printable(tool_name)))
    }
  }
  return EXIT.OK
}

async function askReason(context: Context, ids: readonly string[]): Promise<string> {
  const { t, terminal } = context
  const missing = new Failure(EXIT.USAGE, t.decide.reasonMissing)
  if (!terminal.canAsk) throw missing
  const { Prompts } = await import('./prompts.ts')
  const prompts = new Prompts(terminal, terminal.stderr, context.signal)
  try {
    const reason = await prompts.reason(t.decide.reasonPrompt(ids.map((id) => id.slice(0, 8)).join(' ')), t)
    if (reason.kind !== 'answer') throw missing
    return reason.value
  } finally {
    prompts.close()
  }
}
