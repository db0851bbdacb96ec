import { join, relative, resolve } from 'node:path'
import { localTime } from '../report/period.ts'
import { changesTo, type FileChange } from './cli-files.ts'
import { cloned, type Git, openGit, quoted } from './cli-git.ts'
import { type CliDetails, filesStep, keepFiles } from './cli-steps.ts'
import { type Check, check } from './cli-verify.ts'
import {
  commitOf,
  diffstat,
  type Files,
  filesAt,
  hasAll,
  previousVersion,
  renamedIn,
  type Version,
} from './cli-versions.ts'
import { cliText, refusal } from './cli-words.ts'
import { observedFile } from './configure.ts'
import { npmScript } from './engine.ts'
import { type Already, type Change, type Plan, Refusal, type Rollback } from './plan.ts'
import { type Args, type RollbackContext, scenario } from './scenario.ts'
import { textOf } from './words.ts'

/** The command line of callers and approvers, in this repository. */
const OURS = ['src/cli', 'bin/approval.js']
/** Longer lists are cut for people; the snapshot has all of it. */
const MOST_LISTED = 20

const flags = {
  file: { type: 'string', multiple: true, value: 'PATH', help: cliText('help_file', { files: OURS.join(', ') }) },
  repo: { type: 'string', value: 'DIR', help: cliText('help_repo') },
  to: { type: 'string', value: 'REV', help: cliText('help_to') },
  stash: { type: 'boolean', help: cliText('help_stash') },
  verify: { type: 'string', value: "'CMD'", help: cliText('help_verify') },
} as const

/** The files of the command line back to their last different committed version, proven by a real call. */
export const cli = scenario({
  scenario: 'cli',
  summary: cliText('summary'),
  flags,
  problem({ file, repo, verify }) {
    if (verify === undefined) return file.length > 0 || repo !== undefined ? cliText('usage_verify') : undefined
    // Help is printed by the very versions that cannot talk to the server.
    return /(^|\s)(--help|-h|--version|-V)(\s|$)/.test(verify) ? cliText('usage_help') : undefined
  },
  rehearsal: {},
  create: cliRollback,
})

