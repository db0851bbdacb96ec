import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../src/config.ts'
import { EXIT } from '../src/exit-codes.ts'
import { displayWidth } from '../src/report/printable.ts'
import { type Repository, repository } from './support/git.ts'
import { environment, type RunningServer, startServer, TSX, temporaryFolder, until } from './support/server.ts'

const folder = temporaryFolder()
const fresh = (name: string): string => {
  mkdirSync(join(folder.path, name), { recursive: true })
  return join(folder.path, name)
}
let server: RunningServer
beforeAll(async () => {
  server = await startServer(fresh('server'))
})
afterAll(async () => {
  await server.kill('SIGTERM')
  folder.remove()
})
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface World {
  readonly repo: Repository
  readonly env: NodeJS.ProcessEnv
  /** `npm run rollback-cli -- ...`, with the team's file and check. */
  rollback(...args: string[]): Promise<Ran>
}

const FILE = 'scripts/ai.py'
const CHECK = 'node scripts/ai.py --list'
const TEAM = ['--file', FILE, '--verify', CHECK]
const YES = ['--yes', '--reason', 'every caller waits for ever']
let worlds = 0

/** The team's caller CLI, small: `--help` works in every version of it. */
const caller = (path: string): string => `
if (process.argv.includes('--help')) console.log('usage: ai.py --list')
else fetch(process.env.APPROVAL_URL + '${path}', { headers: { Authorization: 'Bearer ' + process.env.APPROVAL_TOKEN } })
  .then(async (answer) => {
    if (!answer.ok) throw new Error('HTTP ' + answer.status)
    console.log((await answer.json()).count + ' waiting')
  })
  .catch((error) => { console.error(error.message); process.exitCode = 1 })
`
const WORKS = caller('/api/approvals/pending')
const BROKEN = caller('/api/v9/approvals')

/** A repository of the team's, whose last commit but one broke the caller, and records of its own. */
function world(before = WORKS): World {
  const dir = join(folder.path, `world-${++worlds}`)
  const repo = repository(join(dir, '팀 repo'))
  repo.commit({ [FILE]: before, other: '1' }, 'Ask the desk')
  repo.commit({ [FILE]: BROKEN }, 'Use the new address')
  repo.commit({ other: '2' }, 'Something else')
  return { repo, ...runner(join(dir, 'data'), ROOT, ['--repo', repo.dir]) }
}

function runner(data: string, root: string, always: string[] = []): Omit<World, 'repo'> {
  mkdirSync(data, { recursive: true })
  cpSync(join(server.dir, 'credentials.json'), join(data, 'credentials.json'))
  const env = environment(data, { APPROVAL_URL: server.url, APPROVAL_TOKEN: server.tokens.admin_user, OPS_LANG: 'en' })
  const rollback = (...args: string[]): Promise<Ran> => {
    const undoing = /^(undo|resume|status)$/.test(args[0] ?? '')
    const argv = ['--import', TSX, join(root, 'ops/rollback-cli.ts'), ...args, ...(undoing ? [] : always)]
    return new Promise((resolve) => {
      const child = spawn(process.execPath, argv, { env, cwd: '/' })
      children.push(child)
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk) => (stdout += chunk))
      child.stderr.on('data', (chunk) => (stderr += chunk))
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
  }
  return { env, rollback }
}

const records = ({ env }: World) => {
  const at = join(env.SECURITY_DB_PATH!, '..', 'rollbacks')
  return existsSync(at) ? readdirSync(at).filter((name) => /^\d{8}T/.test(name)) : []
}

/** What every rollback of the caller has to come to, whoever does it: it works again, and it is the last other version. */
async function expectCallerWorks({ repo, env }: World): Promise<void> {
  expect(repo.read(FILE)).toBe(WORKS)
  const asked = await shell(CHECK, repo.dir, env)
  expect(asked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ waiting$/m) })
}

function shell(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    execFile('/bin/bash', ['-c', command], { cwd, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    )
  })
}

/** The runbook's scenario 2, its own commands (the interpreter is Node's). */
const runbook = ({ repo, env }: World): Promise<Ran> =>
  shell(
    `git checkout HEAD~1 -- scripts/ai.py
    node scripts/ai.py --help
    echo "✅ CLI 복원 완료"`,
    repo.dir,
    env,
  )

