import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { cli } from '../src/rollback/cli.ts'
import type { CliDetails } from '../src/rollback/cli-steps.ts'
import { type Already, type Plan, Refusal } from '../src/rollback/plan.ts'
import type { Args, RollbackContext } from '../src/rollback/scenario.ts'
import { realSystem } from '../src/system/real.ts'
import { type Repository, repository } from './support/git.ts'
import { temporaryFolder } from './support/server.ts'

const folder = temporaryFolder()
afterAll(folder.remove)
let made = 0
const fresh = (): Repository => repository(join(folder.path, String(++made)))

const FILE = 'scripts/ai.py'

const unused = async (): Promise<never> => {
  throw new Error('a rollback of files asks nothing of the server')
}
const context: RollbackContext = {
  ...{ system: realSystem, now: () => 0, zone: 'Asia/Seoul', root: folder.path, folder: join(folder.path, 'records') },
  ...{ reason: 'polling fails', ticket: undefined, settings: [], configured: unused, token: unused },
  runtimes: { detect: unused, open: () => expect.unreachable() },
  server: { url: 'http://127.0.0.1:9', env: {} },
  stability: { answers: 1, overMs: 0, everyMs: 1, withinMs: 1 },
}

type Given = Partial<Args<typeof cli.flags>>

const rollbackOf = (repo: string, given: Given = {}) =>
  cli.create(context, {
    ...{ repo, file: [FILE], to: undefined, stash: false, verify: 'true' },
    ...given,
  } as Args<typeof cli.flags>)

async function plan({ dir }: Repository, given: Given = {}): Promise<Plan<CliDetails>> {
  const planned = (await rollbackOf(dir, given).plan()) as Plan<CliDetails> | Already
  if ('already' in planned) throw new Error(planned.already.en)
  return planned
}

/** Takes the steps of a plan, as the engine does. */
async function carryOut(repo: Repository, planned: Plan<CliDetails>): Promise<() => Promise<void>> {
  const rollback = rollbackOf(repo.dir)
  const at = join(folder.path, `snapshot-${++made}`)
  mkdirSync(at, { mode: 0o700 })
  await rollback.snapshot(planned, at)
  const steps = rollback.steps(planned, at)
  const mark = async () => {}
  for (const step of steps) {
    await step.apply(mark)
    await step.verify()
  }
  return async () => {
    for (const step of steps.toReversed()) {
      await step.undo(mark)
      await step.verifyUndone()
    }
  }
}

/** Nothing but these files is another after it, HEAD and index are the same, and the way back restores every byte. */
async function expectTaken(repo: Repository, files: Record<string, string | null>, given = {}): Promise<void> {
  const before = repo.state()
  const planned = await plan(repo, given)
  expect(repo.state(), 'planning changes nothing').toEqual(before)
  const undo = await carryOut(repo, planned)
  const after = repo.state()
  expect(planned.changes.map(({ what }) => what).sort()).toEqual(Object.keys(files).sort())
  for (const [name, content] of Object.entries(files)) {
    if (content === null) expect(after.files, name).not.toHaveProperty([name])
    else expect(repo.read(name), name).toBe(content)
  }
  expect({ head: after.head, index: after.index }).toEqual({ head: before.head, index: before.index })
  const rest = (tree: Record<string, string>) =>
    Object.entries(tree).filter(([name, what]) => !(name in files) && !what.startsWith('4'))
  expect(rest(after.files)).toEqual(rest(before.files))
  await undo()
  expect(repo.state()).toEqual(before)
}

async function refusal(repo: Repository | string, given: Given = {}): Promise<string> {
  const dir = typeof repo === 'string' ? repo : repo.dir
  const error = await rollbackOf(dir, given)
    .plan()
    .then(
      () => expect.unreachable('it was not refused'),
      (error) => error,
    )
  expect(error).toBeInstanceOf(Refusal)
  expect(error.text.ko).not.toBe(error.text.en)
  return `${error.text.en} | ${error.next ?? ''}`
}

