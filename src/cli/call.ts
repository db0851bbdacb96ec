import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable, printableLines } from '../report/printable.ts'
import { shellWord } from '../report/unmeasured.ts'
import type { ToolAnswer, ToolResult } from './client.ts'
import { type Command, type Context, type Input, text } from './command.ts'
import { saidBy } from './explain.ts'
import { Failure, isTransient, ServerError, Unreachable } from './failure.ts'
import { clock } from './format.ts'
import { asUser } from './identity.ts'
import { awaitDecision, json, outcomeText, showCommand } from './outcome.ts'
import { pause } from './pause.ts'
import { readJsonArguments } from './request.ts'
import { oneOf } from './values.ts'
import type { WireRequest } from './wire.ts'

export const call: Command = {
  name: 'call',
  usage: 'TOOL [--args JSON | --args-file FILE]',
  options: {
    args: { type: 'string' },
    'args-file': { type: 'string' },
    reason: { type: 'string' },
    format: { type: 'string' },
  },
  words: [1, 1],
  defaultUser: 'dev_user',
  examples: [
    `call execute_python --args '{"code":"print(1)"}'`,
    'call write_file --args-file call.json --reason "release notes"',
    `call list_files --args '{"path":"."}' --format json`,
  ],
  exits: { 0: 'ran', 1: 'rejected', 2: 'closed', 3: 'pending', 4: 'toolFailed', 75: 'notNow' },
  run,
}

/** How often a desk that is away for a moment is tried again, with half a second between. */
const TRIES = 20

async function run(context: Context, input: Input): Promise<ExitCode> {
  const { t, terminal, client } = context
  const format = oneOf(input, 'format', ['text', 'json'], t) ?? 'text'
  const tool = input.positionals[0]!
  const argumentsJson = await readJsonArguments(input, context)
  const asked = { tool, argumentsJson, reason: text(input, 'reason') }
  let answer: ToolAnswer
  try {
    answer = await client.callTool({ ...asked, wait: 0 })
    if ('request' in answer) {
      const { short_id, level, tool_name, seconds_until_expiry } = answer.request
      terminal.err(t.request.created(short_id, level ?? '-', printable(tool_name), clock(seconds_until_expiry)))
      answer = await approved(context, answer.request, asked)
    }
  } catch (error) {
    throw asExit(error, context)
  }
  if ('request' in answer)
    throw new Failure(EXIT.PENDING, t.outcome.stillPending(answer.request.short_id), resumeCommand(context, asked))
  return show(context, answer.result, format)
}

type Asked = Parameters<Context['client']['callTool']>[0]

/** Waits for the decision, over restarts of the desk, and then makes the call for exactly this request. */
async function approved(context: Context, request: WireRequest, asked: Asked): Promise<ToolAnswer> {
  const { t, terminal, client, signal } = context
  const final = await awaitDecision(context, request, resumeCommand(context, asked))
  if (final.status === 'pending') {
    throw new Failure(EXIT.PENDING, t.outcome.serverGone(final.short_id), resumeCommand(context, asked))
  }
  terminal.err(`${final.short_id} ${printable(final.tool_name)} ${outcomeText(context, final)}`)
  if (final.status !== 'approved') {
    const exit = final.status === 'rejected' ? EXIT.REJECTED : EXIT.CLOSED
    const sentence = t.outcome.notApproved(final.short_id, t.status[final.status])
    throw new Failure(exit, sentence, showCommand(context, final.request_id))
  }
  for (let tries = 1; ; tries++) {
    try {
      return await client.callTool({ ...asked, request_id: final.request_id })
    } catch (error) {
      // What may have arrived is not sent a second time: the approval would be used, and nobody know by whom.
      const mayHaveRun = error instanceof Unreachable && error.sent
      const unsettled = error instanceof ServerError && error.code === 'upstream_error'
      if (!isTransient(error) || mayHaveRun || unsettled || tries >= TRIES) throw error
      await pause(500, signal)
      signal.throwIfAborted()
    }
  }
}

/** The same call again, for a shell: it joins the request, or uses its approval. */
function resumeCommand({ self, identity }: Context, { tool, argumentsJson, reason }: Asked): string {
  // Where the request has expired meanwhile the call makes a new one.
  const why = reason === undefined ? [] : ['--reason', shellWord(reason)]
  return [
    self,
    'call',
    shellWord(tool),
    '--args',
    shellWord(argumentsJson),
    ...why,
    ...asUser(identity, call.defaultUser),
  ].join(' ')
}

const toolsCommand = ({ self, identity }: Context) => [self, 'tools', ...asUser(identity, call.defaultUser)].join(' ')

/** Codes of the caller's own: what went wrong with the tool is not what went wrong with the desk. */
function asExit(error: unknown, context: Context): unknown {
  const { t, self, settings } = context
  if (!(error instanceof ServerError)) return error
  const sentence = saidBy(error, t, settings)
  switch (error.code) {
    case 'approval_required':
      return new Failure(
        error.facts.approval_status === 'rejected' ? EXIT.REJECTED : EXIT.CLOSED,
        sentence,
        `${self} list --all`,
      )
    case 'upstream_error':
      // Whether anything ran only the sentence itself says.
      return new Failure(EXIT.TOOL_FAILED, t.call.broke(sentence))
    case 'upstream_unavailable':
      return new Failure(EXIT.UNREACHABLE, t.call.unavailable(sentence), 'npm run daily-check')
    case 'not_found':
      return new Failure(EXIT.USAGE, t.call.unknownTool(sentence), toolsCommand(context))
    default:
      return error
  }
}

/** Text to stdout as it is; what a terminal cannot show is named. A terminal gets no control characters. */
function show({ terminal, t }: Context, result: ToolResult, format: 'text' | 'json'): ExitCode {
  if (format === 'json') terminal.out(json(result))
  else {
    const content = result.content ?? []
    const shown = (text: string) => terminal.out(terminal.columns() === undefined ? text : printableLines(text))
    for (const block of content) {
      const inner = block.text ?? block.resource?.text
      if (inner !== undefined) shown(inner)
      else terminal.err(t.call.otherContent(printable(block.type), printable(block.mimeType ?? block.uri ?? '-')))
    }
    if (content.length === 0 && result.structuredContent !== undefined) shown(json(result.structuredContent))
  }
  if (result.isError !== true) return EXIT.OK
  throw new Failure(EXIT.TOOL_FAILED, t.call.failed)
}
