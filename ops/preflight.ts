/**
 * Before a deployment: the guide's three steps and its checklist of ten, each with evidence, age and what to type.
 * Changes nothing, the drill aside. `npm run preflight -- attest training --by NAME` records what only people know.
 * `npm run preflight -- --help` lists the options and exit codes.
 */
import { preflightCommand } from '../src/preflight-command.ts'

process.exitCode = await preflightCommand(process)
