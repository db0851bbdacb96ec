import { command } from '../src/command.ts'
import { dailyCheck } from '../src/jobs/daily-check.ts'

process.exitCode = await command(dailyCheck, process)
