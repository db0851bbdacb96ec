import { envSentence } from './env-words.ts'
import type { Text } from './plan.ts'

type Weaker = (from: string, to: string, now: number) => Text | undefined

/**
 * When a change of a setting makes the desk less safe. A longer APPROVAL_TIMEOUT is not among them: a call waits
 * longer and still runs only when somebody approves it. A longer APPROVAL_EXECUTION_TTL is: an approval, once given,
 * opens the door for longer.
 */
export const WEAKER: Readonly<Record<string, Weaker>> = {
  APPROVAL_WORKFLOW_ENABLED: off('weaker_gate'),
  APPROVAL_DISABLED_UNTIL: (from, to, now) => {
    const until = Date.parse(to)
    return until > now && !(Date.parse(from) >= until) ? envSentence('weaker_lease', { until: to }) : undefined
  },
  RBAC_ENABLED: off('weaker_rbac'),
  SANDBOX_ENABLED: off('weaker_sandbox'),
  RATE_LIMIT_ENABLED: off('weaker_rate_limit'),
  APPROVAL_TRUST_USER_HEADER: on('weaker_header'),
  APPROVAL_ALLOW_REMOTE: on('weaker_remote'),
  APPROVAL_EXECUTION_TTL: (from, to) =>
    Number(to) > Number(from) ? envSentence('weaker_ttl', { from, to }) : undefined,
  HOST: (from, to) => (from !== to && !LOOPBACK.test(to) ? envSentence('weaker_host', { host: to }) : undefined),
  // What these point to decides who may do what, and it cannot be compared here.
  POLICY_PATH: (from, to) => (from === to ? undefined : envSentence('weaker_policy', { path: to })),
  MCP_CONFIG_PATH: (from, to) => (from === to ? undefined : envSentence('weaker_mcp', { path: to })),
  WORKSPACE_PATH: (from, to) => (from === to ? undefined : envSentence('weaker_workspace', { path: to })),
  SECURITY_DB_PATH: (from, to) => (from === to ? undefined : envSentence('weaker_database', { path: to })),
}

/** What becomes less safe by the change of one setting; `undefined` when nothing does. */
export const weaker = (key: string, from: string, to: string, now: number): Text | undefined =>
  WEAKER[key]?.(from, to, now)

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/

function off(text: 'weaker_gate' | 'weaker_rbac' | 'weaker_sandbox' | 'weaker_rate_limit'): Weaker {
  return (from, to) => (/^true$/i.test(from) && /^false$/i.test(to) ? envSentence(text) : undefined)
}

function on(text: 'weaker_header' | 'weaker_remote'): Weaker {
  return (from, to) => (!/^true$/i.test(from) && /^true$/i.test(to) ? envSentence(text) : undefined)
}
