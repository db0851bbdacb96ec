import type { ParseArgsConfig } from 'node:util'
import type { Settings } from '../config.ts'
import type { ExitCode } from '../exit-codes.ts'
import type { Client } from './client.ts'
import type { Identity } from './identity.ts'
import type { Messages } from './messages.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with. Nothing in it is global, so that a test can pass its own. */
export interface Context {
  readonly t: Messages
  readonly settings: Settings
  readonly client: Client
  readonly identity: Identity
  readonly terminal: Terminal
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
  /** How this program was called, for the commands it suggests: `npx approval` or a path. */
  readonly self: string
}

export type Options = NonNullable<ParseArgsConfig['options']>

export interface Input {
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
}

/** Whom a command acts for when neither `--as` nor APPROVAL_TOKEN says: the two users of the first start. */
export type DefaultUser = 'admin_user' | 'dev_user'

export interface Command {
  /** As typed: `list`, `users add`. Empty for the desk itself. */
  readonly name: string
  /** What follows the name, e.g. `TOOL --args JSON`. */
  readonly usage: string
  readonly options: Options
  /** How many words it takes. */
  readonly words: readonly [min: number, max: number]
  readonly defaultUser: DefaultUser
  readonly examples: readonly string[]
  /** Codes that mean something of this command's own, with the key of the sentence. */
  readonly exits: Readonly<Partial<Record<ExitCode, keyof Messages['exits']>>>
  readonly run: (context: Context, input: Input) => Promise<ExitCode>
}

export const text = (input: Input, name: string): string | undefined => {
  const value = input.values[name]
  return typeof value === 'string' ? value : undefined
}
export const on = (input: Input, name: string): boolean => input.values[name] === true
