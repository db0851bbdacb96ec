import { createInterface } from 'node:readline'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Command, Context } from './command.ts'
import { createPump } from './gateway-pump.ts'

export const gateway: Command = {
  name: 'gateway',
  usage: '',
  options: {},
  words: [0, 0],
  defaultUser: 'dev_user',
  examples: ['gateway', 'gateway --as dev_user'],
  exits: { 0: 'hostLeft' },
  run,
}

/** For hosts that start a command: MCP on the standard streams, carried to the running desk. */
async function run({ client, terminal, signal }: Context): Promise<ExitCode> {
  const left = new AbortController()
  const pump = createPump({
    ...{ url: client.url, token: client.token, write: (line) => terminal.out(line) },
    signal: AbortSignal.any([signal, left.signal]),
  })
  const lines = createInterface({ input: terminal.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  signal.addEventListener('abort', () => lines.close())
  for await (const line of lines) if (line.trim() !== '') await pump.send(line)
  // The host has gone: nothing that it asked for may run any more.
  left.abort()
  await pump.close()
  signal.throwIfAborted()
  return EXIT.OK
}
