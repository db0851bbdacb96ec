/**
 * All that jobs, rollbacks and the schedule need of the machine, as they need it. The one implementation for
 * production is `realSystem` in real.ts; tests hand in their own.
 */
export interface System {
  /**
   * Runs one program with arguments (no shell syntax) in its own process group, with a deadline, an empty stdin and
   * only the environment that `env` adds to a minimal one. Never rejects for what the program does: read the result.
   */
  run(argv: readonly string[], options: RunOptions): Promise<RunResult>
  /** One request. Redirects are answers, not followed. Never rejects for what the network does. */
  http(request: HttpRequest): Promise<HttpResult>
  /** `null` when nothing is there; rejects when it cannot be known (no permission, I/O error). */
  stat(path: string): Promise<FileFacts | null>
  /** Of the file system that holds `path`, which must exist. */
  statfs(path: string): Promise<DiskFacts>
  /** A whole small file. Rejects when it is absent or larger than `maxBytes` (default 16 MiB). */
  readText(path: string, maxBytes?: number): Promise<string>
  /** Like readText, as bytes. */
  readBytes(path: string, maxBytes?: number): Promise<Buffer>
  /** The lines of a growing file from a byte offset on, in bounded memory. Rejects when it is absent. */
  readFrom(path: string, offset: number): Promise<LineSource>
  /** The names in a folder, sorted; none when it does not exist. */
  list(folder: string): Promise<readonly string[]>
  /** Where a path leads when every link is followed. Rejects when nothing is there. */
  realPath(path: string): Promise<string>
  /**
   * Replaces a file's contents at once or not at all, also through a crash: a temporary file beside it, fsync, rename.
   * Links are followed; mode and owner are kept. `mode` is for a file that does not exist yet (default 0600) or, when
   * given with `force`, for one that does. Rejects with the original whole.
   */
  replaceFile(path: string, content: Uint8Array | string, options?: ReplaceOptions): Promise<void>
  /** Removes what a replaceFile of this path left when it was cut off. */
  discardUnfinished(path: string): Promise<void>
  /** Rejects, with the system's own reason, when replaceFile could not write here. Writes nothing. */
  assertReplaceable(path: string): Promise<void>
  /** Appends one line and waits until the disk has it. A new file gets mode 0600. */
  appendLine(path: string, line: string): Promise<void>
  /** Makes a folder, with those above it; each new one has mode 0700. */
  makeFolder(path: string): Promise<void>
  /** Removes a file or a whole folder; nothing when it does not exist. */
  remove(path: string): Promise<void>
  /** Signals this very process; false when it is gone (a reused pid gets nothing). */
  signal(process: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean>
  /**
   * Starts a program that goes on without us, in a session of its own, with exactly this environment; its output goes
   * to a file. Its process id.
   */
  startDetached(argv: readonly string[], options: DetachedOptions): Promise<number>
  /** A fresh UUIDv4. */
  newId(): string
  /** This process, in a form that another process can check later. */
  self(): Promise<ProcessIdentity>
  /** The process that has this id now, `null` when there is none. */
  processAt(pid: number): Promise<ProcessIdentity | null>
  /** False only when it is certain that this very process is gone; a reused pid does not deceive it. */
  isAlive(process: ProcessIdentity): Promise<boolean>
  /** Like isAlive, for any member of the process group that this process led. */
  isGroupAlive(leader: ProcessIdentity): Promise<boolean>
  /** Ends a group that outlived who started it: SIGTERM, and SIGKILL for what is left after `killAfterMs`. */
  endGroup(leader: ProcessIdentity, killAfterMs: number): Promise<void>
}

export interface RunOptions {
  /** After this the group gets SIGTERM, and SIGKILL `killAfterMs` later. */
  readonly timeoutMs: number
  readonly killAfterMs?: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Of each stream the last so many bytes are kept (default 1 MiB). */
  readonly maxOutputBytes?: number
  /** Also writes stdout and stderr, as they come, to this new file, and no more of them than `maxFileBytes`. */
  readonly outputFile?: string
  readonly maxFileBytes?: number
  /** Called with what it writes, as it comes; the program waits meanwhile. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void
  /**
   * Called when the program has a process id (its group's, too) but is still held back: it begins when the promise
   * is fulfilled. When we die before that, or the promise is rejected, it never begins.
   */
  readonly beforeStart?: (pid: number) => Promise<void>
  /** Ends the program as its deadline would. */
  readonly signal?: AbortSignal
}

export interface ReplaceOptions {
  readonly mode?: number
  readonly force?: boolean
}

export interface DetachedOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Appended to. */
  readonly outputFile: string
}

export interface RunResult {
  /** Exit code 0, by itself. */
  readonly ok: boolean
  /** `null` when a signal ended it or it could not be started (then stderr says why). */
  readonly code: number | null
  readonly signal: string | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  /** Both, as they came. */
  readonly output: string
  readonly ms: number
}

export interface HttpRequest {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For all of it, the body of the answer included. */
  readonly timeoutMs: number
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

export type HttpFailure = 'refused' | 'timeout' | 'dns' | 'reset' | 'unreachable' | 'too_large' | 'aborted' | 'other'

export type HttpResult =
  | {
      readonly answered: true
      readonly status: number
      /** Names in lower case. */
      readonly headers: Readonly<Record<string, string>>
      readonly text: string
      readonly ms: number
    }
  | {
      readonly answered: false
      readonly failure: HttpFailure
      readonly message: string
      /** When an answer began and did not end. */
      readonly status?: number
      readonly ms: number
    }

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'other'
  readonly size: number
  readonly mtimeMs: number
  readonly inode: number
  /** Permission bits, e.g. 0o600. */
  readonly mode: number
  readonly uid: number
}

export interface DiskFacts {
  /** Bytes that an ordinary user can still write. */
  readonly free: number
  readonly total: number
  /** `ext4`, `9p`, `nfs`, `cifs`, ...; `0x...` when the number has no name here. */
  readonly type: string
  /** SQLite's WAL mode cannot work there: the file system has no shared memory between its users. */
  readonly remote: boolean
}

export interface LineSource {
  /** Changes when the log is rotated: then begin the new file at 0. */
  readonly inode: number
  /** Where reading began: the offset asked for, or 0 when the file is shorter than that (it was truncated). */
  readonly from: number
  readonly lines: AsyncIterable<Line>
}

export interface Line {
  /** Without its line end. Bytes that are no UTF-8 become U+FFFD. */
  readonly text: string
  /** The offset to read from the next time, once this line is dealt with. */
  readonly next: number
  /** False for a last line whose end is not written yet: `next` is its own beginning. */
  readonly complete: boolean
  /** True when the line was longer than what is held in memory: `text` is its beginning. */
  readonly cut: boolean
}

export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** Start time in clock ticks since boot; '' where the system does not tell. */
  readonly start: string
  /** Differs after every boot; '' where the system does not tell. */
  readonly boot: string
}
