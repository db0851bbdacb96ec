import type { Dice } from './dice.ts'

/** Who works at the desk of test/support/realistic-month.ts, with what, and when. */

export interface Approver {
  readonly id: string
  /** Their share of the decisions. */
  readonly weight: number
  /** To decide, s. */
  readonly median: number
  readonly spread: number
}

/** Approves within seconds, whatever it is. */
export const RUBBER_STAMP = 'lee.junho'
/** Has the pager at night. */
export const ON_CALL = 'han.yuna'

export const APPROVERS: readonly Approver[] = [
  { id: 'kim.minji', weight: 30, median: 38, spread: 0.7 },
  { id: RUBBER_STAMP, weight: 24, median: 1.7, spread: 0.35 },
  { id: 'park.seoyeon', weight: 18, median: 62, spread: 0.6 },
  { id: 'choi.woojin', weight: 13, median: 24, spread: 0.8 },
  { id: 'jung.haneul', weight: 8, median: 95, spread: 0.5 },
  { id: ON_CALL, weight: 7, median: 110, spread: 0.5 },
]

export const REQUESTERS = [
  ...['agent-report', 'agent-review', 'agent-deploy', 'agent-data', 'agent-web', 'agent-docs', 'ci-nightly'],
  'oh.taeyang',
]

export interface Tool {
  readonly tool: string
  readonly server: string
  readonly weight: number
  /** Of 100 decisions. */
  readonly rejected: number
  readonly arguments: (n: number) => Record<string, unknown>
}

/** Those of policy.json that wait for a human, and upstream tools that it does not name. */
export const TOOLS: readonly Tool[] = [
  { tool: 'execute_python', server: '', weight: 26, rejected: 3, arguments: (n) => ({ code: `summarise(day=${n})` }) },
  { tool: 'execute_bash', server: '', weight: 13, rejected: 6, arguments: (n) => ({ command: `make check JOB=${n}` }) },
  {
    tool: 'run_command',
    server: '',
    weight: 9,
    rejected: 38,
    arguments: (n) => ({ command: `rm -rf /tmp/build-${n}` }),
  },
  {
    tool: 'write_file',
    server: 'files',
    weight: 17,
    rejected: 2,
    arguments: (n) => ({ path: `notes/${n}.md`, text: '…' }),
  },
  { tool: 'git_commit', server: '', weight: 12, rejected: 1, arguments: (n) => ({ message: `Fix #${n}` }) },
  {
    tool: 'web_automate',
    server: 'browser',
    weight: 7,
    rejected: 11,
    arguments: (n) => ({ url: `https://example.com/${n}` }),
  },
  { tool: 'switch_model', server: '', weight: 3, rejected: 0, arguments: (n) => ({ model: 'large', ticket: n }) },
  {
    tool: 'deploy_service',
    server: 'infra',
    weight: 4,
    rejected: 9,
    arguments: (n) => ({ service: 'search', build: n }),
  },
  { tool: 'run_migration', server: 'infra', weight: 2, rejected: 14, arguments: (n) => ({ name: `2026-${n}` }) },
  {
    tool: 'send_mail',
    server: 'mail',
    weight: 4,
    rejected: 7,
    arguments: (n) => ({ to: 'team@example.com', subject: `주간 ${n}` }),
  },
  { tool: 'delete_branch', server: 'git', weight: 2, rejected: 4, arguments: (n) => ({ branch: `old/${n}` }) },
  { tool: 'update_ticket', server: 'tickets', weight: 3, rejected: 1, arguments: (n) => ({ id: n, state: 'done' }) },
]

export function weighted<T extends { readonly weight: number }>(choices: readonly T[], dice: Dice): T {
  let left = dice.roll() * choices.reduce((sum, { weight }) => sum + weight, 0)
  for (const choice of choices) {
    left -= choice.weight
    if (left < 0) return choice
  }
  return choices[0]!
}

/** Requests of each hour of an ordinary working day, on the team's wall. */
const WORKDAY = [
  ...[0.4, 0.3, 1.2, 0.3, 0.2, 0.2, 0.4, 1, 4],
  ...[9, 13, 14, 6, 9, 14, 13, 12, 9],
  ...[4, 2, 1.5, 1.2, 0.8, 0.5],
]

/** How many requests come in an hour; `day` 0 is Sunday. */
export function requestsIn(day: number, hour: number, dice: Dice): number {
  const isWeekend = day === 0 || day === 6
  const busy = isWeekend ? 0.07 : [0, 1.15, 1, 0.95, 1.05, 0.85][day]!
  const expected = (WORKDAY[hour]! * busy + (isWeekend && hour === 11 ? 1 : 0)) * dice.logNormal(1, 0.25)
  return Math.floor(expected + dice.roll())
}

/** Of 100 requests asked in this hour, so many nobody answers: lunch and the night. */
export function unansweredPercent(day: number, hour: number): number {
  if (day === 0 || day === 6) return 45
  if (hour === 12) return 34
  if (hour >= 21 || hour < 8) return 58
  return hour >= 18 ? 18 : 4
}
