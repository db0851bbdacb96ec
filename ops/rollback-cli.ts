/**
 * Scenario 2 of the runbook: the command line's files back to their last different commit. `npm run rollback-cli --
 * --dry-run` shows what would happen; `npm run rollback-cli -- --reason '...'` does it and proves it by a real call;
 * `... -- undo` takes it back. Files of another repository: `--repo DIR --file scripts/ai.py --verify 'CMD'`.
 */
import { cli } from '../src/rollback/cli.ts'
import { rollbackCommand } from '../src/rollback-command.ts'

process.exitCode = await rollbackCommand(cli, process)
