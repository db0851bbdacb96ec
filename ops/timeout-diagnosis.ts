/**
 * Why did nobody answer? One reason per request, and in sum; `--concurrency` and `--size` for the runbook's other two
 * questions. Reads data/security.db, writes nothing. `npm run timeout-diagnosis -- --help` lists the options.
 */
import { command } from '../src/command.ts'
import { timeoutDiagnosis } from '../src/jobs/timeout-diagnosis.ts'

process.exitCode = await command(timeoutDiagnosis, process)
