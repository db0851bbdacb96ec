/** Why a setting is not everywhere what the file says; each with the facts that its sentence needs. */
export type Cause =
  /** The server's own environment, or the compose file, says something else and wins. */
  | { readonly code: 'environment' | 'pinned'; readonly value: string }
  /** No setting, or one that compose does not hand on. */
  | { readonly code: 'unknown_key' | 'not_passed' }
  /** No setting and nothing like one: somebody else's, in a file that compose reads, too. */
  | { readonly code: 'foreign_key' }
  /** In the container the port is always the same; `.env` names the one outside. */
  | { readonly code: 'published_port'; readonly value: string }
  /** Only a start reads it. */
  | { readonly code: 'start_only' }
  /** Edited since the server read the file, or since the container was made. */
  | { readonly code: 'not_reloaded' | 'container_older' }
  /** The server has the variable and does something else. */
  | { readonly code: 'server_differs' }
  /** Some line of the file is wrong, so a server takes over none of it. */
  | { readonly code: 'file_broken' }
  /** A later line sets it again; the earlier ones have no effect. */
  | { readonly code: 'duplicate'; readonly line: number; readonly earlier: string }
  /** The line cannot be read in one way only (quotes, `${...}`, no `=`). */
  | { readonly code: 'line_problem'; readonly line: number; readonly problem: string }
  /** No value that the setting may have. */
  | { readonly code: 'bad_value'; readonly allowed: string }
  | { readonly code: 'no_answer' }

export type RowState =
  | 'equal'
  /** A reload or recreate makes it so. */
  | 'pending'
  /** Only a start of the server makes it so. */
  | 'restart'
  /** Nothing makes it so until somebody edits. */
  | 'never'
  | 'unknown'

/** One setting in four columns. `null`: not set there, or not known. Secrets are masked already. */
export interface CompareRow {
  readonly key: string
  readonly line: number | null
  readonly file: string | null
  /** What counts where nothing is set; `null` for keys that are no settings. */
  readonly fallback: string | null
  /** Compose's result; without compose what a server would read now. */
  readonly next: string | null
  readonly effective: string | null
  readonly state: RowState
  readonly causes: readonly Cause[]
}

export interface CompareData {
  readonly runtime: 'compose' | 'process' | 'none'
  readonly target: string
  readonly env_file: string
  /** Lines of the file that belong to no setting of the table and cannot be read. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[]
  /** What the server says is wrong with the file, where it kept old values for that. */
  readonly read_error: string | null
  readonly differences: number
  readonly unknown: number
  /** What to type to make them equal, where that is one command. */
  readonly next_command: string | null
  readonly rows: readonly CompareRow[]
}
