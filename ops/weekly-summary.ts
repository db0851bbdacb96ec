/**
 * Monday's 09:05 summary: the last weeks side by side; with --risk the tools by risk. On stdout.
 * Reads data/security.db, writes nothing. `npm run weekly-summary -- --help` lists the options and exit codes.
 */
import { command } from '../src/command.ts'
import { weeklySummary } from '../src/jobs/weekly-summary.ts'

process.exitCode = await command(weeklySummary, process)