describe('a caller that a commit broke', () => {
  test('works again, proven by a real call; HEAD, index and all else stay; undo restores every byte', async () => {
    const at = world()
    const { repo } = at
    repo.write('other', 'changed, and not committed')
    repo.git('add', 'other')
    const before = repo.state()

    const dry = await at.rollback('--dry-run', ...TEAM)
    expect(dry.code, dry.stderr).toBe(EXIT.OK)
    expect(dry.stdout.replaceAll('\n  ', ' ')).toContain(': Ask the desk')
    expect(repo.state()).toEqual(before)
    expect(records(at)).toEqual([])

    const done = await at.rollback(...TEAM, ...YES)
    expect(done.code, done.stderr).toBe(0)
    await expectCallerWorks(at)
    const after = repo.state()
    expect({ head: after.head, index: after.index }).toEqual({ head: before.head, index: before.index })
    expect({ ...after.files, [FILE]: '' }).toEqual({ ...before.files, [FILE]: '' })

    const again = await at.rollback(...TEAM, ...YES)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('already as in') })
    expect(records(at)).toHaveLength(1)
    expect(repo.state()).toEqual(after)

    expect((await at.rollback('undo', ...YES)).code).toBe(0)
    expect(repo.state()).toEqual(before)
  })

  test('by the runbook’s own script stays broken, and the script says it is restored', async () => {
    const at = world()
    const said = await runbook(at)
    expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining('✅') })
    await expect(expectCallerWorks(at)).rejects.toThrow()
  })

  test('a fix that nobody committed is refused, and kept with --stash; the runbook’s script destroys it', async () => {
    const fixed = (at: World) => at.repo.write(FILE, '// a fix that nobody committed\n')
    const ours = world()
    fixed(ours)
    const before = ours.repo.state()
    const refused = await ours.rollback(...TEAM, ...YES)
    expect(refused.code).toBe(2)
    expect(refused.stderr.trimEnd().split('\n').at(-1)).toMatch(/would be lost: scripts\/ai\.py.*git -C .* diff HEAD/)
    expect([ours.repo.state(), records(ours)]).toEqual([before, []])
    expect((await ours.rollback(...TEAM, ...YES, '--stash')).code).toBe(0)
    await expectCallerWorks(ours)
    expect((await ours.rollback('undo', ...YES)).code).toBe(0)
    expect(ours.repo.state()).toEqual(before)

    const theirs = world()
    fixed(theirs)
    expect((await runbook(theirs)).code).toBe(0)
    expect(theirs.repo.read(FILE)).not.toContain('a fix')
    expect(theirs.repo.git('stash', 'list')).toBe('')
  })

  test('in an earlier version that does not work either is taken back: exit 1, every byte as it was', async () => {
    const at = world(caller('/api/v0/approvals'))
    const before = at.repo.state()
    const failed = await at.rollback(...TEAM, ...YES)
    expect(failed.code).toBe(1)
    expect(failed.stderr).toMatch(/the check failed \(1\): node scripts\/ai\.py --list: HTTP 404/)
    expect(at.repo.state()).toEqual(before)
    // Going there by hand first does not make a success of it.
    at.repo.git('checkout', '-q', 'HEAD~2', '--', FILE)
    expect(await at.rollback(...TEAM, ...YES)).toMatchObject({ code: 2, stderr: expect.stringContaining('not work') })
  })

  test('cannot be proven without its server: never 0, and nothing stays changed', async () => {
    const at = world()
    at.env.APPROVAL_URL = 'http://127.0.0.1:9'
    const before = at.repo.state()
    expect(await at.rollback(...TEAM, ...YES)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('fetch failed'),
    })
    expect(at.repo.state()).toEqual(before)
    const own = await at.rollback('--yes', '--reason', 'without a check of its own')
    expect(own).toMatchObject({ code: EXIT.USAGE, stderr: expect.stringContaining('--verify') })
    const help = await at.rollback('--file', FILE, '--verify', 'node scripts/ai.py --help', ...YES)
    expect(help).toMatchObject({ code: EXIT.USAGE, stderr: expect.stringContaining('prove nothing') })
  })

  test('killed while it is proven: resume brings it to its end', async () => {
    const at = world()
    const once = join(at.repo.dir, '.git', 'once')
    const deadly = `test -e '${once}' || { touch '${once}'; kill -KILL $PPID; sleep 1; }; ${CHECK}`
    const killed = await at.rollback('--file', FILE, '--verify', deadly, ...YES)
    expect([killed.code, existsSync(once)]).toEqual([null, true])
    const refused = await at.rollback(...TEAM, ...YES)
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/npm run rollback-cli -- resume\n$/) })
    const resumed = await at.rollback('resume', ...YES)
    expect(resumed.code, resumed.stderr).toBe(0)
    await expectCallerWorks(at)
  })

  test('is said in Korean and in English within 80 columns', async () => {
    const at = world()
    for (const lang of ['ko', 'en']) {
      const { code, stdout } = await at.rollback('--dry-run', '--lang', lang, ...TEAM)
      expect(code).toBe(0)
      expect(/[가-힣]/.test(stdout.replaceAll('팀', '').replaceAll('김철수', ''))).toBe(lang === 'ko')
      const long = stdout.split('\n').filter((line) => displayWidth(line) > 80)
      expect(long.filter((line) => !line.includes(folder.path))).toEqual([])
    }
  })
})

