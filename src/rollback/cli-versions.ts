import type { Git } from './cli-git.ts'

/** One file as a commit has it. */
export interface Entry {
  /** git knows `100644` and `100755`; the rest (links, submodules) is nothing that is restored here. */
  readonly mode: string
  readonly oid: string
  /** The name it has in that commit: another one where it was renamed since. */
  readonly path: string
}

/** By today's names. */
export type Files = ReadonlyMap<string, Entry>

export interface Commit {
  readonly hash: string
  readonly author: string
  /** Seconds since 1970. */
  readonly at: number
  readonly subject: string
}

export interface Version {
  readonly commit: Commit
  readonly files: Files
}

/** What is asked for: a path as it is called today, and as it was called in the commit that is being looked at. */
export interface Wanted {
  readonly path: string
  readonly was: string
}

/** So many versions back; whoever needs an older one names it. */
const MOST_VERSIONS = 200

export const sameFiles = (a: Files, b: Files): boolean =>
  a.size === b.size && [...a].every(([path, { mode, oid }]) => b.get(path)?.oid === oid && b.get(path)?.mode === mode)

/** The files below the wanted paths, in one commit. */
export async function filesAt(git: Git, commit: string, wanted: readonly Wanted[]): Promise<Files> {
  const listed = await git.read('ls-tree', '-r', '-z', '--full-tree', commit, '--', ...wanted.map(({ was }) => was))
  const files = new Map<string, Entry>()
  for (const line of listed.split('\0').filter(Boolean)) {
    const [, mode, oid, path] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
    if (!mode || !oid || !path) continue
    const by = wanted.find(({ was }) => path === was || path.startsWith(`${was}/`))
    if (by) files.set(by.path + path.slice(by.was.length), { mode, oid, path })
  }
  return files
}

export const hasAll = (files: Files, wanted: readonly Wanted[]): boolean =>
  wanted.every(({ path }) => files.has(path) || [...files.keys()].some((name) => name.startsWith(`${path}/`)))

/**
 * Walks back to the newest committed version of the files that is not HEAD's. First parents only: what this branch
 * had before, not what somebody tried on a branch that was merged later. A file that was renamed is followed.
 */
export async function previousVersion(git: Git, paths: readonly string[], head: Files): Promise<Version | undefined> {
  let wanted: readonly Wanted[] = paths.map((path) => ({ path, was: path }))
  let from = 'HEAD'
  for (let n = 0; n < MOST_VERSIONS; n++) {
    const commit = await touching(git, from, wanted)
    if (!commit) break
    const files = await filesAt(git, commit.hash, wanted)
    if (hasAll(files, wanted) && !sameFiles(files, head)) return { commit, files }
    const parent = (await git.ask('rev-parse', '--verify', '--quiet', `${commit.hash}^1`))?.trim()
    if (!parent) break
    wanted = await renamedIn(git, parent, commit.hash, wanted)
    from = parent
  }
  return undefined
}

export async function commitOf(git: Git, revision: string): Promise<Commit | undefined> {
  const hash = await git.ask('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)
  return hash === undefined ? undefined : await touching(git, hash.trim(), [])
}

const FORMAT = '--format=%H%x00%an <%ae>%x00%ct%x00%s%x00'

async function touching(git: Git, from: string, wanted: readonly Wanted[]): Promise<Commit | undefined> {
  const paths = wanted.map(({ was }) => was)
  const log = await git.read('log', '-1', '--first-parent', '--no-show-signature', FORMAT, from, '--', ...paths)
  const [hash, author = '', at, subject = ''] = log.split('\0')
  return hash && at ? { hash: hash.trim(), author, at: Number(at), subject } : undefined
}

/** The names before this commit, of what it brought by renaming. */
export async function renamedIn(git: Git, before: string, after: string, wanted: readonly Wanted[]): Promise<Wanted[]> {
  const listed = await git.read('diff-tree', '-r', '-z', '-M', '--diff-filter=R', '--name-status', before, after)
  const words = listed.split('\0')
  const old = new Map<string, string>()
  for (let at = 0; at + 2 < words.length; at += 3) old.set(words[at + 2]!, words[at + 1]!)
  return wanted.map(({ path, was }) => ({ path, was: old.get(was) ?? was }))
}

/** Lines that come and go between two versions. */
export async function diffstat(git: Git, from: Files, to: Files): Promise<{ added: number; deleted: number }> {
  const paths = [...new Set([...from.keys(), ...to.keys()])]
  const counts = await Promise.all(paths.map((path) => linesBetween(git, from.get(path)?.oid, to.get(path)?.oid)))
  const sum = (at: 0 | 1): number => counts.reduce((total, count) => total + count[at], 0)
  return { added: sum(0), deleted: sum(1) }
}

async function linesBetween(git: Git, from?: string, to?: string): Promise<readonly [number, number]> {
  if (from === to) return [0, 0]
  if (from === undefined) return [await linesOf(git, to!), 0]
  if (to === undefined) return [0, await linesOf(git, from)]
  const stat = await git.read('diff', '--numstat', '--no-ext-diff', '--no-textconv', from, to)
  // git counts no lines of what is no text.
  const [, added = '0', deleted = '0'] = /^(\d+)\t(\d+)/.exec(stat) ?? []
  return [Number(added), Number(deleted)]
}

/** A content that some commit has is not lost when the file is written over. */
export const isCommitted = async (git: Git, oid: string): Promise<boolean> =>
  (await git.ask('log', '-1', '--format=%H', `--find-object=${oid}`, 'HEAD'))?.trim() !== ''

const linesOf = async (git: Git, oid: string): Promise<number> =>
  (await git.read('cat-file', 'blob', oid)).split('\n').length - 1
