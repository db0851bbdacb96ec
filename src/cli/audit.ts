import { EXIT, type ExitCode } from '../exit-codes.ts'
import { printable } from '../report/printable.ts'
import { type Command, type Context, type Input, on, text } from './command.ts'
import { Failure } from './failure.ts'
import { json } from './outcome.ts'

export const verifyAudit: Command = {
  name: 'audit verify',
  usage: '',
  options: { json: { type: 'boolean' }, head: { type: 'string' } },
  words: [0, 0],
  defaultUser: 'admin_user',
  examples: ['audit verify', 'audit verify --head 1234:9f86d081...'],
  exits: { 0: 'whole', 2: 'broken', 3: 'incomplete' },
  run,
}

async function run({ client, t, terminal, signal }: Context, input: Input): Promise<ExitCode> {
  const report = await client.verifyAudit(signal, text(input, 'head'))
  const { verified, missing } = report.archives
  if (on(input, 'json')) terminal.out(json(report))
  else {
    for (const { seq, request_id, what } of report.problems) {
      terminal.out(t.audit.problem(printable(String(seq ?? request_id ?? '-')), printable(what)))
    }
    for (const file of missing) terminal.out(t.audit.missing(printable(file)))
    if (report.ok && missing.length === 0) {
      terminal.out(verified === 0 ? t.audit.ok(report.events) : t.audit.okArchived(report.events, verified))
    }
    if (report.head) terminal.out(t.audit.head(report.head.seq, printable(report.head.hash)))
  }
  if (!report.ok)
    throw new Failure(EXIT.CRITICAL, t.audit.broken(report.problems.length), 'npm run contacts -- who data_damage')
  if (missing.length > 0)
    throw new Failure(EXIT.UNKNOWN, t.audit.incomplete(missing.length, report.events), 'npm run daily-check')
  return EXIT.OK
}
