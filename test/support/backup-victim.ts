import { backupCommand } from '../../src/backup-command.ts'

// A backup or a restore that stands still for ever at one point: `backup-victim.ts 'moved db' NOW restore latest ...`.
const [point, now] = process.argv.splice(2, 2)

process.exitCode = await backupCommand(process, {
  now: Number(now),
  async pause(moment) {
    if (moment !== point) return
    process.send!(moment)
    await new Promise(() => setInterval(() => {}, 1000))
  },
})
process.disconnect()
