import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ROOT } from '../../src/config.ts'

const PROGRAM = `
  const db = new (require('better-sqlite3'))(process.argv[1])
  db.exec('BEGIN IMMEDIATE')
  console.log('locked')
  process.stdin.on('data', () => { db.exec('ROLLBACK'); process.exit() })
`

/** Another process takes the write lock of the database, until the returned function is called. */
export async function lockElsewhere(path: string): Promise<() => Promise<void>> {
  const holder = spawn(process.execPath, ['-e', PROGRAM, path], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  return async () => {
    holder.stdin.write('go\n')
    await once(holder, 'exit')
  }
}
