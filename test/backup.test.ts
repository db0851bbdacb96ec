import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { planReport } from '../src/backup/restore-report.ts'
import { ROOT } from '../src/config.ts'
import type { Lang } from '../src/report/document.ts'
import { render } from '../src/report/render.ts'
import { openLedger } from '../src/store/ledger.ts'
import { lockFile } from '../src/store/lock-file.ts'
import { appendRequests, backup, createDesk, NOW, names, REASON, RESTORE, soundRequests } from './support/backup.ts'
import { environment, TSX, temporaryFolder, writeEnv } from './support/server.ts'

let folder: ReturnType<typeof temporaryFolder>
let dir: string
beforeEach(() => {
  folder = temporaryFolder()
  dir = folder.path
})
afterEach(() => folder.remove())

const NAME = 'security-20261126T033000.000Z'
const at = (...parts: string[]) => join(dir, ...parts)
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
const manifest = () => JSON.parse(readFileSync(at('backups', NAME, 'manifest.json'), 'utf8'))

describe('a backup', () => {
  test('holds the databases, .env and the policy, for its owner only, and a manifest that is true', async () => {
    createDesk(dir, 25).close()
    openLedger(at('ops.db'), NOW).close()
    writeEnv(dir, 'APPROVAL_TIMEOUT=300\n')
    chmodSync(at('.env'), 0o644)
    writeFileSync(at('policy.json'), '{}')
    const ran = await backup(dir)
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(ran.stdout.split('\n')[0]).toMatch(/^OK: proven by a restore: \d+ KB, 25 requests, /)
    const kept = readdirSync(at('backups', NAME)).sort()
    expect(kept).toEqual(['env', 'manifest.json', 'ops.db', 'policy.json', 'security.db'])
    for (const file of kept) expect(mode(at('backups', NAME, file)), file).toBe('600')
    expect([mode(at('backups')), mode(at('backups', NAME))]).toEqual(['700', '700'])
    const { schema, name, taken_at, took_ms, database, others, left_out } = manifest()
    expect([schema, name, taken_at, left_out]).toEqual(['ops.backup-manifest.v1', NAME, '2026-11-26T03:30:00.000Z', []])
    expect(took_ms).toBeGreaterThan(0)
    for (const { file, sha256: said, bytes } of [database, ...others]) {
      expect([file, sha256(at('backups', NAME, file)), statSync(at('backups', NAME, file)).size]).toEqual([
        file,
        said,
        bytes,
      ])
    }
    expect(database).toMatchObject({
      source: at('security.db'),
      tables: { approval_requests: 25, approval_events: 25, security_users: 0, security_roles: 0 },
      newest_request: '2026-11-25 03:30:00.025',
      chain_head: { seq: 25 },
    })
    expect(readFileSync(at('backups', NAME, 'env'), 'utf8')).toBe('APPROVAL_TIMEOUT=300\n')
    expect(soundRequests(at('backups', NAME, 'security.db'))).toBe(25)
  })

  test('names what it had to leave out, and ends with 1', async () => {
    createDesk(dir, 3).close()
    writeFileSync(at('ops.db'), 'no database at all, but a file of some length that is none')
    const { code, stdout } = await backup(dir)
    expect([code, stdout]).toEqual([1, expect.stringContaining('files are left out: ops.db')])
    expect(manifest().left_out).toEqual([{ file: 'ops.db', reason: expect.stringContaining('not_a_database') }])
    expect(readdirSync(at('backups', NAME)).sort()).toEqual(['manifest.json', 'security.db'])
  })

  test('of a database of the old system works before that is taken over', async () => {
    const old = new Database(at('security.db'))
    old.exec(`CREATE TABLE approval_requests (request_id TEXT PRIMARY KEY, requested_at TEXT);
      INSERT INTO approval_requests VALUES ('a', '2025-10-24 09:00:00')`)
    old.close()
    expect((await backup(dir)).code).toBe(0)
    expect(manifest().database).toMatchObject({ newest_request: '2025-10-24 09:00:00', chain_head: null })
  })

  test('that is one of two at once ends with 75', async () => {
    createDesk(dir, 3).close()
    mkdirSync(at('backups'))
    const release = lockFile(at('backups', 'lock.db'))!
    const { code, stdout, stderr } = await backup(dir)
    expect([code, stdout, stderr]).toEqual([75, '', 'Another backup or restore is running. npm run backup -- list\n'])
    release()
    expect((await backup(dir)).code).toBe(0)
  })

  test.each<[string, () => void, number, RegExp]>([
    ['missing', () => {}, 3, /does not exist.*npm start\n$/],
    ['of 0 bytes', () => writeFileSync(at('security.db'), ''), 3, /has no tables/],
    ['no database', () => writeFileSync(at('security.db'), 'x'.repeat(9000)), 2, /is not an SQLite database/],
    [
      'damaged',
      () => {
        createDesk(dir, 800).close()
        const bytes = readFileSync(at('security.db'))
        bytes.fill(0x58, 12 * 4096, 60 * 4096)
        writeFileSync(at('security.db'), bytes)
      },
      2,
      /security\.db is damaged\. There is no new backup; those before are whole\. sqlite3 \S+security\.db /,
    ],
  ])('of a database that is %s: says so, keeps those before, creates none', async (_, make, expected, words) => {
    createDesk(dir, 5).close()
    await backup(dir, [], { seams: { now: NOW - 1000 } })
    for (const suffix of ['', '-wal', '-shm']) rmSync(at(`security.db${suffix}`), { force: true })
    make()
    const had = existsSync(at('security.db'))
    const { code, stdout, stderr } = await backup(dir)
    expect([code, stdout, stderr]).toEqual([expected, '', expect.stringMatching(words)])
    expect(existsSync(at('security.db'))).toBe(had)
    expect(readdirSync(at('backups')).filter((name) => name !== 'lock.db')).toEqual(['security-20261126T032959.000Z'])
  })

  test('of a database that somebody has locked: 3, in time', async () => {
    const path = at('security.db')
    const db = createDesk(dir, 3)
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
    const { code, stderr } = await backup(dir)
    expect([code, stderr]).toEqual([3, expect.stringMatching(`another program has locked ${path}`)])
    db.exec('COMMIT')
    db.close()
  })

  test('says when its deadline has passed, and keeps nothing', async () => {
    createDesk(dir, 3).close()
    const slow = async (moment: string) => {
      if (moment === 'begun') await new Promise((later) => setTimeout(later, 5100))
    }
    const { code, stderr } = await backup(dir, ['--timeout', '5'], { seams: { pause: slow } })
    expect([code, stderr]).toEqual([124, expect.stringContaining('The deadline of 5 s has passed')])
    expect(readdirSync(at('backups'))).toEqual(['lock.db'])
  })
})

