import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from 'node-cron'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../src/config.ts'
import { crontabLine, crontabText } from '../src/schedule/crontab.ts'
import { cronExpression, SCHEDULE } from '../src/schedule/table.ts'
import { realSystem } from '../src/system/real.ts'
import { temporaryFolder } from './support/server.ts'

const EXAMPLE = { root: '/opt/approval-ops', node: '/usr/bin/node' }
const text = readFileSync(join(ROOT, 'crontab.example'), 'utf8')
const inForce = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

/** A zone in which it is past noon now: nothing of the schedule has just become due, nor does within the hour. */
function quietZone(): string {
  const hours = ((12 - new Date().getUTCHours() + 36) % 24) - 12
  return `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`
}

describe('crontab.example', () => {
  it('is what the schedule says', () => {
    expect(text).toBe(crontabText(SCHEDULE, 'Asia/Seoul', EXAMPLE))
  })

  it('has one line in force, which needs no zone', () => {
    expect(inForce).toEqual([crontabLine(EXAMPLE)])
    expect(text).not.toMatch(/^CRON_TZ/m)
  })

  it('names every job with its own time, in comments for a cron that reads CRON_TZ', () => {
    for (const job of SCHEDULE) {
      expect(text).toContain(`# ${cronExpression(job)} cd /opt/approval-ops && /usr/bin/node --import tsx/esm `)
      expect(text).toContain(`run ${job.name} --by cron`)
    }
  })

  it('comes round at every minute of the table, in every zone', () => {
    const times = inForce.map((line) => line.split(' ').slice(0, 5).join(' '))
    expect(times).toEqual(['*/5 * * * *'])
    expect(times.every((time) => validate(time))).toBe(true)
    // Zones differ from UTC by whole quarters of an hour.
    for (const { at } of SCHEDULE) expect(Number(at.split(':')[1]) % 5).toBe(0)
  })

  it('has a command that /bin/sh runs in an empty environment, silent when nothing is due', async () => {
    const { path, remove } = temporaryFolder()
    try {
      const place = { root: ROOT, node: process.execPath }
      const command = crontabLine(place).split(' ').slice(5).join(' ').replaceAll('\\%', '%')
      const env = [`OPS_DB_PATH=${path}/ops.db`, `APPROVAL_ENV_FILE=${path}/.env`, `OPS_TIMEZONE=${quietZone()}`]
      const argv = ['/usr/bin/env', '-i', 'LANG=C', 'SHELL=/bin/sh', ...env, '/bin/sh', '-c', command]
      const result = await realSystem.run(argv, { timeoutMs: 60_000, cwd: '/' })
      expect(result).toMatchObject({ code: 0, output: '' })
      expect(await realSystem.stat(`${path}/ops.db`)).toMatchObject({ kind: 'file' })
    } finally {
      remove()
    }
  })
})

describe('a line of a crontab', () => {
  it('survives a folder with blanks, quotes and percent signs', () => {
    const line = crontabLine({ root: "/home/a b/it's 100%", node: '/usr/bin/node' })
    expect(line).toContain(`cd '/home/a b/it'\\''s 100\\%' && /usr/bin/node `)
  })
})
