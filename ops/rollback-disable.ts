/**
 * Scenario 1 of the runbook: turn the approval gate off, for a while. `npm run rollback-disable -- --dry-run` shows
 * what would happen; `npm run rollback-disable -- --for 2h --reason '...'` does it and proves it; `... -- undo` takes
 * it back. `--help` lists the options and exit codes.
 */
import { disable } from '../src/rollback/disable.ts'
import { rollbackCommand } from '../src/rollback-command.ts'

process.exitCode = await rollbackCommand(disable, process)