describe.skipIf(process.getuid?.() !== 0 || spawnSync('mount', ['-V']).status !== 0)('a disk that fills up', () => {
  let mounted = false
  beforeEach(() => {
    mkdirSync(at('backups'))
    mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1500k,mode=700', 'tmpfs', at('backups')]).status === 0
  })
  afterEach(() => void (mounted && execFileSync('umount', ['-l', at('backups')])))

  test('is seen before it begins, or on the way: exit 2, the temporary files go, the backup before stays', async (context) => {
    if (!mounted) context.skip()
    const db = createDesk(dir, 40)
    const early = await backup(dir)
    expect([early.code, early.stderr]).toEqual([2, expect.stringMatching(/Not enough room in .*df -h /)])
    // Not even room for the lock, which is the first thing to be written.
    rmSync(at('backups', 'lock.db'))
    fill(at('backups'))
    const atOnce = await backup(dir)
    rmSync(at('backups', 'filler'))
    expect([atOnce.code, atOnce.stderr]).toEqual([2, expect.stringMatching(/^Not enough room in .*df -h \S+\n$/)])
    // Room as far as anybody could know beforehand, and none when it is needed.
    execFileSync('mount', ['-o', 'remount,size=40m', at('backups')])
    expect((await backup(dir)).code).toBe(0)
    appendRequests(db, 3000)
    db.close()
    for (const moment of ['begun', 'copied security.db']) {
      const late = await backup(dir, [], {
        seams: { now: NOW + 1, pause: async (reached) => void (reached === moment && fill(at('backups'))) },
      })
      rmSync(at('backups', 'filler'))
      expect([late.code, late.stdout, late.stderr], moment).toEqual([2, '', expect.stringContaining('Not enough room')])
      expect(names(dir)).toEqual([NAME])
      expect(readdirSync(at('backups')).filter((name) => name.endsWith('.part'))).toEqual([])
    }
    expect(soundRequests(at('backups', NAME, 'security.db'))).toBe(40)
  })
})

/** Takes all the room there is. */
function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize))
}

