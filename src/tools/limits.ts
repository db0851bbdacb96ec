/** What one run of a program may take. The kernel holds it to all but the last three. */
export interface Limits {
  /** Address space of each process, bytes. */
  readonly memory: number
  /** Processes and threads at the same time. */
  readonly processes: number
  /** The largest file it may write, bytes. */
  readonly file: number
  /** What fits into its /tmp, and as much again into /dev/shm, bytes. */
  readonly temporary: number
  /** Kept of stdout and of stderr: the last bytes of each. */
  readonly output: number
  /** Free space that must stay on the workspace's disk, bytes: the desk's databases may be on it. */
  readonly free: number
}

const MIB = 1024 * 1024

export const LIMITS: Limits = {
  memory: 1024 * MIB,
  processes: 64,
  file: 64 * MIB,
  temporary: 64 * MIB,
  output: 64 * 1024,
  free: 256 * MIB,
}

/** Where a program in the sandbox sees the workspace. */
export const INSIDE = '/workspace'

/** s */
export const DEFAULT_TIMEOUT = 30
export const LONGEST_TIMEOUT = 300

/** Why a tool does not even begin: a sentence with the way out. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}