describe('the version that is chosen', () => {
  test('is the last different one, however many commits did not touch the file', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' }, 'First')
    repo.commit({ [FILE]: 'v2' }, 'Break it')
    for (let n = 0; n < 3; n++) repo.commit({ other: String(n) })
    await expectTaken(repo, { [FILE]: 'v1' })
    const { notes } = await plan(repo)
    expect(notes[0]?.en).toMatch(/^[0-9a-f]{12} 2026-11-20 .* \(Asia\/Seoul\) 김철수 <kim@example.com>: First$/)
    expect(notes[1]?.en).toBe('1 file, +1 -1 lines')
  })

  test('is another one than HEAD has, also after a revert and a change of nothing but the mode', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    repo.commit({ [FILE]: 'v1' }, 'Revert')
    await expectTaken(repo, { [FILE]: 'v2' })
    repo.git('update-index', '--chmod=+x', FILE)
    repo.git('commit', '-qm', 'Make it a program')
    repo.git('checkout', '-q', FILE)
    const undo = await carryOut(repo, await plan(repo))
    expect(repo.state().files[FILE]).toMatch(/^100644 /)
    await undo()
    expect(repo.state().files[FILE]).toMatch(/^100755 /)
  })

  test('is what this branch had before a merge, not what the other branch tried', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1', base: '1' })
    repo.git('checkout', '-qb', 'side')
    repo.commit({ [FILE]: 'try 1' })
    repo.commit({ [FILE]: 'try 2' })
    repo.git('checkout', '-q', 'main')
    repo.commit({ base: '2' })
    repo.git('merge', '-q', '--no-ff', '-m', 'Merge side', 'side')
    await expectTaken(repo, { [FILE]: 'v1' })
  })

  test('is found under the name that the file had then', async () => {
    const repo = fresh()
    const long = Array.from({ length: 20 }, (_, n) => `line ${n}`).join('\n')
    repo.commit({ 'agent.py': `${long}\nv1` })
    repo.commit({ 'agent.py': `${long}\nv2` })
    mkdirSync(repo.path('scripts'))
    renameSync(repo.path('agent.py'), repo.path(FILE))
    repo.git('add', '--all')
    repo.git('commit', '-qm', 'Move it')
    await expectTaken(repo, { [FILE]: `${long}\nv1` })
    expect((await plan(repo)).notes.map(({ en }) => en)).toContain('scripts/ai.py: was called agent.py then')
    await expectTaken(repo, { [FILE]: `${long}\nv1` }, { to: 'HEAD~2' })
  })

  test('brings back a file that the last commit deleted, in a folder that is gone', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1', other: '1' })
    repo.commit({ [FILE]: null })
    await expectTaken(repo, { [FILE]: 'v1' })
  })

  test('of a folder is all of it: files that came later go, files that went come back', async () => {
    const repo = fresh()
    repo.commit({ 'cli/a': 'a1', 'cli/deep/b': 'b1', 'cli/same': 's' })
    repo.commit({ 'cli/a': 'a2', 'cli/deep/b': null, 'cli/c': 'c2' })
    await expectTaken(repo, { 'cli/a': 'a1', 'cli/deep/b': 'b1', 'cli/c': null }, { file: ['cli'] })
  })

  test('can be named, on a detached HEAD, too', async () => {
    const repo = fresh()
    const first = repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    repo.commit({ [FILE]: 'v3' })
    repo.git('checkout', '-q', '--detach')
    await expectTaken(repo, { [FILE]: 'v1' }, { to: first })
    await expectTaken(repo, { [FILE]: 'v2' })
    expect((await plan(repo)).notes.map(({ en }) => en).join()).toContain('(detached)')
  })

  test('is written byte by byte: binary, line ends that git is told to make, odd names', async () => {
    const repo = fresh()
    const names = ['a b/한글 *?[x].py', '-x', ':(top)y']
    repo.commit(Object.fromEntries(names.map((name) => [name, Buffer.from([0, 255, 13, 10, 0xed, 0xa0])])))
    const bytes = names.map((name) => repo.state().files[name])
    repo.commit(Object.fromEntries(names.map((name) => [name, 'v2'])))
    const undo = await carryOut(repo, await plan(repo, { file: names }))
    expect(names.map((name) => repo.state().files[name])).toEqual(bytes)
    await undo()

    repo.commit({ '.gitattributes': '*.bat text eol=crlf\n', 'x.bat': 'v1\r\nline\r\n' })
    repo.commit({ 'x.bat': 'v2\r\n' })
    await expectTaken(repo, { 'x.bat': 'v1\r\nline\r\n' }, { file: ['x.bat'] })
  })

  test('keeps permissions that git does not know, and looks at no folder but its own', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    chmodSync(repo.path(FILE), 0o640)
    const undo = await carryOut(repo, await plan(repo))
    expect(repo.state().files[FILE]).toMatch(/^100640 /)
    await undo()
  })
})

