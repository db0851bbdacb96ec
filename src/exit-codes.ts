/**
 * Exit codes of every main. Checks and reports use the first four as OK, warning, critical, could not measure;
 * the caller's command line as ran, rejected, expired or cancelled, still pending.
 */
export const EXIT = {
  OK: 0,
  WARNING: 1,
  CRITICAL: 2,
  UNKNOWN: 3,
  REJECTED: 1,
  CLOSED: 2,
  PENDING: 3,
  TOOL_FAILED: 4,
  USAGE: 64,
  UNREACHABLE: 69,
  LOCK_HELD: 75,
  /** Refused for the moment: what refuses passes by itself. */
  NOT_NOW: 75,
  NOT_PERMITTED: 77,
  BAD_CONFIG: 78,
  DEADLINE: 124,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
