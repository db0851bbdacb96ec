import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { type Command, type Context, type Input, on, text } from './command.ts'
import { Failure } from './failure.ts'
import { clock } from './format.ts'
import { awaitOutcome, json, showCommand } from './outcome.ts'
import { wholeNumber } from './values.ts'
import type { Unasked } from './wire.ts'

export const request: Command = {
  name: 'request',
  usage: 'TOOL [--args JSON | --args-file FILE]',
  options: {
    args: { type: 'string' },
    'args-file': { type: 'string' },
    reason: { type: 'string' },
    server: { type: 'string' },
    timeout: { type: 'string' },
    'no-wait': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  words: [1, 1],
  defaultUser: 'dev_user',
  examples: [
    `request execute_python --args '{"code":"print(1)"}'`,
    'request write_file --args-file call.json --reason "release notes"',
    'request run_command --args-file - --no-wait < call.json',
  ],
  exits: { 0: 'mayRun', 1: 'rejected', 2: 'closed', 3: 'pending', 75: 'notNow' },
  run,
}

async function run(context: Context, input: Input): Promise<ExitCode> {
  const { t, terminal, client } = context
  const asJson = on(input, 'json')
  const { answer, joined } = await client.ask({
    tool_name: input.positionals[0]!,
    argumentsJson: await readJsonArguments(input, context),
    server: text(input, 'server'),
    reason: text(input, 'reason'),
    timeout_seconds: wholeNumber(input, 'timeout', 1, 86_400, t),
  })
  if (!('request_id' in answer)) return unasked(context, answer, input.positionals[0]!, asJson)
  if (joined) terminal.err(t.request.joined(answer.short_id))
  if (on(input, 'no-wait')) {
    terminal.out(asJson ? json(answer) : answer.request_id)
    const next = showCommand(context, answer.request_id, '--wait')
    throw new Failure(EXIT.PENDING, t.outcome.stillPending(answer.short_id), next)
  }
  const { short_id, level, tool_name, seconds_until_expiry } = answer
  terminal.err(t.request.created(short_id, level ?? '-', printable(tool_name), clock(seconds_until_expiry)))
  return awaitOutcome(context, answer, asJson)
}

function unasked({ terminal, t }: Context, answer: Unasked, tool: string, asJson: boolean): ExitCode {
  const sentence = answer.status === 'bypassed' ? t.request.bypassed : t.request.notRequired
  terminal.out(asJson ? json(answer) : sentence(printable(tool), answer.level))
  if (answer.status === 'bypassed') {
    terminal.err(terminal.paint(['bold', 'red'], t.request.bypassedWarning, terminal.stderr))
  }
  return EXIT.OK
}

/** The text is checked here and sent as it is, so that the server reads what was written. @throws Failure */
export async function readJsonArguments(input: Input, context: Pick<Context, 't' | 'terminal'>): Promise<string> {
  const { t } = context
  const [inline, file] = [text(input, 'args'), text(input, 'args-file')]
  if (inline !== undefined && file !== undefined) throw new Failure(EXIT.USAGE, t.request.bothArguments)
  const source = inline ?? (file === undefined ? '{}' : await readUtf8(file, context))
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw new Failure(EXIT.USAGE, t.request.notJson((error as Error).message))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure(EXIT.USAGE, t.request.notObject)
  }
  return source
}

async function readUtf8(file: string, { t, terminal }: Pick<Context, 't' | 'terminal'>): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await (file === '-' ? buffer(terminal.stdin) : readFile(file))
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new Failure(EXIT.USAGE, t.request.unreadable(file, why))
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Failure(EXIT.USAGE, t.request.notUtf8(file))
  }
}
