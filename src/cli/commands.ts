import { verifyAudit } from './audit.ts'
import { call } from './call.ts'
import { cancel } from './cancel.ts'
import type { Command } from './command.ts'
import { approve, reject } from './decide.ts'
import { gateway } from './gateway.ts'
import { list } from './list.ts'
import { explainPolicy, forecastPolicy } from './policy.ts'
import { request } from './request.ts'
import { show } from './show.ts'
import { tools } from './tools.ts'
import { addUser, disableUser, enableUser, listUsers, renewToken } from './users.ts'
import { watch } from './watch.ts'

/** The desk is loaded when it is used: it brings the prompts with it. */
const desk: Command = {
  name: '',
  usage: '',
  options: {},
  words: [0, 0],
  defaultUser: 'admin_user',
  examples: [],
  exits: { 0: 'done' },
  run: async (context) => (await import('./desk.ts')).runDesk(context),
}

export const COMMANDS: readonly Command[] = [
  ...[desk, call, tools, request, list, show, approve, reject, cancel, watch, gateway],
  ...[addUser, disableUser, enableUser, renewToken, listUsers],
  ...[explainPolicy, forecastPolicy, verifyAudit],
]
