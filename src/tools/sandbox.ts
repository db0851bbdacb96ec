import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { INSIDE, type Limits } from './limits.ts'
import type { Owner } from './workspace.ts'

const PATH = '/usr/local/bin:/usr/bin:/bin'

/** How to start a program: words, where, and the whole of its environment. */
export interface Start {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Whether file descriptor 3 will tell if the program itself was reached. */
  readonly reports: boolean
}

interface Wanted {
  readonly program: readonly string[]
  readonly workspace: string
  /** Whose rights the program gets when we are root; undefined: ours. */
  readonly owner: Owner | undefined
  readonly limits: Limits
  /** s of processor time */
  readonly cpu: number
}

/**
 * The program in namespaces of its own: no network, no other process in sight, the system read-only, and nothing of
 * this machine's files but /usr and the workspace. There is no list of forbidden words: what it can name is not there.
 */
export function sandboxed({ workspace, ...wanted }: Wanted): Start {
  const { limits, owner } = wanted
  const size = String(limits.temporary)
  // Root keeps no right inside, but those it takes to become somebody else: the kernel counts no processes of root's.
  const rights = owner
    ? ['--cap-drop', 'ALL', ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((cap) => ['--cap-add', cap])]
    : ['--unshare-user', '--disable-userns', '--cap-drop', 'ALL']
  // Not by bwrap: root without its rights may not enter a folder of somebody else's.
  const inside = { ...wanted, program: ['/usr/bin/env', `--chdir=${INSIDE}`, ...wanted.program] }
  return {
    argv: [
      'bwrap',
      ...['--unshare-net', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', ...rights],
      ...['--die-with-parent', '--clearenv'],
      ...Object.entries(environment(INSIDE)).flatMap(([key, value]) => ['--setenv', key, value]),
      ...['--hostname', 'sandbox', '--ro-bind', '/usr', '/usr', ...systemFolders()],
      ...['--perms', '0755', '--dir', '/etc'],
      ...['/etc/alternatives', '/etc/ld.so.cache', '/etc/localtime'].flatMap((path) => ['--ro-bind-try', path, path]),
      ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--size', size, '--tmpfs', '/dev/shm'],
      ...['--perms', '1777', '--size', size, '--tmpfs', '/tmp', '--bind', workspace, INSIDE],
      ...['--remount-ro', '/dev', '--remount-ro', '/', '--json-status-fd', '3', '--'],
      // Not --new-session: what bwrap is still making stays in the group that is ended with us. The program leaves it,
      // so that its `kill 0` is its own affair.
      '/usr/bin/setsid',
      ...limited('/usr/bin/', inside, owner || !countsPerNamespace() ? tasksOf(owner?.uid ?? process.getuid!()) : 0),
    ],
    cwd: '/',
    env: { PATH: process.env.PATH ?? PATH },
    reports: true,
  }
}

/** The program with the same limits and no walls, for who has set SANDBOX_ENABLED=false. */
export function plain({ workspace, ...wanted }: Wanted): Start {
  const uid = wanted.owner?.uid ?? process.getuid!()
  const [first, ...words] = limited('', wanted, tasksOf(uid))
  return { argv: [first!, ...words], cwd: workspace, env: environment(workspace), reports: false }
}

const environment = (home: string) => ({
  PATH,
  HOME: home,
  TMPDIR: '/tmp',
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
})

/** `existing`: processes that the kernel would count as this program's, although they are not. */
function limited(
  folder: string,
  { program, owner, limits, cpu }: Omit<Wanted, 'workspace'>,
  existing: number,
): string[] {
  const become = owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : []
  const nothing = owner ? ['--inh-caps=-all', '--bounding-set=-all'] : []
  return [
    ...[`${folder}setpriv`, ...become, ...nothing, '--no-new-privs', '--pdeathsig', 'KILL', '--'],
    // When memory runs out all the same, many small processes taking it, the kernel ends these and not the desk.
    ...[`${folder}choom`, '-n', '1000', '--'],
    ...[`${folder}prlimit`, `--as=${limits.memory}`, `--nproc=${existing + limits.processes}`],
    ...[`--fsize=${limits.file}`, `--cpu=${cpu}`, '--core=0', '--nofile=256', '--'],
    ...program,
  ]
}

/** /bin, /lib and so on: links into /usr on a merged system, folders on others. */
function systemFolders(): string[] {
  return ['/bin', '/sbin', '/lib', '/lib32', '/lib64'].flatMap((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found) return []
    return found.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
  })
}

/** Since Linux 5.14 a user namespace has a count of its own. */
function countsPerNamespace(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 5 || (major === 5 && minor >= 14)
}

/** Processes and threads of a user, on this machine. */
function tasksOf(uid: number): number {
  const counts = readdirSync('/proc').map((pid) => {
    if (!/^\d+$/.test(pid)) return 0
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      return new RegExp(`^Uid:\\t${uid}\\t`, 'm').test(status) ? Number(/^Threads:\t(\d+)$/m.exec(status)?.[1] ?? 0) : 0
    } catch {
      // It has ended meanwhile.
      return 0
    }
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
