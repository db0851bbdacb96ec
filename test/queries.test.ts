import { readdirSync, readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import {
  archivedQueries,
  archiveQueries,
  backupQueries,
  ledgerQueries,
  reportQueries,
  storeQueries,
} from '../src/queries.ts'
import { type Query, readSql } from '../src/sql.ts'
import { temporaryFolder } from './support/server.ts'

const declared: Query<never, unknown>[] = [
  ...[storeQueries, reportQueries, ledgerQueries, archiveQueries, archivedQueries, backupQueries],
].flatMap((q) => Object.values(q))
const sqlFiles = (folder: string) =>
  readdirSync(`${ROOT}/sql/${folder}`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sql'))

function migrated(kind: string, path = ':memory:'): Database.Database {
  const db = new Database(path)
  for (const file of sqlFiles(`migrations/${kind}`).sort())
    db.exec(readSql(`migrations/${kind}/${file.replace('.sql', '')}`))
  return db
}

test('every statement of sql/ is declared once, and every declaration has its file', () => {
  const onDisk = ['store', 'report', 'ledger', 'archive', 'backup'].flatMap((folder) =>
    sqlFiles(folder).map((file) => `${folder}/${file.replace('.sql', '')}`),
  )
  expect(declared.map((query) => query.file).sort()).toEqual(onDisk.sort())
})

test('every statement compiles against the schema it is for', () => {
  const [security, ops] = [migrated('security'), migrated('ops')]
  const dir = temporaryFolder()
  migrated('security', `${dir.path}/live.db`).close()
  security.exec(`ATTACH '${dir.path}/live.db' AS live`)
  for (const { file, sql } of declared) {
    expect(() => (file.startsWith('ledger/') ? ops : security).prepare(sql), file).not.toThrow()
  }
  security.close()
  dir.remove()
})

test('every statement says what it answers, and none reads the clock', () => {
  for (const folder of ['store', 'report', 'ledger', 'archive', 'backup', 'migrations']) {
    for (const file of sqlFiles(folder)) {
      const text = readFileSync(`${ROOT}/sql/${folder}/${file}`, 'utf8')
      expect(text, `${folder}/${file}`).toMatch(/^-- \S.{10,}/)
      expect(text.replace(/--.*$/gm, ''), `${folder}/${file}`).not.toMatch(/'now'|CURRENT_TIME/i)
    }
  }
})
