/** What a level word of any logger means: is the line an error, whatever its text says? */
const LEVEL_WORDS: Readonly<Record<string, boolean>> = {
  trace: false,
  debug: false,
  info: false,
  information: false,
  notice: false,
  log: false,
  warn: false,
  warning: false,
  error: true,
  eror: true,
  err: true,
  crit: true,
  critical: true,
  alert: true,
  emerg: true,
  emergency: true,
  fatal: true,
  severe: true,
  panic: true,
  정보: false,
  경고: false,
  오류: true,
  에러: true,
  심각: true,
  치명: true,
}

/** True: an error. False: none, whatever its text says. Undefined: the logger's word is not known. */
export function levelIsError(level: unknown): boolean | undefined {
  if (typeof level === 'number') return level > 7 ? level >= 50 : level <= 3
  return typeof level === 'string' ? LEVEL_WORDS[level.toLowerCase()] : undefined
}

const METHOD = '(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)'
/** Access lines are judged by their status code alone: the path may well be /errors. */
const ACCESS = [
  new RegExp(`"${METHOD} \\S+ HTTP/[\\d.]+" (\\d{3})\\b`),
  /"HTTP\/[\d.]+ (\d{3})\b/,
  new RegExp(`^${METHOD} \\S+ (\\d{3})\\b`),
]

export function accessStatus(text: string): number | undefined {
  for (const pattern of ACCESS) {
    const status = pattern.exec(text)?.[1]
    if (status) return Number(status)
  }
  return undefined
}

const UPPER = 'TRACE|DEBUG|INFO|NOTICE|LOG|WARN|WARNING|ERROR|CRITICAL|CRIT|FATAL|SEVERE|ALERT|EMERG|PANIC'
const LEVELS = [
  /(?:^|\s)(?:level|lvl|severity|loglevel)="?([a-z]+)"?(?=\s|$)/i,
  new RegExp(`^.{0,80}?(?:^|[\\s|[(])(${UPPER})(?:[\\]:)]|\\s*\\||\\s+-|\\s|$)`),
  /^[^\]]{0,40}?\[(debug|info|notice|warn|error|crit|alert|emerg|fatal)\]/,
  /^\[(정보|경고|오류|에러|심각|치명)\]/,
]
const KLOG: Readonly<Record<string, string>> = { I: 'info', W: 'warn', E: 'error', F: 'fatal' }
/** The kernel writes no level into its lines, and begins some of its alarms with INFO. */
const KERNEL = /\bkernel: |^\[\s*\d+\.\d{6}\]/

/** The level that a line of plain text declares, in any of the usual shapes. */
export function levelOf(text: string): boolean | undefined {
  if (KERNEL.test(text)) return undefined
  const klog = /^([IWEF])\d{4} \d\d:\d\d:\d\d/.exec(text)?.[1]
  if (klog) return levelIsError(KLOG[klog])
  const syslog = /^<(\d{1,3})>/.exec(text)?.[1]
  if (syslog) return Number(syslog) % 8 <= 3
  for (const pattern of LEVELS) {
    const word = pattern.exec(text)?.[1]
    if (word) return levelIsError(word)
  }
  return undefined
}

/** Lines without a level: what an error looks like. Anchored where prose would otherwise match. */
const ERRORS: readonly RegExp[] = [
  // Exceptions as languages print them.
  /^Traceback \(most recent call last\):/,
  /^Exception (?:ignored in:|in thread )/,
  /^(?:Uncaught )?(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception)(?: \[\w+\])?(?::\s|:?$)/,
  /^(?:[\w./-]+: )?(?:\w+ )?(?:[Ee]rror|[Ff]atal)(?: TS\d+)?: (?!(?:0|none|null)\b)\S/,
  /^\W*(?:Parse|Runtime|Syntax|Fatal|Internal) error\b/i,
  /^\W*fatal: /i,
  /\bfatal error\b/i,
  /\bunhandled ?(?:promise ?)?rejection|\buncaught ?exception/i,
  /^panic: |\bpanicked at /,
  /^npm (?:ERR!|error) /,
  // Memory, kernel, signals.
  /\bout of memory\b|\boom-killer\b/i,
  /\bsegfault at |\bSegmentation fault\b|\bgeneral protection fault\b|\bBus error\b|\(core dumped\)/,
  /^Killed$|\d+ Killed {2,}/,
  /\bKernel panic\b|\bBUG: |\bsoft lockup\b|\bblocked for more than \d+ seconds/,
  /\bI\/O error\b|\b(?:EXT4-fs|XFS|BTRFS) error\b/i,
  // SQLite and the file system.
  /\bdatabase is locked\b|\bis malformed\b|\bis not a database\b|\bdatabase or disk is full\b/i,
  /\battempt to write a readonly database\b|\bunable to open database\b|\bno such (?:table|column): /i,
  /\bSQLITE_(?!OK\b|ROW\b|DONE\b)[A-Z_]+/,
  /\bNo space left on device\b|\bToo many open files\b|\bRead-only file system\b|\bCannot allocate memory\b/i,
  /\bE(?:NOSPC|MFILE|NFILE|IO|ROFS|ACCES|PERM|NOENT|PIPE|CONNREFUSED|CONNRESET|ADDRINUSE|TIMEDOUT|HOSTUNREACH)\b/,
  // Services.
  /\bexited with code (?!(?:0|130|143)\b)\d+/,
  /\bcode=(?:killed|dumped|exited), status=(?!0\b)\d/,
  /\bFailed with result\b|\bhealth ?check failed\b/i,
  /^(?:.{0,60}: )?(?:\(\d+\) )?(?:Failed to|Cannot|Could not|Unable to) /,
  /^Error response from daemon|^OCI runtime \w+ failed/,
  /: command not found$/,
  // Korean.
  /^(?:치명적 )?(?:오류|에러|예외)\s*:/,
  /(?:오류|에러|예외)(?:가|이)?\s*발생(?!하지)/,
  /실패(?:했|하였)습니다/,
]

/** Lines that count or deny errors. */
const DENIALS: readonly RegExp[] = [
  /\b(?:no|0|zero|without(?: any)?) (?:errors?|exceptions?|failures?)\b/i,
  /(?:오류|에러|예외|실패)[^,.]{0,12}(?:\b0건|없음|없습니다)/,
]

export const looksLikeError = (text: string): boolean =>
  ERRORS.some((pattern) => pattern.test(text)) && !DENIALS.some((pattern) => pattern.test(text))
