import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Repository = ReturnType<typeof repository>

const WHO = { name: '김철수', email: 'kim@example.com' }
/** A second apart, so that the order of commits is their dates' order. */
let clock = Date.parse('2026-11-20T00:00:00Z') / 1000

/** A real repository in `dir`; nobody's own git settings reach it. */
export function repository(dir: string) {
  mkdirSync(dir, { recursive: true })
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const git = (...words: string[]): string => {
    const date = `${++clock} +0900`
    const env = {
      ...clean,
      ...{ HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
      ...{ GIT_AUTHOR_NAME: WHO.name, GIT_AUTHOR_EMAIL: WHO.email },
      ...{ GIT_COMMITTER_NAME: WHO.name, GIT_COMMITTER_EMAIL: WHO.email },
    }
    return execFileSync('git', words, { cwd: dir, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  }
  const path = (name: string) => join(dir, name)
  const write = (name: string, content: string | Buffer, mode?: number): void => {
    mkdirSync(dirname(path(name)), { recursive: true })
    rmSync(path(name), { force: true })
    writeFileSync(path(name), content, mode === undefined ? {} : { mode })
  }
  git('init', '--quiet', '--initial-branch=main')
  return {
    ...{ dir, git, write, path },
    read: (name: string) => readFileSync(path(name), 'utf8'),
    /** Commits these contents (`null` removes the file). The commit's hash. */
    commit(files: Record<string, string | Buffer | null>, subject = 'Change'): string {
      for (const [name, content] of Object.entries(files)) {
        if (content === null) rmSync(path(name))
        else write(name, content)
        git('--literal-pathspecs', 'add', '--all', '--', name)
      }
      git('commit', '--quiet', '--allow-empty', '-m', subject)
      return git('rev-parse', 'HEAD')
    },
    /** HEAD, the index, and every byte and mode of the working tree. */
    state: () => ({ head: git('rev-parse', 'HEAD'), index: git('ls-files', '--stage'), files: treeOf(dir) }),
  }
}

function treeOf(dir: string): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/^(\.git|node_modules)(\/|$)/.test(name)) continue
    const facts = statSync(join(dir, name), { throwIfNoEntry: false })
    if (!facts) tree[name] = 'broken link'
    else
      tree[name] = `${facts.mode.toString(8)} ${facts.isFile() ? readFileSync(join(dir, name)).toString('base64') : ''}`
  }
  return tree
}
