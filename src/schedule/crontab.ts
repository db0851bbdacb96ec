import { cronExpression, type ScheduledJob } from './table.ts'

export interface Place {
  /** The folder of package.json, absolute. */
  readonly root: string
  /** Absolute: cron knows next to no PATH. */
  readonly node: string
}

/** cron starts this; `--import tsx/esm` is found because of the `cd`. */
const line = (when: string, { root, node }: Place, what: string): string =>
  `${when} cd ${shellWord(root)} && ${shellWord(node)} --import tsx/esm src/scheduler.ts run ${what} --by cron`

/**
 * A crontab for this schedule. The line in force needs no zone: cron calls every five minutes and the ledger decides
 * what is due. One line per job needs a cron that reads CRON_TZ, so those are comments.
 */
export function crontabText(table: readonly ScheduledJob[], zone: string, place: Place): string {
  const times = table.map((job) => `#   ${job.name} at ${job.at}${job.weekday ? ` on weekday ${job.weekday}` : ''}`)
  return `# The schedule of approval-ops by cron: instead of the scheduler of npm start, or beside it. Whoever starts a run,
# the ledger (OPS_DB_PATH) lets each due run happen once.
#
${times.join('\n')}
#   in ${zone} (OPS_TIMEZONE)
#
# Install: correct the two absolute paths, then \`crontab -e\` and add the line. \`npm run schedule -- show\` prints it
# with the paths of your machine.

# Works with every cron. The line is called every five minutes; the zone of the machine does not matter, and a run
# that was missed while the machine was off is caught up. Nothing is printed unless something ran.
${line('*/5 * * * *', place, '--due')}

# One line per job, for a cron that reads CRON_TZ (cronie: Fedora, RHEL, Arch; not Debian's or Ubuntu's cron, which
# would run them at ${table[0]?.at ?? ''} of the machine's own zone; then convert the hours, twice a year where the zone has
# daylight saving time). Without the line above nothing is caught up.
# CRON_TZ=${zone}
${table.map((job) => `# ${line(cronExpression(job), place, job.name)}`).join('\n')}
`
}

/** The line in force alone. */
export const crontabLine = (place: Place): string => line('*/5 * * * *', place, '--due')

/** `%` ends a command of a crontab unless it is escaped, even inside quotes. */
function shellWord(text: string): string {
  const word = /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
  return word.replaceAll('%', '\\%')
}
