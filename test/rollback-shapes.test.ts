import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEnv } from '../src/env-file.ts'
import { leaseEnd, parseDuration } from '../src/rollback/duration.ts'
import { apply, undo } from './support/rollback.ts'
import { temporaryFolder } from './support/server.ts'

const KEY = 'APPROVAL_DISABLED_UNTIL'
const PAST = '2020-01-01T00:00:00Z'
/** Files as people write them: the lease's key in every shape, and absent. */
const SHAPES = [
  '',
  '\n',
  '# nothing but a comment',
  '\ufeffAPPROVAL_TIMEOUT=60',
  'APPROVAL_TIMEOUT=60\r\nAPPROVAL_HOLD=50\r\n',
  `${KEY}=`,
  `${KEY}=\n`,
  `${KEY}=""\n`,
  `${KEY}=''   # 임대\n`,
  `${KEY}=${PAST}\n`,
  `${KEY}="${PAST}"\n`,
  `${KEY}='${PAST}'\n`,
  `${KEY} = ${PAST}\n`,
  `export ${KEY}=${PAST}\n`,
  `${KEY}=${PAST}   # until the vendor answers\n`,
  `\ufeff${KEY}=${PAST}\r\n`,
  `${KEY}=${PAST}\n${KEY}="${PAST}"\n`,
  `MY_${KEY}=x\n${KEY}=${PAST}\n`,
  `#${KEY}=${PAST}\n`,
  `  ${KEY}=${PAST}  \n\n\n`,
]

let folder: ReturnType<typeof temporaryFolder>
let dir: string
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
})
afterEach(() => folder.remove())

describe('apply changes one setting, undo restores every byte', () => {
  test.each(SHAPES)('of %j', async (text) => {
    const file = join(dir, '.env')
    writeFileSync(file, text)
    chmodSync(file, 0o604)
    const ran = await apply(dir, '--format', 'json')
    expect(ran.code, ran.stderr).toBe(0)
    const lease = JSON.parse(ran.stdout).result.until
    const last = (content: string) =>
      Object.fromEntries(parseEnv(content).entries.map(({ key, value }) => [key, value]))
    expect(last(readFileSync(file, 'utf8'))).toEqual({ ...last(text), [KEY]: lease })
    expect((await undo(dir)).code).toBe(0)
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([text, 0o604])
  })
})

test('a key on several lines: the plan names the lines that have no effect', async () => {
  writeFileSync(join(dir, '.env'), `${KEY}=${PAST}\n# between\n${KEY}="${PAST}"\n${KEY}=\n`)
  const { code, stderr } = await apply(dir)
  expect([code, stderr.replace(/\s+/g, ' ')]).toEqual([0, expect.stringContaining('left as they are: 1, 3)')])
})

describe('how long a lease lasts', () => {
  test.each([
    ['30m', 30],
    ['2h', 120],
    ['1h30m', 90],
    ['24h', 1440],
    ['1440m', 1440],
    ['1m', 1],
  ])('%s is %i minutes', (text, minutes) => expect(parseDuration(text)).toBe(minutes * 60_000))

  test.each(['', 'h', '2', '0h', '0m', '24h1m', '25h', '1441m', '-1h', '1.5h', '2h ', 'm30', '1d', '99999h'])(
    '%j is none',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  )

  test('it ends on a whole minute, and not before', () => {
    expect(leaseEnd(Date.parse('2026-11-22T00:00:00.001Z'), 60_000)).toBe(Date.parse('2026-11-22T00:02:00Z'))
    expect(leaseEnd(Date.parse('2026-11-22T00:00:00Z'), 60_000)).toBe(Date.parse('2026-11-22T00:01:00Z'))
  })
})
