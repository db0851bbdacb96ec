import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { openDatabase } from '../src/store/database.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import { NOW } from './years.ts'

const AT_ONCE = 20

export interface Written {
  readonly requests: number
  /** What the WAL grew to, bytes. */
  readonly wal: number
}

/** Asks for approvals through the server's own store and takes them back, 20 at a time, for as long as `goOn` says. */
export async function write(file: string, goOn: (requests: number) => boolean): Promise<Written> {
  const { db } = await openDatabase(file, NOW)
  const store = createSqliteStore(db)
  const user_id = `writer_${randomUUID()}`
  await store.seedRoles(NOW)
  const actor = await store.addUser({ user_id, username: null, role: 'developer', token_sha256: user_id }, 'bench', NOW)
  let requests = 0
  let wal = 0
  const ask = async () => {
    const request_id = randomUUID()
    const call = { server: '', tool: 'execute_python', arguments: {} }
    const asked = { request_id, call, digest: request_id, request_data: '{"code":"print(1)"}', actor, reason: null }
    await store.create({ ...asked, level: 'CRITICAL', at: NOW, expires_at: NOW + 300_000 }, Number.POSITIVE_INFINITY)
    await store.transition([{ request_id, to: 'cancelled', at: NOW, actor: user_id, reason: null }], actor)
  }
  while (goOn(requests)) {
    await Promise.all(Array.from({ length: AT_ONCE }, ask))
    requests += AT_ONCE
    wal = Math.max(wal, statSync(`${file}-wal`).size)
  }
  await store.close()
  return { requests, wal }
}
