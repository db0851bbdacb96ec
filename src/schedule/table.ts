/** One line of the schedule. Times are wall times of the team's zone. */
export interface ScheduledJob {
  readonly name: string
  /** `HH:MM` */
  readonly at: string
  /** 1 Monday ... 7 Sunday; absent: every day. */
  readonly weekday?: number
  /** The program: an ops file and its arguments, relative to the folder of package.json. */
  readonly command: readonly string[]
  /** How the program is told the date it runs for: a run that is caught up after midnight must not take the new day. */
  readonly dateOption?: string
  /** So long after its time a run that was missed is still caught up. */
  readonly catchUpMs: number
  /** So long a run may take. */
  readonly deadlineMs: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** The schedule. node-cron's expressions, the crontab lines and `npm run schedule -- show` are derived from it. */
export const SCHEDULE: readonly ScheduledJob[] = [
  {
    name: 'backup',
    at: '03:30',
    command: ['ops/backup.ts'],
    catchUpMs: 20 * HOUR,
    deadlineMs: 30 * MINUTE,
  },
  {
    name: 'daily-check',
    at: '09:00',
    command: ['ops/daily-check.ts'],
    catchUpMs: 3 * HOUR,
    deadlineMs: 2 * MINUTE,
  },
  {
    name: 'daily-report',
    at: '18:00',
    command: ['ops/daily-report.ts', '--keep'],
    dateOption: '--date',
    catchUpMs: 14 * HOUR,
    deadlineMs: 10 * MINUTE,
  },
  {
    name: 'weekly-summary',
    at: '09:05',
    weekday: 1,
    command: ['ops/weekly-summary.ts', '--keep'],
    dateOption: '--date',
    // Of use for the first half of its week.
    catchUpMs: 72 * HOUR,
    deadlineMs: 10 * MINUTE,
  },
]

/** `M H * * D`, to be read in the team's zone. */
export function cronExpression(job: ScheduledJob): string {
  const [hour, minute] = job.at.split(':').map(Number)
  return `${minute} ${hour} * * ${job.weekday === undefined ? '*' : job.weekday % 7}`
}

/** What node-cron, cron and a person start alike. */
export function jobArgv(node: string, job: ScheduledJob, date: string): string[] {
  const argv = [node, '--import', 'tsx/esm', ...job.command]
  return job.dateOption === undefined ? argv : [...argv, job.dateOption, date]
}
