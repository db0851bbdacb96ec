import { readFileSync } from 'node:fs'
import { ROLES } from '../approval/identity.ts'
import { credentialsPath } from '../config.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { type Command, type Context, type Input, on, text } from './command.ts'
import { Failure } from './failure.ts'
import { json } from './outcome.ts'
import { renderTable } from './table.ts'
import { oneOf } from './values.ts'

const administration = {
  words: [1, 1],
  defaultUser: 'admin_user',
  exits: { 0: 'done', 2: 'refusedUser' },
} as const

export const addUser: Command = {
  ...administration,
  name: 'users add',
  usage: 'USER --role ROLE',
  options: {
    role: { type: 'string' },
    name: { type: 'string' },
    save: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  examples: ['users add kim --role approver --name "Kim"'],
  async run(context, input) {
    const { t, terminal, client } = context
    const role = oneOf(input, 'role', ROLES, t)
    if (role === undefined) throw new Failure(EXIT.USAGE, t.usage.needsValue('--role'), `--role ${ROLES.join('|')}`)
    const user = await client.addUser({ user_id: input.positionals[0]!, role, username: text(input, 'name') })
    terminal.err(t.users.added(printable(user.user_id), user.role))
    return handOver(context, input, user)
  },
}

export const renewToken: Command = {
  ...administration,
  name: 'users token',
  usage: 'USER',
  options: { save: { type: 'boolean' }, json: { type: 'boolean' } },
  examples: ['users token kim'],
  async run(context, input) {
    const user = await context.client.newToken(input.positionals[0]!)
    context.terminal.err(context.t.users.newToken(printable(user.user_id)))
    return handOver(context, input, user)
  },
}

export const disableUser: Command = {
  ...administration,
  name: 'users disable',
  usage: 'USER',
  options: { json: { type: 'boolean' } },
  examples: ['users disable kim'],
  async run({ t, terminal, client }, input) {
    const user = await client.disableUser(input.positionals[0]!)
    terminal.out(on(input, 'json') ? json(user) : t.users.disabled(printable(user.user_id)))
    return EXIT.OK
  },
}

export const enableUser: Command = {
  ...administration,
  name: 'users enable',
  usage: 'USER',
  options: { json: { type: 'boolean' } },
  examples: ['users enable kim'],
  async run({ t, terminal, client }, input) {
    const user = await client.enableUser(input.positionals[0]!)
    terminal.out(on(input, 'json') ? json(user) : t.users.enabled(printable(user.user_id)))
    return EXIT.OK
  },
}

export const listUsers: Command = {
  ...administration,
  name: 'users list',
  usage: '',
  options: { json: { type: 'boolean' }, format: { type: 'string' } },
  words: [0, 0],
  examples: ['users list'],
  exits: { 0: 'shown' },
  async run({ t, terminal, client }, input) {
    const format = oneOf(input, 'format', ['table', 'json'], t) ?? (on(input, 'json') ? 'json' : 'table')
    const answer = await client.users()
    const flag = (yes: boolean) => (yes ? t.users.yes : t.users.no)
    const rows = answer.users.map((user) => [
      ...[printable(user.user_id), printable(user.role), flag(user.is_active), flag(user.has_token)],
      printable(user.username ?? ''),
    ])
    terminal.out(format === 'json' ? json(answer) : renderTable(t.users.head, rows))
    return EXIT.OK
  },
}

/** Prints the token, and keeps it where this machine's own tokens are: when asked, or when the old one was there. */
async function handOver(
  { t, terminal, settings }: Context,
  input: Input,
  user: { user_id: string; token: string },
): Promise<ExitCode> {
  const path = credentialsPath(settings)
  terminal.out(on(input, 'json') ? json(user) : user.token)
  if (!on(input, 'save') && !isKept(path, user.user_id)) return EXIT.OK
  try {
    // Its lock is SQLite's: no other command waits for that to be loaded.
    const { saveToken } = await import('../credentials.ts')
    saveToken(path, user.user_id, user.token)
    terminal.err(t.users.saved(path))
    return EXIT.OK
  } catch (error) {
    throw new Failure(EXIT.BAD_CONFIG, t.users.saveFailed(path, (error as Error).message))
  }
}

function isKept(path: string, userId: string): boolean {
  try {
    return Object.hasOwn(JSON.parse(readFileSync(path, 'utf8')), userId)
  } catch {
    return false
  }
}
