import { expect, test } from 'vitest'
import { configCommand } from '../src/config-command.ts'
import { temporaryFolder } from './support/server.ts'

test('config compare says what is wrong with an .env that cannot be read, and how to look', async () => {
  const { path, remove } = temporaryFolder()
  const said = { stdout: '', stderr: '' }
  const code = await configCommand({
    argv: ['node', 'config', 'compare'],
    env: { APPROVAL_ENV_FILE: path, SECURITY_DB_PATH: `${path}/security.db` },
    stdout: { write: (out) => (said.stdout += out) },
    stderr: { write: (out) => (said.stderr += out) },
  })
  expect([code, said.stdout]).toEqual([78, ''])
  expect(said.stderr).toBe(`${path}: EISDIR: illegal operation on a directory, read. ls -ld ${path}\n`)
  remove()
})
