/**
 * The nightly backup: copied at one instant, restored to a scratch copy, compared, then named. `npm run backup -- list`
 * shows what there is, `... -- verify` proves it again, `... -- restore latest --dry-run` shows what a restore would
 * do; without `--dry-run`, with the server stopped and with `--reason '...'` it does it. `--help` lists all.
 */
import { backupCommand } from '../src/backup-command.ts'

process.exitCode = await backupCommand(process)