describe('what has happened to a backup since', () => {
  const DAMAGE: [string, () => void, boolean][] = [
    ['truncated', () => truncateSync(at('backups', NAME, 'security.db'), 8192), true],
    ['gone', () => rmSync(at('backups', NAME, 'security.db')), true],
    ['without its manifest', () => rmSync(at('backups', NAME, 'manifest.json')), true],
    [
      'changed in one bit',
      () => {
        const bytes = readFileSync(at('backups', NAME, 'security.db'))
        bytes[bytes.length - 100]! ^= 1
        writeFileSync(at('backups', NAME, 'security.db'), bytes)
      },
      false,
    ],
    [
      'replaced by another database, manifest and all but its counts',
      () => {
        const other = new Database(at('backups', NAME, 'security.db'))
        other.exec('DELETE FROM approval_requests WHERE rowid = 1')
        other.close()
        const path = at('backups', NAME, 'manifest.json')
        const found = manifest()
        found.database.sha256 = sha256(at('backups', NAME, 'security.db'))
        writeFileSync(path, JSON.stringify(found))
      },
      false,
    ],
  ]

  test.each(DAMAGE)('%s: verify says so, and no restore takes it', async (_, damage, seenBySize) => {
    createDesk(dir, 60).close()
    await backup(dir)
    expect((await backup(dir, ['verify', NAME])).code).toBe(0)
    expect((await backup(dir, ['verify', 'latest'])).code).toBe(0)
    damage()
    expect((await backup(dir, ['list'])).code).toBe(seenBySize ? 1 : 0)
    const proof = await backup(dir, ['verify'])
    expect([proof.code, proof.stdout.split('\n')[0]]).toEqual([2, `CRITICAL: 1 of 1 damaged: ${NAME}`])
    const before = sha256(at('security.db'))
    const refused = await backup(dir, ['restore', NAME, '--yes', '--reason', REASON])
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([
      2,
      '',
      expect.stringMatching(/cannot be used: .*Nothing was changed\. npm run backup -- list\n$/),
    ])
    expect(sha256(at('security.db'))).toBe(before)
    // An older one that is whole is what `latest` means then.
    expect((await backup(dir, RESTORE)).code).toBe(2)
  })
})

test.each<[Lang, string]>([
  ['ko', 'Asia/Seoul'],
  ['en', 'America/New_York'],
])('the plan of a restore, %s', async (lang, zone) => {
  const db = createDesk(dir, 30)
  await backup(dir)
  appendRequests(db, 12)
  db.close()
  const seams = { now: NOW + 9 * 3_600_000 }
  const ran = await backup(dir, ['restore', 'latest', '--dry-run', '--format', 'json'], { seams })
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  const { schema, ...plan } = JSON.parse(ran.stdout.replaceAll(dir, '/opt/approval-ops/data'))
  expect(schema).toBe('ops.backup-restore-plan.v1')
  plan.in_use = { by: [], lock: 'free', processes: { looked: 131, hidden: 0 } }
  const report = planReport(plan, { now: seams.now, zone }, REASON)
  const text = render(report, 'table', lang, { columns: 80, colour: false })
  await expect(text).toMatchFileSnapshot(`golden/backup-plan.${lang}.txt`)
})

test.each([
  [['bogus'], /Unknown command: bogus/],
  [['restore'], /Say which backup/],
  [['restore', 'latest', '--yes'], /Say why with --reason/],
  [['list', 'more'], /Unknown command: more/],
  [['--format', 'xml'], /--format: xml/],
  [['--timeout', '0'], /--timeout: 0/],
])('%j is 64', async (args, words) => {
  const { code, stdout, stderr } = await backup(dir, args)
  expect([code, stdout, stderr]).toEqual([64, '', expect.stringMatching(words)])
  expect(readdirSync(dir)).toEqual([])
})

test('as npm starts it, in Korean and as JSON: the result on stdout and nothing else', () => {
  createDesk(dir, 3).close()
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', TSX, join(ROOT, 'ops/backup.ts'), ...args], {
      env: environment(dir),
      cwd: '/',
      encoding: 'utf8',
    })
  const taken = run('--format', 'json')
  expect([taken.status, taken.stderr]).toEqual([0, ''])
  expect(JSON.parse(taken.stdout)).toMatchObject({ schema: 'ops.backup.v1', state: 'ok', removed: [] })
  expect(run('list').stdout).toMatch(/^정상: 백업 1개, 가장 최근 것은 \S+초 전\n/)
  const nobody = run('restore', 'latest', '--reason', '운영 데이터베이스가 손상되었습니다')
  expect([nobody.status, nobody.stderr]).toEqual([2, expect.stringContaining('확인을 받을 터미널이 없습니다')])
})
