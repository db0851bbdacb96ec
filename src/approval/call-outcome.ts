import type { Level, Request } from './request.ts'

/** How a call of a tool through the gate ended. */
export type CallOutcome =
  | {
      readonly outcome: 'ran'
      readonly level: Level
      /** The tool's own result, as it came. */
      readonly result: Readonly<Record<string, unknown>>
      /** The request whose approval was used; null when none was needed, or the gate was off. */
      readonly request: Request | null
    }
  /** Nobody has decided yet. The same call again goes on waiting. */
  | { readonly outcome: 'pending'; readonly request: Request }
  /** Rejected, expired or cancelled. */
  | { readonly outcome: 'refused'; readonly request: Request }
  /** Approved, and used by another call that was the same: each approval is for one run. */
  | { readonly outcome: 'used'; readonly request: Request }
