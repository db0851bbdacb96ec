import type { Status } from '../approval/request.ts'

const status: Record<Status, string> = {
  pending: 'pending',
  approved: 'approved',
  rejected: 'rejected',
  expired: 'expired',
  cancelled: 'cancelled',
}

export const en = {
  status,
  span: {
    seconds: (n: number) => `${n} s`,
    minutes: (n: number) => `${n} min`,
    hours: (n: number) => `${n} h`,
    days: (n: number) => `${n} d`,
  },
  since: (what: string, span: string) => `${what} ${span} ago`,
  left: (clock: string) => `${clock} left`,
  fieldWidth: 11,
  field: {
    request: 'request',
    status: 'status',
    level: 'level',
    server: 'server',
    tool: 'tool',
    requester: 'requester',
    reason: 'reason',
    requested: 'requested',
    expires: 'expires',
    decided: 'decided by',
    because: 'because',
    consumed: 'used',
    digest: 'digest',
    arguments: 'arguments, whole',
    argumentsHidden: 'arguments, secrets hidden',
  },

  hidden: (n: number) =>
    `! ${n} ${n === 1 ? 'value looks like a secret and is' : 'values look like secrets and are'} not shown. See all of it before you approve: show ID --reveal (v at the desk)`,
  usage: {
    unknownCommand: (name: string, hint: string | undefined) =>
      `There is no command "${name}"${hint ? `; did you mean "${hint}"?` : '.'}`,
    incomplete: (name: string, full: readonly string[]) => `"${name}" needs one more word: ${full.join(', ')}.`,
    unknownOption: (name: string, hint: string | undefined) =>
      `There is no option ${name} here${hint ? `; did you mean ${hint}?` : '.'}`,
    needsValue: (name: string) => `${name} needs a value.`,
    takesNoValue: (name: string) => `${name} takes no value.`,
    dashValue: (name: string, value: string) =>
      `${name} needs a value. If ${value} is meant as one, write ${name}=${value}.`,
    missingWord: (usage: string) => `Something is missing. Expected: ${usage}.`,
    extraWord: (word: string, usage: string) => `"${word}" is one word too many. Expected: ${usage || 'nothing more'}.`,
    oneOf: (name: string, allowed: string) => `${name}: allowed are ${allowed}.`,
    wholeNumber: (name: string, min: number, max: number) =>
      `${name}: allowed is a whole number from ${min} to ${max}.`,
    badId: (id: string) => `"${id}" is no request id: give the full id, or at least its first 8 hex digits.`,
  },
  identity: {
    unknown: (user: string, path: string, known: readonly string[]) =>
      `${path} has no token of ${user}; it knows ${known.join(', ') || 'nobody'}.`,
    unknownNext: '--as USER, or APPROVAL_TOKEN',
    noFile: (path: string) => `There is no ${path}: the server writes it at its first start.`,
    noFileNext: 'npm start, or APPROVAL_TOKEN',
    unreadable: (path: string, why: string) => `${path} cannot be read (${why}).`,
    unreadableNext: 'APPROVAL_TOKEN',
    malformed: (path: string) => `${path} is not JSON of the form {"user": "token"}.`,
    badToken: (where: string) => `The token in ${where} holds characters that no token has.`,
  },

  /** A sentence of the server, without its full stop. */
  said: (_code: string, detail: string, _facts: Readonly<Record<string, unknown>>, _time: (iso: unknown) => string) =>
    detail,
  /** The server's own sentences are English; these are the ones that need the team's clock. */
  problem: (code: string, detail: string, facts: Readonly<Record<string, unknown>>, time: (iso: unknown) => string) => {
    if (code === 'already_decided') {
      const because = facts.reason ? `: ${facts.reason}` : ''
      return `Already ${facts.decision} by ${facts.decided_by} at ${time(facts.decided_at)}${because}.`
    }
    if (code === 'expired' && facts.expired_at)
      return `Expired at ${time(facts.expired_at)}; the caller must ask again.`
    if (code === 'queue_full') return `${detail}, in ${facts.retry_after} s at the earliest.`
    if (code === 'not_approval_ops') return `${detail}: the answer is not from an approval-ops server.`
    const sentence = detail.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase())
    return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
  },
  unreachable: (url: string, why: string) => `The server does not answer at ${url} (${why}).`,
  unknownOutcome: (url: string, why: string) =>
    `The connection to ${url} broke before the answer came (${why}); whether it took effect is not known.`,
  interrupted: (signal: string) => `Interrupted (${signal}).`,
  cutOff: (signal: string) =>
    `Interrupted (${signal}) before the answer came; whether the tool ran or was stopped midway is not known.`,
  internal: (what: string) => `This program failed: ${what}.`,
  notATerminal: 'This asks questions, and there is no terminal to ask on.',
  badConfig: 'The configuration cannot be used',

  request: {
    created: (id: string, level: string, tool: string, clock: string) =>
      `${id} ${level} ${tool}: waiting for a decision, ${clock} left.`,
    joined: (id: string) => `The same call is waiting already; joined ${id}.`,
    waiting: (id: string, tool: string, clock: string) =>
      `${id} ${tool}  ${clock}  Ctrl-C: stop waiting, the request stays`,
    lost: (why: string) => `Lost the server (${why}). The request stays; trying again.`,
    found: 'The server is back; waiting goes on.',
    bothArguments: '--args and --args-file exclude each other.',
    notJson: (why: string) => `The arguments are not JSON: ${why}.`,
    notObject: 'The arguments must be a JSON object, e.g. {"code":"print(1)"}.',
    unreadable: (file: string, why: string) => `${file} cannot be read (${why}).`,
    notUtf8: (file: string) => `${file} is not UTF-8.`,
    notRequired: (tool: string, level: string) => `not required: ${tool} is ${level}`,
    bypassed: (tool: string, level: string) => `bypassed: ${tool} is ${level}, and the gate is OFF`,
    bypassedWarning: 'WARNING: the gate is off. NOBODY approved this call; it is recorded as bypassed.',
  },
  call: {
    failed: 'The tool ran and failed.',
    broke: (why: string) => `The call failed: ${why}`,
    unavailable: (why: string) => `Not run: ${why}`,
    unknownTool: (why: string) => `Not run: ${why}`,
    otherContent: (type: string, what: string) => `[${type} ${what}: --format json has it]`,
  },
  tools: {
    head: ['TOOL', 'SERVER', 'LEVEL', 'DESCRIPTION'],
    none: 'No tool can be called: no tool server in mcp.json offers one.',
    notUp: (names: string) => `Not available now, their tools are not listed: ${names}. npm run daily-check`,
  },
  outcome: {
    approved: (who: string, why: string) => `approved by ${who}: ${why}`,
    rejected: (who: string, why: string) => `rejected by ${who}: ${why}`,
    expired: 'expired: nobody decided in time',
    cancelled: 'cancelled',
    notApproved: (id: string, status: string) => `${id} is ${status}; the call must not run.`,
    stillPending: (id: string) => `${id} is still pending.`,
    serverGone: (id: string) => `The server stayed away; how ${id} ended is not known.`,
  },
  list: {
    head: ['ID', 'TOOL', 'LEVEL', 'BY', 'AGE', 'LEFT', 'ARGUMENTS'],
    none: 'No request is waiting.',
    noneAtAll: 'There are no requests.',
    more: (shown: number, count: number) => `${shown} of ${count} shown.`,
  },
  decide: {
    reasonPrompt: (id: string) => `${id}: why?`,
    reasonMissing: 'A decision needs a reason (--reason).',
    reasonEmpty: 'Say why: 1 to 2000 characters.',
    done: (id: string, status: string, tool: string) => `${id} ${status} (${tool})`,
    tooMany: 'At most 100 requests at once.',
  },
  watch: {
    title: (count: number, url: string) => `${count} waiting  ${url}`,
    keys: 'q quit',
    lost: (why: string) => `connection lost (${why}), trying again`,
    found: 'connected again',
    more: (n: number) => `... and ${n} more`,
    event: (type: string) => type.replaceAll('_', ' '),
  },
  desk: {
    choose: (count: number) => `${count} waiting. Choose one (l refreshes, q quits)`,
    news: (n: number) => `${n} new: press l`,
    lost: 'connection lost, trying again',
    empty: 'Nothing is waiting. New requests appear by themselves',
    refresh: 'refresh the list',
    approve: 'approve',
    reject: 'reject',
    skip: 'skip, next request',
    reveal: 'show what is hidden',
    list: 'back to the list',
    quit: 'quit',
    decideOn: (id: string, clock: string) => `${id}  ${clock} left`,
    why: (verb: string, id: string) => `Why ${verb} ${id}? (Esc: back)`,
    long: (lines: number) => `${lines} lines: scroll up to read all of them.`,
    meanwhile: (id: string, what: string) => `Meanwhile ${id}: ${what}.`,
    gone: 'gone',
  },
  users: {
    head: ['USER', 'ROLE', 'ACTIVE', 'TOKEN', 'NAME'],
    yes: 'yes',
    no: 'no',
    added: (id: string, role: string) => `Added ${id} (${role}). The token is shown this once; hand it over safely.`,
    newToken: (id: string) => `A new token for ${id}. It is shown this once; the old one is worth nothing now.`,
    saved: (path: string) => `Saved in ${path}.`,
    saveFailed: (path: string, why: string) => `The token could not be saved in ${path} (${why}).`,
    disabled: (id: string) => `${id} is disabled, at once.`,
    enabled: (id: string) => `${id} may sign in again.`,
  },
  policy: {
    level: (tool: string, level: string, needs: boolean) =>
      `${tool}: ${level}, ${needs ? 'waits for a human' : 'runs at once'}`,
    decided: (rule: string, line: number) => `decided by the rule ${rule} (line ${line})`,
    unnamed: 'no rule names it: then it is HIGH',
    alsoFits: (rule: string, level: string, line: number) =>
      `also fits, and comes after it: ${rule} ${level} (line ${line})`,
    head: ['TOOL', 'LEVEL', 'CALLS', 'NOW/DAY', 'THEN/DAY'],
    total: (before: string, after: string) => `Approvals a day: ${before} now, ${after} then.`,
    covers: (since: string, days: string | undefined) =>
      `From the calls on record since ${since} (${days === undefined ? 'less than a day, counted as one' : `${days} days`}), drills left out.`,
    unknown: (tool: string, from: string, to: string) =>
      `${tool} ${from} -> ${to}: cost UNKNOWN, its calls were not recorded while they needed no approval.`,
    unrecorded: 'Calls of LOW and MEDIUM tools leave no record: what they would cost is not in these figures.',
  },
  audit: {
    ok: (events: number) => `The record is whole: ${events} events.`,
    okArchived: (events: number, archives: number) =>
      `The record is whole: ${events} events in ${archives} archive(s) and the database.`,
    missing: (file: string) => `${file}: the archive is missing, so it was not verified`,
    incomplete: (n: number, events: number) => `${n} archive(s) missing. What is here is whole: ${events} events.`,
    head: (seq: number, hash: string) => `head ${seq} ${hash}`,
    problem: (where: string, what: string) => `${where}: ${what}`,
    broken: (n: number) => `The record is NOT whole: ${n} problem(s).`,
  },

  help: {
    usage: 'Usage',
    commands: 'Commands',
    options: 'Options',
    examples: 'Examples',
    exitCodes: 'Exit codes',
    more: (self: string) => `${self} COMMAND --help says more.`,
    intro:
      'The approval desk on the command line. Without a command it is interactive: choose a request, read it, decide.',
    command: {
      '': 'Choose a waiting request, read the whole of it, approve or reject',
      call: 'Call a tool through the gate and print its result; waits for the decision where one is needed',
      tools: 'What can be called: name, tool server, level, description',
      request: 'Ask for approval of one call and wait for the decision',
      list: 'The waiting list, least remaining time first',
      show: 'Everything about one request, its arguments included; secrets are hidden',
      approve: 'Approve requests: several are all or nothing',
      reject: 'Reject requests: several are all or nothing',
      cancel: 'Take a request back',
      watch: 'The waiting list as it changes; in a pipe one line per change',
      gateway: 'The MCP server for hosts that start a command: the tools of mcp.json, behind the gate',
      'users add': 'Add a user and print the token',
      'users disable': 'Shut a user out, at once',
      'users enable': 'Let a user in again',
      'users token': 'Issue a new token; the old one ends',
      'users list': 'All users',
      'policy explain': 'Which rule of the policy decides on a tool',
      'policy forecast': 'Approvals a day under another policy file, from the calls on record',
      'audit verify': 'Check the whole record: every event, digest and decision',
    } as Record<string, string>,
    option: {
      as: 'act as USER, whose token is in data/credentials.json (wins over APPROVAL_TOKEN)',
      lang: 'ko or en (OPS_LANG)',
      help: 'this help',
      version: 'the version',
      args: 'the arguments of the call, a JSON object',
      'args-file': 'the same from a file, - for standard input',
      reason: 'why; a decision needs it',
      server: 'the server that has the tool',
      timeout: 'seconds until the request expires; at most APPROVAL_TIMEOUT',
      'no-wait': 'print the id and do not wait',
      json: 'print JSON as the server sends it',
      format: 'list: table or json; call: text or json',
      all: 'also what is no longer pending, newest first',
      head: 'an earlier end of the record, number and hash from an evening report: it must still be in there',
      weeks: 'the calls of the last N weeks (4; 1 to 52)',
      status: 'only this status: pending, approved, rejected, expired, cancelled',
      limit: 'at most N requests',
      reveal: 'with whatever looks like a secret',
      wait: 'wait for the decision; exit code as of request',
      role: 'guest, developer, approver or admin',
      name: 'the full name',
      save: 'put the token into data/credentials.json',
    } as Record<string, string>,
    identity: (user: string) => `Acts as ${user} unless --as or APPROVAL_TOKEN says otherwise.`,
  },
  exits: {
    done: 'done',
    shown: 'shown',
    ran: 'the tool ran',
    toolFailed: 'the tool ran and failed',
    hostLeft: 'the host has ended the connection',
    mayRun: 'approved, or no approval is needed: the call may run',
    rejected: 'rejected',
    closed: 'expired or cancelled',
    pending: 'still pending; the last line resumes',
    refused: 'refused, nothing changed: already decided, expired, no such request',
    refusedUser: 'refused, nothing changed',
    whole: 'the record is whole',
    broken: 'the record was changed or cut',
    incomplete: 'what is here is whole, but an archive is missing',
    usage: 'wrong usage',
    unreachable: 'the server cannot be reached, or cannot take it now',
    notNow: 'refused for the moment, nothing changed: the last line says when to try again',
    notPermitted: 'not permitted',
    badConfig: 'bad configuration',
  },
}
