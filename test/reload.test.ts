import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { type Desk, openDesk } from '../src/desk.ts'
import { lockElsewhere } from './support/lock.ts'
import { environment, temporaryFolder, writeEnv } from './support/server.ts'

let dir: ReturnType<typeof temporaryFolder>
let desk: Desk
beforeEach(async () => {
  dir = temporaryFolder()
  const env = environment(dir.path)
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined }
  desk = await openDesk({ config: loadConfig(env), env, log })
})
afterEach(async () => {
  await desk.close()
  dir.remove()
})

test('told twice to read its configuration, it does what the file says last, however long the first reading takes', async () => {
  const unlock = await lockElsewhere(`${dir.path}/security.db`)
  writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=false\n')
  // It waits for the record: a gate is not opened before that is written.
  const first = desk.reload()
  await new Promise(setImmediate)
  writeEnv(dir.path, 'APPROVAL_WORKFLOW_ENABLED=true\n')
  const second = desk.reload()
  await unlock()
  await Promise.all([first, second])
  expect(desk.gate().on).toBe(true)
})