function cliRollback(context: RollbackContext, args: Args<typeof flags>): Rollback<CliDetails> {
  const { system } = context
  const real = resolve(context.root, args.repo ?? '.')

  async function plan(): Promise<Plan<CliDetails> | Already> {
    const folder = context.copy === undefined ? real : await cloned(system, real, context.copy)
    const git = await openGit(system, folder)
    const paths = await pathsIn(git, folder)
    const head = await commitOf(git, 'HEAD')
    if (!head) throw refusal(cliText('no_commit', { folder }))
    const now = await filesAt(git, head.hash, asToday(paths))
    const version = await (args.to === undefined ? before(git, paths, now) : named(git, paths, args.to))
    const changes = await changesTo(system, git, now, version.files)
    const hash = version.commit.hash.slice(0, 12)
    if (changes.length === 0) return await already(git, paths, hash)
    const local = changes.filter((change) => change.local).map(({ path }) => path)
    if (local.length > 0 && !args.stash) {
      const next = `git -C ${quoted(git.root)} diff HEAD -- ${local.map(quoted).join(' ')}`
      throw refusal(cliText('local', { files: listed(local), n: local.length }), next)
    }
    for (const { path } of changes) await assertWritable(join(git.root, path))
    const details: CliDetails = {
      ...{ root: git.root, version: hash, check: await checkOf(git) },
      files: changes.map(({ path, before: was, after }) => ({
        ...{ path, after },
        before: was && { sha256: was.sha256, mode: was.mode },
      })),
    }
    return await planOf(git, { details, head: head.hash, now, version, changes, paths, local })
  }

  /** The right files alone are no success: they have to work. */
  async function already(git: Git, paths: readonly string[], hash: string): Promise<Already> {
    const files = paths.join(', ')
    try {
      await check(context, await checkOf(git))
    } catch (error) {
      if (error instanceof Refusal) throw error
      const next = `${npmScript('cli')} -- --to REV --reason '...'`
      throw refusal(cliText('already_broken', { files, hash, why: textOf(error) }), next)
    }
    return { already: cliText('already', { files, hash }) }
  }

  async function pathsIn(git: Git, folder: string): Promise<string[]> {
    const given = args.file.length > 0 ? args.file : OURS
    const base = await system.realPath(folder)
    return given.map((path) => {
      const below = relative(git.root, resolve(base, path))
      if (below === '' || below.startsWith('..')) throw refusal(cliText('outside', { path, folder: git.root }))
      return below
    })
  }

  async function before(git: Git, paths: readonly string[], now: Files): Promise<Version> {
    const found = await previousVersion(git, paths, now)
    if (found) return found
    const files = paths.join(', ')
    const shallow = (await git.ask('rev-parse', '--is-shallow-repository'))?.trim() === 'true'
    if (shallow) throw refusal(cliText('shallow', { files }), `git -C ${quoted(git.root)} fetch --unshallow`)
    if (now.size === 0) throw refusal(cliText('untracked', { files }), `git -C ${quoted(git.root)} status`)
    throw refusal(cliText('no_earlier', { files }), `git -C ${quoted(git.root)} log --oneline -- ${paths.join(' ')}`)
  }

  async function named(git: Git, paths: readonly string[], revision: string): Promise<Version> {
    const commit = await commitOf(git, revision)
    const log = `git -C ${quoted(git.root)} log --oneline -- ${paths.map(quoted).join(' ')}`
    if (!commit) throw refusal(cliText('unknown_revision', { revision }), log)
    const wanted = await renamedIn(git, commit.hash, 'HEAD', asToday(paths))
    const files = await filesAt(git, commit.hash, wanted)
    if (!hasAll(files, wanted)) {
      const missing = wanted.filter((one) => !hasAll(files, [one])).map(({ path }) => path)
      throw refusal(cliText('not_in_revision', { files: missing.join(', '), revision }), log)
    }
    return { commit, files }
  }

  async function assertWritable(path: string): Promise<void> {
    if (!(await system.stat(path))) return
    try {
      await system.assertReplaceable(path)
    } catch (error) {
      throw refusal(cliText('not_writable', { path, message: (error as Error).message }), `ls -l ${quoted(path)}`)
    }
  }

  /** Whether the restored files work is asked of the server through them; without a server nobody can know. */
  async function checkOf(git: Git): Promise<Check> {
    if (args.verify !== undefined) {
      return { argv: ['/bin/bash', '-c', args.verify], label: args.verify, cwd: git.root, list: false }
    }
    const url = context.server.url
    const seen = await system.http({ url: `${url}/health`, timeoutMs: 3_000 })
    if (!seen.answered) throw refusal(cliText('no_server', { url }), 'npm start')
    const argv = [process.execPath, join(git.root, 'bin/approval.js'), 'list', '--format', 'json', '--lang', 'en']
    return { argv, label: `node ${argv.slice(1).join(' ')}`, cwd: git.root, list: true }
  }

  async function planOf(git: Git, seen: Seen): Promise<Plan<CliDetails>> {
    const { details, head, now, version, changes, paths, local } = seen
    const { commit } = version
    const { added, deleted } = await diffstat(git, now, version.files)
    const branch = (await git.ask('symbolic-ref', '--quiet', '--short', 'HEAD'))?.trim()
    const date = `${localTime(commit.at * 1000, context.zone)} (${context.zone})`
    const renamed = [...version.files].filter(([path, entry]) => path !== entry.path)
    return {
      ...{ scenario: 'cli', runtime: 'none', target: `${git.root}: ${paths.join(', ')}`, outage: [0, 0], details },
      changes: cut(changes.map(changeOf), (n) => ({ what: `+ ${n}`, from: '…', to: '…' })),
      commands: cut(
        changes.map(({ path, after }) => ['edit', join(git.root, path), after ? shown(after.oid) : 'remove']),
        (n) => ['edit', `+ ${n}`],
      ),
      hazards: local.length > 0 ? [cliText('stashed', { files: listed(local) })] : [],
      notes: [
        cliText('version', { hash: details.version, date, author: commit.author, subject: commit.subject }),
        cliText('diffstat', { n: changes.length, added, deleted }),
        ...renamed.map(([path, entry]) => cliText('renamed', { path, old: entry.path })),
        cliText(branch === undefined ? 'detached' : 'untouched', { head: head.slice(0, 12), branch: branch ?? '' }),
        cliText('proven_by', { command: details.check.label }),
        cliText('gate_stays'),
      ],
      observations: [
        { what: 'HEAD', value: head },
        { what: 'version', value: commit.hash },
        ...changes.map(({ path, before: was }) => observedFile(path, was)),
      ],
    }
  }

  return {
    scenario: 'cli',
    plan,
    snapshot: async ({ details }, at) => await keepFiles(system, await openGit(system, details.root), details, at),
    steps: ({ details }, at) => [filesStep(context, details, at)],
  }
}

interface Seen {
  readonly details: CliDetails
  readonly head: string
  readonly now: Files
  readonly version: Version
  readonly changes: readonly FileChange[]
  readonly paths: readonly string[]
  readonly local: readonly string[]
}

const asToday = (paths: readonly string[]) => paths.map((path) => ({ path, was: path }))

const shown = (oid: string): string => oid.slice(0, 12)

const changeOf = ({ path, before, after, local }: FileChange): Change => ({
  what: path,
  from: before === null ? '-' : `${shown(before.oid)}${local ? ' *' : ''}`,
  to: after === null ? '-' : `${shown(after.oid)}${after.path === path ? '' : ` (${after.path})`}`,
})

const listed = (names: readonly string[]): string => cut(names, (n) => `+ ${n}`).join(', ')

function cut<T>(items: readonly T[], more: (n: number) => T): T[] {
  const left = items.length - MOST_LISTED
  return left > 1 ? [...items.slice(0, MOST_LISTED), more(left)] : [...items]
}
