/**
 * `npm run config -- compare`: every setting in `.env`, as compose or a reload would make it, and as the running server
 * has it, with the cause of each difference. Changes nothing. `--help` lists the options and exit codes.
 */
import { configCommand } from '../src/config-command.ts'

process.exitCode = await configCommand(process)
