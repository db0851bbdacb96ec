import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyAudit } from '../src/approval/audit.ts'
import { ROOT } from '../src/config.ts'
import { openDatabase } from '../src/store/database.ts'
import { createSqliteStore } from '../src/store/sqlite-store.ts'
import { EVENING, samples } from './support/samples.ts'
import { temporaryFolder } from './support/server.ts'

const DOCS = join(ROOT, 'docs/samples')
const folder = temporaryFolder()
let made: ReadonlyMap<string, string>
beforeAll(async () => {
  made = await samples(folder.path)
})
afterAll(folder.remove)

test('the samples are what the reports say today: else `npm run samples`, and look at what changed', () => {
  const kept = readdirSync(DOCS).filter((name) => name !== 'README.md')
  expect(kept.sort()).toEqual([...made.keys()].sort())
  for (const [name, text] of made) expect(readFileSync(join(DOCS, name), 'utf8'), name).toBe(text)
})

test('the index names every sample', () => {
  const index = readFileSync(join(DOCS, 'README.md'), 'utf8')
  for (const name of made.keys()) expect(index).toContain(`(${name})`)
})

test('the record of the month that they are made from verifies', async () => {
  const { db } = await openDatabase(join(folder.path, 'security.db'), EVENING)
  const store = createSqliteStore(db)
  const { ok, problems, events } = await verifyAudit(store)
  await store.close()
  expect(problems).toEqual([])
  expect(ok).toBe(true)
  expect(events).toBeGreaterThan(8000)
}, 60_000)
