import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from '../src/command.ts'
import { dailyReport } from '../src/jobs/daily-report.ts'
import type { DailyReportData } from '../src/report/daily-report-data.ts'
import { dateIn } from '../src/report/period.ts'
import type { RestoreResult } from '../src/report/restore-result.ts'
import { recordRestores } from '../src/restore-record.ts'
import { realSystem } from '../src/system/real.ts'
import { backup, REASON, RESTORE } from './support/backup.ts'
import { environment, type RunningServer, startServer, temporaryFolder, until } from './support/server.ts'

const HOUR = 3_600_000
let folder: ReturnType<typeof temporaryFolder>
let dir: string
let server: RunningServer | undefined
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
})
afterEach(async () => {
  await server?.kill('SIGKILL')
  folder.remove()
})

function recorded(): { at: string; data: RestoreResult }[] {
  const db = new Database(join(dir, 'security.db'), { readonly: true, fileMustExist: true })
  const rows = db.prepare("SELECT at, data FROM approval_events WHERE type = 'restored' ORDER BY seq").all()
  db.close()
  return (rows as { at: string; data: string }[]).map(({ at, data }) => ({ at, data: JSON.parse(data) }))
}

/** The evening report that accounts for an instant: the day ends at 18:00. */
async function report(instant: number, ...args: string[]): Promise<string> {
  let stdout = ''
  const now = instant + 30 * HOUR
  const date = dateIn(instant + 6 * HOUR, 'Asia/Seoul')
  await command(dailyReport, {
    argv: ['node', 'daily-report', '--date', date, ...args],
    env: environment(dir, { OPS_TIMEZONE: 'Asia/Seoul' }),
    stdout: { columns: 80, write: (text) => (stdout += text) },
    stderr: { write: () => {} },
    now,
  })
  return stdout
}

test('a restore is in the record once, whoever restarts the server how often, and in the evening report', async () => {
  const start = async () => (server = await startServer(dir, { APPROVAL_TIMEOUT: '86400' }))
  const restore = async () => {
    await server?.kill('SIGKILL')
    const ran = await backup(dir, RESTORE, { seams: { now: Date.now() }, env: { SUDO_USER: 'kim' } })
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^OK/)])
  }
  await start()
  await server!.ask()
  const taken = Date.now()
  expect((await backup(dir, [], { seams: { now: taken } })).code).toBe(0)
  await server!.ask()
  await server!.ask()
  await restore()
  await start()
  const [first, ...more] = recorded()
  expect(more).toEqual([])
  expect(first!.data).toMatchObject({
    ...{ taken_at: new Date(taken).toISOString(), reason: REASON, by: expect.stringContaining('kim') },
    ...{ backup: expect.stringMatching(/^security-/), lost: { requests: 2, events: 2 } },
    ...{ host: expect.any(String), aside: expect.stringContaining('.before-restore-') },
  })
  const { started_at, finished_at } = first!.data
  expect([taken, Date.parse(started_at), Date.parse(finished_at)]).toEqual(
    [taken, Date.parse(started_at), Date.parse(finished_at)].sort((a, b) => a - b),
  )

  server!.child.kill('SIGHUP')
  await until('reloaded', () => readFileSync(join(dir, 'server.log'), 'utf8').includes('configuration again'))
  await server!.kill('SIGTERM')
  await start()
  expect(recorded()).toEqual([first])
  expect((await server!.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, problems: [] })

  const instant = Date.parse(`${first!.at.replace(' ', 'T')}Z`)
  const { actions, administrative_acts: acts }: DailyReportData = JSON.parse(await report(instant, '--format', 'json'))
  expect(acts.filter(({ type }) => type === 'restored')).toEqual([
    expect.objectContaining({ about: first!.data.backup, restored: first!.data }),
  ])
  expect(actions).toContainEqual({
    ...{ code: 'restored', state: 'warning', command: `ls -l ${first!.data.aside}` },
    facts: { taken_at: first!.data.taken_at, lost_until_at: started_at, by: first!.data.by, reason: REASON },
  })
  const english = (await report(instant, '--lang', 'en')).replace(/\s+/g, ' ')
  expect(english).toContain('The database was put back to the backup of')
  expect(english).toContain('database restored')
  expect((await report(instant, '--lang', 'ko')).replace(/\s+/g, ' ')).toContain('백업 복원')

  // Its own event went with the database that is put aside now: the file beside the backups still tells of both.
  await restore()
  await start()
  expect(recorded().map(({ data }) => data.finished_at)).toEqual([finished_at, expect.not.stringMatching(finished_at)])
  expect((await server!.call('GET', '/api/audit/verify')).json).toMatchObject({ ok: true, problems: [] })
})

test('what is no restore is left alone and said; the rest is recorded', async () => {
  const file = join(dir, 'restores.jsonl')
  const appended: RestoreResult[] = []
  const said: string[] = []
  const look = (append = async (restore: RestoreResult) => void appended.push(restore)) =>
    recordRestores({
      ...{ system: realSystem, file, append },
      log: {
        warn: (facts, text) => said.push(`warn ${(facts as { line: number }).line} ${text}`),
        error: (facts, text) => said.push(`error ${(facts as { err: Error }).err.message}: ${text}`),
      },
    })
  await look()
  expect(said).toEqual([])
  const restore: RestoreResult = {
    ...{ backup: 'security-20261126T033000.000Z', taken_at: '2026-11-26T03:30:00.000Z' },
    ...{ started_at: '2026-11-26T05:00:00.000Z', finished_at: '2026-11-26T05:00:02.000Z' },
    ...{ by: 'kim', host: 'ops1', reason: 'disk', lost: null, aside: null },
  }
  writeFileSync(file, `not JSON\n${JSON.stringify({ ...restore, finished_at: 'soon' })}\n`)
  appendFileSync(file, `${JSON.stringify({ ...restore, holds: { tables: {} } })}\n{"backup":"secu`)
  await look()
  expect(appended).toEqual([restore])
  expect(said).toEqual([1, 2, 4].map((line) => `warn ${line} not a restore; left alone`))
  said.length = 0
  await look(async () => {
    throw new Error('disk full')
  })
  expect(said.at(-1)).toBe('error disk full: restores wait to be recorded')
  mkdirSync(join(dir, 'folder'))
  await recordRestores({
    ...{ system: realSystem, file: join(dir, 'folder'), append: async () => {} },
    log: { warn: () => {}, error: (_, text) => said.push(text) },
  })
  expect(said.at(-1)).toBe('restores wait to be recorded')
})
