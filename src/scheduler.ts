// node-cron reads the process's own zone wherever it has none of its own, and loses an hour of each autumn in it.
process.env.TZ = 'UTC'

import { SCHEDULE } from './schedule/table.ts'
import { scheduleCommand } from './schedule-command.ts'

process.exitCode = await scheduleCommand(SCHEDULE, process)
// The channel to the server that started us would keep us here.
if (process.connected) process.disconnect()