describe('what is not committed', () => {
  const changed = (): Repository => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1', other: '1' })
    repo.commit({ [FILE]: 'v2' })
    repo.write(FILE, 'a fix that nobody committed')
    return repo
  }

  test('is not overwritten', async () => {
    const said = await refusal(changed())
    expect(said).toMatch(/^1 change not committed would be lost: scripts\/ai.py.* \| git -C .* diff HEAD -- /)
  })

  test('is not overwritten either when it is staged, or when git was told not to look', async () => {
    const staged = changed()
    staged.git('add', FILE)
    expect(await refusal(staged)).toContain('not committed')
    const hidden = changed()
    hidden.git('update-index', '--assume-unchanged', FILE)
    expect(await refusal(hidden)).toContain('not committed')
  })

  test('nor is a file of nobody that lies where the version has one', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: null })
    repo.write(FILE, 'mine')
    expect(await refusal(repo)).toContain('not committed')
  })

  test('is kept with --stash, and every byte and mode of it comes back', async () => {
    const repo = changed()
    chmodSync(repo.path(FILE), 0o600)
    repo.write('other', 'also changed, and none of our business')
    repo.git('add', 'other')
    await expectTaken(repo, { [FILE]: 'v1' }, { stash: true })
    expect((await plan(repo, { stash: true })).hazards[0]?.en).toContain('scripts/ai.py')
  })

  test('a version of long ago is committed: going on from it needs no --stash', async () => {
    const repo = fresh()
    const first = repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    repo.commit({ [FILE]: 'v3' })
    await carryOut(repo, await plan(repo, { to: first }))
    await expectTaken(repo, { [FILE]: 'v2' })
  })

  test('makes a plan stale when it comes after it', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    const { observations } = await plan(repo)
    repo.write(FILE, 'v1 again')
    expect((await plan(repo, { stash: true })).observations).not.toEqual(observations)
    repo.write(FILE, 'v2')
    repo.commit({ other: 'x' })
    expect((await plan(repo)).observations).not.toEqual(observations)
  })
})

describe('it is refused, with the way on', () => {
  const two = (): Repository => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    return repo
  }

  test.each<[string, () => Repository | string, Given, RegExp]>([
    ['outside of any repository', () => folder.path, {}, /not a git repository/],
    ['in a folder that is none', () => join(folder.path, 'absent'), {}, /not a folder/],
    ['in a repository without a commit', fresh, {}, /has no commit/],
    ['of a path that no commit has', two, { file: ['scripts/al.py'] }, /in no commit.* \| git -C .* status/],
    ['of a path outside', two, { file: ['../elsewhere'] }, /not inside the repository/],
    ['to a commit that there is not', two, { to: 'v9.9' }, /there is no such commit.* \| git .* log --oneline/],
    ['to what looks like an option', two, { to: '--output=x' }, /there is no such commit/],
  ])('%s', async (_, make, given, pattern) => {
    expect(await refusal(make(), given)).toMatch(pattern)
  })

  test('where there is only one version, or the file was not there before', async () => {
    const repo = fresh()
    repo.commit({ other: '1' })
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ other: '2' })
    expect(await refusal(repo)).toMatch(/no commit has an earlier version.* \| git .* log/)
    expect(await refusal(repo, { to: 'HEAD~2' })).toContain('does not have scripts/ai.py')
  })

  test('in a clone too shallow to have the version, and only there', async () => {
    const origin = two()
    origin.commit({ other: '1' })
    const clone = (depth: number) => {
      const dir = join(folder.path, `clone-${++made}`)
      origin.git('clone', '-q', '--depth', String(depth), `file://${origin.dir}`, dir)
      return dir
    }
    expect(await refusal(clone(1))).toMatch(/shallow clone.* \| git -C \S+ fetch --unshallow/)
    expect(await rollbackOf(clone(3)).plan()).toMatchObject({ changes: [{ what: FILE }] })
  })

  test('through a link, and of a link: nothing outside is ever written', async () => {
    const repo = two()
    renameSync(repo.path('scripts'), repo.path('moved'))
    symlinkSync('moved', repo.path('scripts'))
    expect(await refusal(repo)).toContain('lies behind a link')
    const linked = fresh()
    linked.commit({ target: '1' })
    mkdirSync(linked.path('scripts'))
    symlinkSync('../target', linked.path(FILE))
    linked.git('add', '--all')
    linked.git('commit', '-qm', 'A link')
    linked.git('rm', '-q', FILE)
    linked.commit({ [FILE]: 'v2' })
    expect(await refusal(linked)).toContain('not an ordinary file')
  })

  test.runIf(process.getuid?.() === 0)('in a repository of somebody whom git does not trust', async () => {
    const repo = two()
    chownSync(repo.dir, 12345, 12345)
    chownSync(repo.path('.git'), 12345, 12345)
    expect(await refusal(repo)).toMatch(/belongs to somebody else.* safe\.directory/)
  })
})

