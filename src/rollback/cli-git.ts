import { join, relative } from 'node:path'
import type { RunResult, System } from '../system/system.ts'
import { cliText, refusal } from './cli-words.ts'

/** git is asked for one small thing at a time: what takes longer hangs. */
const GIT_MS = 10_000

/**
 * Nothing of git's own state is changed: no index is refreshed, nothing is fetched, nobody is asked for a password.
 * What the caller exports as GIT_* never gets here: `System.run` hands on a minimal environment.
 */
const ENV = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  LC_ALL: 'C.UTF-8',
  LANGUAGE: 'C',
}
const QUIET = ['--literal-pathspecs', '-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false']

export interface Git {
  /** The working tree's own folder, links followed. */
  readonly root: string
  /** What git prints. @throws Refusal with git's own words when it fails */
  read(...words: string[]): Promise<string>
  /** `undefined` when git says no. */
  ask(...words: string[]): Promise<string | undefined>
  /** Writes what git prints into a file. */
  into(file: string, ...words: string[]): Promise<void>
}

/** @throws Refusal when `folder` is in no working tree that git lets us read */
export async function openGit(system: System, folder: string): Promise<Git> {
  if ((await system.stat(folder))?.kind !== 'directory') throw refusal(cliText('no_folder', { folder }))
  const run = (words: readonly string[], cwd: string, outputFile?: string): Promise<RunResult> =>
    system.run(['git', ...QUIET, ...words], {
      ...{ timeoutMs: GIT_MS, cwd, env: ENV, maxOutputBytes: 8 * 1024 * 1024 },
      ...(outputFile === undefined ? {} : { outputFile }),
    })
  const top = await run(['rev-parse', '--show-toplevel'], folder)
  if (!top.ok) throw whyNot(top, folder)
  const root = await system.realPath(top.stdout.replace(/\n$/, ''))

  return {
    root,
    async read(...words) {
      const done = await run(words, root)
      if (!done.ok) throw whyNot(done, root)
      return done.stdout
    },
    async ask(...words) {
      const done = await run(words, root)
      if (done.timedOut) throw whyNot(done, root)
      return done.ok ? done.stdout : undefined
    },
    async into(file, ...words) {
      const done = await run(words, root, file)
      if (!done.ok) throw whyNot(done, root)
    },
  }
}

function whyNot({ timedOut, code, stderr }: RunResult, folder: string): Error {
  if (timedOut) return refusal(cliText('git_hangs', { seconds: GIT_MS / 1000 }))
  if (code === 127) return refusal(cliText('git_missing'), 'command -v git')
  if (/dubious ownership/.test(stderr)) {
    const owned = /repository at '(.+)'/.exec(stderr)?.[1] ?? folder
    return refusal(cliText('not_trusted', { folder: owned }), `ls -ld ${quoted(owned)}`)
  }
  if (/not a git repository/.test(stderr)) return refusal(cliText('no_repository', { folder }))
  if (/must be run in a work tree/.test(stderr)) return refusal(cliText('bare', { folder }))
  const message = stderr.trim().split('\n').at(-1) ?? ''
  return refusal(cliText('git_failed', { message: message || `exit ${code}` }))
}

/** A throwaway clone for a rehearsal; what is asked of it is the same folder in it. */
export async function cloned(system: System, folder: string, copy: string): Promise<string> {
  const git = await openGit(system, folder)
  const target = join(copy, 'repository')
  const below = relative(git.root, await system.realPath(folder))
  if ((await system.stat(target)) === null) {
    await git.read('clone', '--quiet', '--', git.root, target)
    const modules = join(git.root, 'node_modules')
    if (await system.stat(modules)) {
      await system.run(['ln', '-s', '--', modules, join(target, 'node_modules')], { timeoutMs: GIT_MS })
    }
  }
  return join(target, below)
}

/** For a command that a person copies. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
