import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { sqlTime } from '../../src/sql.ts'
import type { Dice } from './dice.ts'
import { type Event, insertEvents, insertRequests, type Row } from './report-database.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NONSENSE = [
  ...['', 'now', 'yesterday', '12:00', '1998', '2461000.5', '1795000000', '2026-11-22', '2026-13-45 99:99:99'],
  ...['2026-11-22 08:00:00.1', '2026-11-22 08:00:00 ', '2026-11-22T08:00:00Z', '9999-12-31 23:59:59', '한글', '🕘'],
]
const TOOLS = ['execute_python', 'run_command', 'write_file', 'a', 'b', 'c', 'd', '도구', '🔧', "o'clock", '']
const USERS = ['dev_user', 'kim', '이영희']
const APPROVERS = ['kim', 'lee', '이영희', 'admin', 'ROOT', '', '🙂', null]
const seconds = (ms: number) => sqlTime(ms).slice(0, 19)

/**
 * A database full of what should not be there beside what should: unknown status, times that are none, NULL, rows of
 * the old system, answers before their question. Made from an empty one at `template`.
 */
export function hostileDatabase(template: string, path: string, now: number, adopted: boolean, dice: Dice): void {
  copyFileSync(template, path)
  const db = new Database(path)
  db.pragma('synchronous = OFF')
  const size = dice.pick([0, 3, 40, 150])
  insertRequests(
    db,
    Array.from({ length: size }, () => hostileRow(now, adopted, dice)),
  )
  insertEvents(db, record(now, dice))
  if (dice.oneIn(40)) {
    // Nothing that a report says of a request needs its arguments.
    const large = JSON.stringify({ code: '💥'.repeat(2_600_000) })
    db.prepare('UPDATE approval_requests SET request_data = ? WHERE rowid = 1').run(large)
    insertEvents(db, [{ at: sqlTime(now - HOUR), type: 'bypassed', data: { server: '', arguments: large } }])
  }
  db.close()
}

function hostileRow(now: number, adopted: boolean, dice: Dice): Row {
  const at = instant(now, dice)
  const write = dice.pick([sqlTime, sqlTime, seconds])
  const takes = dice.oneIn(4) ? dice.pick([1999, 2000, 2001, 3000, 3001, -500, 0]) : dice.between(0, 400_000)
  const odd = (sound: string): string => {
    if (!dice.oneIn(14)) return sound
    return dice.oneIn(2) ? dice.pick(NONSENSE) : dice.pick([sqlTime, seconds])(instant(now, dice))
  }
  const known = dice.pick(['pending', 'pending', 'approved', 'approved', 'rejected', 'expired', 'timeout', 'cancelled'])
  const strange: (string | null)[] = ['weird', '', 'APPROVED', ' approved', '승인', ...(adopted ? [null] : [])]
  return {
    tool_name: dice.pick(TOOLS),
    user_id: dice.pick(USERS),
    responder_id: dice.pick(APPROVERS),
    status: dice.oneIn(14) ? dice.pick(strange) : known,
    requested_at: adopted && dice.oneIn(20) ? null : odd(write(at)),
    responded_at: dice.oneIn(20) ? null : odd(write(at + takes)),
    expires_at: adopted && dice.oneIn(30) ? null : odd(write(at + 300_000)),
    server: dice.oneIn(12) ? 'ops-canary' : dice.pick(['', 'files']),
  }
}

/** Most of them in the last days, many on or beside the bounds of a period. */
function instant(now: number, dice: Dice): number {
  if (dice.oneIn(6)) {
    const day = Math.floor((now + 9 * HOUR) / DAY) * DAY - 9 * HOUR
    const bound = dice.pick([day, day - DAY, day - 7 * DAY, day - 8 * DAY, day + 18 * HOUR, day - 6 * HOUR, now])
    return bound + dice.pick([-1000, -1, 0, 1, 1000])
  }
  return dice.oneIn(3) ? dice.between(now - 9 * DAY, now + 2 * HOUR) : dice.between(now - 2 * DAY, now)
}

/** The gate opens and closes, some leases end early and some late; the order is that of time. */
function record(now: number, dice: Dice): Event[] {
  const times = Array.from({ length: dice.between(0, 30) }, () => dice.between(now - 3 * DAY, now)).sort(
    (a, b) => a - b,
  )
  return times.map((ms): Event => {
    const type = dice.pick([
      ...['created', 'expired', 'bypassed', 'bypassed', 'gate_off', 'gate_on', 'server_started', 'server_stopped'],
      ...['user_added', 'config_reloaded', 'changed_elsewhere'],
    ])
    const until = dice.oneIn(3) ? null : new Date(ms + dice.between(0, 20 * HOUR)).toISOString()
    const server = dice.oneIn(5) ? 'ops-canary' : dice.pick(['', 'files'])
    const data = type === 'gate_off' ? { until, cause: 'lease' } : type === 'bypassed' ? { server, tool: '🔧' } : {}
    return { at: sqlTime(ms), type, data }
  })
}
