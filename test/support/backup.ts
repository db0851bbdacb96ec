import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { eventHash, GENESIS } from '../../src/approval/chain.ts'
import { BACKUP_NAME } from '../../src/backup/manifest.ts'
import { backupCommand, type Seams } from '../../src/backup-command.ts'
import { ROOT } from '../../src/config.ts'
import { sqlTime } from '../../src/sql.ts'
import { captured, type Ran } from './captured.ts'
import { createDatabase } from './report-database.ts'
import { environment, TSX } from './server.ts'

export const NOW = Date.parse('2026-11-26T03:30:00.000Z')
export const REASON = 'the disk damaged the database'
export const RESTORE = ['restore', 'latest', '--yes', '--reason', REASON]

/** `npm run backup -- ...` in this process. */
export async function backup(
  dir: string,
  args: readonly string[] = [],
  { seams = {}, env = {} }: { seams?: Seams; env?: Record<string, string> } = {},
): Promise<Ran> {
  const own = environment(dir, { POLICY_PATH: join(dir, 'policy.json'), ...env })
  return captured(['--lang', 'en', ...args], own, (process) => backupCommand(process, { now: NOW, ...seams }))
}

/** The same as a process of its own, killed at a point of its run. @returns what it printed */
export async function killedAt(
  dir: string,
  point: string,
  args: readonly string[] = [],
  now = NOW + 500,
): Promise<string> {
  const main = join(ROOT, 'test/support/backup-victim.ts')
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', TSX, main, point, String(now), '--lang', 'en', ...args],
    {
      env: environment(dir, { POLICY_PATH: join(dir, 'policy.json') }),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  let text = ''
  child.stdout!.on('data', (chunk) => (text += chunk))
  child.stderr!.on('data', (chunk) => (text += chunk))
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    child.on('close', (code, signal) => resolve(signal ?? code)),
  )
  child.once('message', () => child.kill('SIGKILL'))
  const how = await ended
  if (how !== 'SIGKILL') throw new Error(`it never came to "${point}" and ended with ${how}: ${text}`)
  return text
}

/** A database with a record that holds, `count` requests long: one event for each, in one transaction with it. */
export function createDesk(dir: string, count: number): Database.Database {
  const db = createDatabase(join(dir, 'security.db'))
  appendRequests(db, count)
  return db
}

export function appendRequests(db: Database.Database, count: number): void {
  const request = db.prepare(`INSERT INTO approval_requests (request_id, tool_name, user_id, role, request_data, status,
    requested_at, expires_at) VALUES (?, 'execute_python', 'dev_user', 'developer', ?, 'pending', ?, '2099-01-01 00:00:00.000')`)
  const head = db.prepare('SELECT seq, hash FROM approval_events ORDER BY seq DESC LIMIT 1')
  const event = db.prepare(`INSERT INTO approval_events (seq, at, type, request_id, actor, data, prev_hash, hash)
    VALUES (:seq, :at, :type, :request_id, :actor, :data, :prev_hash, :hash)`)
  const one = db.transaction(() => {
    const last = (head.get() ?? { seq: 0, hash: GENESIS }) as { seq: number; hash: string }
    const seq = last.seq + 1
    const at = sqlTime(NOW - 86_400_000 + seq)
    const row = { seq, at, type: 'created', request_id: `r${seq}`, actor: 'dev_user', data: '{}', prev_hash: last.hash }
    request.run(row.request_id, `{"code":"${'x'.repeat(seq % 700)}"}`, at)
    event.run({ ...row, hash: eventHash(row) })
  })
  for (let n = 0; n < count; n++) one.immediate()
}

/** Many small transactions that leave the number of rows and the sum of a column as they are. */
export function moveAround(db: Database.Database, times: number): void {
  const add = db.prepare(
    'UPDATE approval_requests SET response_reason = coalesce(response_reason, 0) + ? WHERE request_id = ?',
  )
  const move = db.transaction((from: number, to: number) => {
    add.run(-1, `r${from}`)
    add.run(1, `r${to}`)
  })
  for (let n = 0; n < times; n++) move.immediate((n % 19) + 1, ((n * 7) % 19) + 2)
}

/**
 * Judges a file on its own, by other means than the product's: every page and index, the whole chain of hashes, that
 * each request has its event, and that no transaction is there by half.
 * @returns how many requests it holds
 */
export function soundRequests(path: string): number {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    const verdict = db.pragma('integrity_check', { simple: true })
    if (verdict !== 'ok') throw new Error(`${path}: ${verdict}`)
    let prev = GENESIS
    let seq = 0
    for (const row of db.prepare('SELECT * FROM approval_events ORDER BY seq').iterate()) {
      const event = row as Parameters<typeof eventHash>[0] & { hash: string }
      if (event.seq !== ++seq || event.prev_hash !== prev || eventHash(event) !== event.hash) {
        throw new Error(`${path}: the chain is broken at ${event.seq}`)
      }
      prev = event.hash
    }
    const count = db.prepare('SELECT count(*) FROM approval_requests').pluck().get() as number
    const sum = db.prepare('SELECT sum(response_reason) FROM approval_requests').pluck().get() ?? 0
    if (sum !== 0) throw new Error(`${path}: half of a transaction (${sum})`)
    if (count !== seq) throw new Error(`${path}: ${count} requests and ${seq} events`)
    return count
  } finally {
    db.close()
  }
}

export const names = (dir: string): string[] =>
  readdirSync(join(dir, 'backups'))
    .filter((name) => BACKUP_NAME.test(name))
    .sort()