describe('the caller’s environment', () => {
  const { env } = process
  afterEach(() => {
    process.env = env
  })

  test('does not lead git elsewhere, and no HOME is needed', async () => {
    const repo = fresh()
    repo.commit({ [FILE]: 'v1' })
    repo.commit({ [FILE]: 'v2' })
    const decoy = fresh()
    process.env = {
      PATH: env.PATH,
      GIT_DIR: decoy.path('.git'),
      GIT_WORK_TREE: decoy.dir,
      GIT_INDEX_FILE: '/dev/null',
      GIT_EXTERNAL_DIFF: 'false',
      GIT_TRACE: '2',
      GIT_PAGER: 'false',
    }
    await expectTaken(repo, { [FILE]: 'v1' })
  })

  test('without git is said as such', async () => {
    const repo = fresh()
    process.env = { PATH: '/nonexistent' }
    expect(await refusal(repo)).toMatch(/no git command.* \| command -v git/)
  })
})

describe('cut off in the middle', () => {
  const before = { 'cli/a': 'a2', 'cli/c': 'c2' }
  const world = () => {
    const repo = fresh()
    repo.commit({ 'cli/a': 'a1', 'cli/deep/b': 'b1' })
    repo.commit({ 'cli/a': 'a2', 'cli/deep/b': null, 'cli/c': 'c2' })
    return repo
  }

  test('at any moment, it can be brought to its end and taken back', async () => {
    for (let moment = 0; ; moment++) {
      for (const onward of ['apply', 'undo'] as const) {
        const repo = world()
        const start = repo.state()
        const planned = await plan(repo, { file: ['cli'] })
        const at = join(folder.path, `snapshot-${++made}`)
        mkdirSync(at, { mode: 0o700 })
        const rollback = rollbackOf(repo.dir)
        await rollback.snapshot(planned, at)
        const [step] = rollback.steps(planned, at)
        let left = moment
        const cut = await step!
          .apply(async () => {
            if (left-- === 0) throw new Error('cut')
          })
          .then(
            () => false,
            () => true,
          )
        // Another process goes on, with what the journal and the snapshot say.
        const [again] = rollbackOf(repo.dir).steps(JSON.parse(JSON.stringify(planned)), at)
        await again![onward](async () => {})
        if (onward === 'undo') {
          await again!.verifyUndone()
          expect(repo.state(), `moment ${moment}`).toEqual(start)
        } else {
          await again!.verify()
          expect([repo.read('cli/a'), repo.read('cli/deep/b')]).toEqual(['a1', 'b1'])
        }
        if (!cut) {
          expect(moment).toBeGreaterThanOrEqual(2 * Object.keys(before).length)
          return
        }
      }
    }
  })

  test('what somebody wrote meanwhile is not overwritten', async () => {
    const repo = world()
    const planned = await plan(repo, { file: ['cli'] })
    const at = join(folder.path, `snapshot-${++made}`)
    mkdirSync(at, { mode: 0o700 })
    const rollback = rollbackOf(repo.dir)
    await rollback.snapshot(planned, at)
    const [step] = rollback.steps(planned, at)
    await step!.apply(async () => {})
    repo.write('cli/a', 'a colleague was here')
    await expect(step!.undo(async () => {})).rejects.toThrow('changed by somebody meanwhile')
    await expect(step!.assertUndoable!()).rejects.toThrow(Refusal)
    expect(repo.read('cli/a')).toBe('a colleague was here')
  })
})