describe('the command line of this project', () => {
  /** A copy with a history of its own: the working tree of this project is nobody's to try things on. */
  function copy(): World {
    const place = fresh(`copy-${++worlds}`)
    const dir = join(place, 'project')
    symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'))
    for (const name of ['bin', 'src', 'sql', 'ops', 'package.json', 'tsconfig.json', 'policy.json'])
      cpSync(join(ROOT, name), join(dir, name), { recursive: true })
    const repo = repository(dir)
    repo.git('add', '--all')
    repo.git('commit', '-qm', 'The version that works')
    repo.commit(
      { 'src/cli/list.ts': "throw new Error('broken by a commit')\n", 'src/cli/more.ts': 'export {}\n' },
      'Oops',
    )
    return { repo, ...runner(join(place, 'data'), dir) }
  }

  test('is proven by reading the waiting list through the restored files', async () => {
    const at = copy()
    await server.ask()
    const before = at.repo.state()
    const list = `${process.execPath} bin/approval.js list --format json`
    expect((await shell(list, at.repo.dir, at.env)).code).not.toBe(0)

    const done = await at.rollback(...YES)
    expect(done.code, done.stderr).toBe(0)
    expect(JSON.parse((await shell(list, at.repo.dir, at.env)).stdout).count).toBeGreaterThan(0)
    expect(existsSync(at.repo.path('src/cli/more.ts'))).toBe(false)
    expect((await at.rollback('undo', ...YES)).code).toBe(0)
    expect(at.repo.state()).toEqual(before)
  })

  test('is rehearsed on a clone, with a server of its own, and nothing real is touched', async () => {
    const at = copy()
    symlinkSync(join(ROOT, 'node_modules'), at.repo.path('node_modules'))
    const { head, index } = at.repo.state()
    const rehearsed = await at.rollback('--rehearse')
    expect(rehearsed.code, rehearsed.stderr).toBe(0)
    expect(at.repo.read('src/cli/list.ts')).toContain('broken by a commit')
    expect(at.repo.state()).toMatchObject({ head, index })
    expect(records(at)).toEqual([])
  })

  test('is not touched where no server could prove it', async () => {
    const at = copy()
    at.env.APPROVAL_URL = 'http://127.0.0.1:9'
    const before = at.repo.state()
    const refused = await at.rollback(...YES)
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/no server answers at .*npm start\n$/) })
    expect([at.repo.state(), records(at)]).toEqual([before, []])
  })
})

describe('the result', () => {
  test('is in the record of the server that runs beside it, with who, why and what changed', async () => {
    const dir = fresh('recorded')
    const own = await startServer(dir)
    try {
      const at = world()
      at.env.SECURITY_DB_PATH = join(dir, 'security.db')
      expect((await at.rollback(...TEAM, ...YES, '--ticket', 'OPS-7')).code).toBe(0)
      const path = join(dir, 'report.json')
      await until('recorded', async () => {
        const argv = `${process.execPath} --import ${TSX} ${ROOT}/ops/daily-report.ts --format json`
        writeFileSync(path, (await shell(argv, dir, at.env)).stdout)
        const { administrative_acts: acts } = JSON.parse((await shell(`cat ${path}`, dir, at.env)).stdout)
        const act = acts.find(({ type }: { type: string }) => type === 'rollback')
        if (!act) return false
        expect(act.rollback).toMatchObject({ scenario: 'cli', outcome: 'done', ticket: 'OPS-7', reason: YES[2] })
        return true
      })
      expect((await own.call('GET', '/api/audit/verify')).json.ok).toBe(true)
    } finally {
      await own.kill('SIGTERM')
    }
  })
})
