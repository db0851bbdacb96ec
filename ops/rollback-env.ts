/**
 * Scenario 3 of the runbook: make the running server do what `.env` says. `npm run config -- compare` shows where the
 * two differ, `npm run rollback-env -- --dry-run` what would happen, `npm run rollback-env -- --reason '...'` does it
 * and proves it; `... -- undo` takes it back. `--help` lists the options and exit codes.
 */
import { env } from '../src/rollback/env.ts'
import { rollbackCommand } from '../src/rollback-command.ts'

process.exitCode = await rollbackCommand(env, process)
