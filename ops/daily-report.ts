/**
 * The 18:00 report: today, and everything since yesterday's report, on stdout.
 * Reads data/security.db and calendar.json. With --keep, as the schedule runs it, the report is also kept in data/reports;
 * otherwise nothing is written. `npm run daily-report -- --help` lists the options and exit codes.
 */
import { command } from '../src/command.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'

process.exitCode = await command(dailyReport, process)
