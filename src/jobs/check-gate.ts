import { gateAt } from '../approval/gate.ts'
import { KEYS, type Key, RULES, type Settings } from '../config.ts'
import type { Finding, SettingRow } from '../report/daily-check-data.ts'
import type { Period } from '../report/period.ts'
import type { RollbackResult } from '../report/rollback-result.ts'
import { finding, iso } from './check.ts'
import type { Health } from './check-server.ts'
import { reportCommand, reportDate } from './daily-report-periods.ts'
import { totalOf } from './gate-periods.ts'

/** What the settings file says beside what the running server does. */
export interface GateSeen {
  readonly settings: Settings
  /** null when the server does not say. */
  readonly health: Health | null
  /** When the gate was off in the last 24 hours; null when the record cannot be read. */
  readonly off: readonly Period[] | null
  /** How many calls ran in the last 24 hours without approval; null when the record cannot be read. */
  readonly ran: number | null
  /** When the record begins, ms: what was before nobody knows. null when the record cannot be read. */
  readonly began: number | null
  /** The rollback that may have turned it off; null when there is none, or nobody knows. */
  readonly disabled: RollbackResult | null
  readonly now: number
  readonly zone: string
}

const DAY = 86_400_000
const UNDO = "npm run rollback-disable -- undo --reason '...'"

export function gateFinding({ settings, health, off, ran, began, disabled, now, zone }: GateSeen): Finding {
  const gate = gateAt(settings, now)
  const configured = gate.on
  if (health === null) return finding('gate.unmeasured', 'unknown', { configured }, { next: 'npm start' })
  const { effective, disabled_until } = health.gate
  const off_ms = off === null ? null : totalOf(off)
  const periods = off === null ? null : off.length
  const facts = { configured, effective, off_ms, periods, ran, until_at: disabled_until }
  const since = off?.findLast(({ until }) => until >= now)?.from ?? null
  // To read the settings again would turn it off.
  if (effective && !configured) return finding('gate.differs', 'warning', facts, { next: 'npm run config -- compare' })
  if (!effective && configured) return finding('gate.differs', 'critical', facts, { since, next: reload(health) })
  if (!effective) {
    const more = { since, next: hasTurnedOff(disabled, disabled_until) ? UNDO : `vi .env && ${reload(health)}` }
    return disabled_until === null
      ? finding('gate.off', 'critical', facts, more)
      : finding('gate.leased', 'warning', facts, more)
  }
  if (off_ms === null) return finding('gate.unrecorded', 'unknown', facts)
  if (off_ms > 0) {
    const { from } = off![0]!
    return finding('gate.was_off', 'warning', facts, { since: from, next: reportCommand(reportDate(from, now, zone)) })
  }
  return began !== null && began > now - DAY
    ? finding('gate.on_since', 'ok', { ...facts, begins_at: iso(began) })
    : finding('gate.on', 'ok', facts)
}

/** Whoever has set another end since turned it off anew: there an undo finds another `.env` than it left, and refuses. */
function hasTurnedOff(disabled: RollbackResult | null, until: string | null): boolean {
  if (disabled === null) return false
  return until === null ? disabled.until === undefined : Date.parse(disabled.until ?? '') === Date.parse(until)
}

const reload = ({ pid }: Health): string => `kill -HUP ${pid}`
/** The port is free only when the old one is gone. */
const restart = ({ pid }: Health): string => `kill ${pid} && npm start`

/** Settings that only scripts read: the server's copy of them means nothing. */
const OURS: readonly Key[] = ['APPROVAL_URL', 'CONTACTS_PATH', 'CALENDAR_PATH', 'OPS_LANG']
/** The value that protects. */
const SAFE: Partial<Record<Key, boolean>> = {
  RBAC_ENABLED: true,
  SANDBOX_ENABLED: true,
  RATE_LIMIT_ENABLED: true,
  APPROVAL_TRUST_USER_HEADER: false,
}
/** Shown also when nothing is wrong with them. */
const ALWAYS: readonly Key[] = ['APPROVAL_WORKFLOW_ENABLED', 'APPROVAL_DISABLED_UNTIL', ...(Object.keys(SAFE) as Key[])]

/** Both columns, for the settings that matter and for every one that differs. */
export function settingRows({ settings, health }: Pick<GateSeen, 'settings' | 'health'>): SettingRow[] {
  return KEYS.filter((key) => !OURS.includes(key)).flatMap((key) => {
    const configured = written(settings[key])
    const effective = health === null ? null : effectiveText(health, key)
    const differs = effective !== null && effective !== configured
    if (!differs && !ALWAYS.includes(key)) return []
    const state = effective === null ? 'unknown' : differs || isWeak(key, effective) ? 'warning' : 'ok'
    return [{ key, configured, effective, state }]
  })
}

const isWeak = (key: Key, text: string): boolean => SAFE[key] !== undefined && text !== String(SAFE[key])

const weakens = ({ key, configured }: SettingRow): boolean =>
  isWeak(key as Key, configured) ||
  (key === 'APPROVAL_WORKFLOW_ENABLED' && configured === 'false') ||
  (key === 'APPROVAL_DISABLED_UNTIL' && configured !== '–')

function effectiveText({ config, rbac, trust_user_header }: Health, key: Key): string | null {
  // What the server does counts, not what it was told.
  if (key === 'RBAC_ENABLED') return String(rbac)
  if (key === 'APPROVAL_TRUST_USER_HEADER') return String(trust_user_header)
  const text = config.effective[key]
  if (text === undefined) return null
  try {
    return written(RULES[key].read(text))
  } catch {
    return text
  }
}

function written(value: Settings[Key]): string {
  if (value === null) return '–'
  return typeof value === 'number' && value > 1e11 ? iso(value)! : String(value)
}

export function settingsFinding(rows: readonly SettingRow[], health: Health | null): Finding {
  if (health === null) return finding('settings.unmeasured', 'unknown', {}, { next: 'npm start' })
  const weak = rows
    .filter(({ key, effective, configured }) => isWeak(key as Key, effective ?? configured))
    .map(({ key, effective, configured }) => `${key}=${effective ?? configured}`)
  const apart = rows.filter(({ configured, effective }) => effective !== null && effective !== configured)
  const differing = apart.map(({ key }) => key)
  const concerned = differing.length === 0 ? rows.filter(({ state }) => state !== 'ok') : apart
  const onlyAtStart = concerned.some(({ key }) => RULES[key as Key].fixed)
  const again = (onlyAtStart ? restart : reload)(health)
  // What is in force must not become weaker by a command that was typed without a look.
  const effect = apart.some(weakens) ? 'npm run config -- compare' : again
  const next = differing.length === 0 ? `vi .env && ${again}` : effect
  if (weak.length > 0 && differing.length > 0) {
    return finding('settings.weak_and_differ', 'warning', { weak, differing }, { next })
  }
  if (weak.length > 0) return finding('settings.weak', 'warning', { weak }, { next })
  if (differing.length > 0) return finding('settings.differ', 'warning', { differing }, { next })
  return finding('settings.effective', 'ok', {})
}

export function policyFinding(health: Health | null): Finding {
  if (health === null) return finding('policy.unmeasured', 'unknown', {}, { next: 'npm start' })
  const { policy, config } = health
  const facts = { path: policy.path, loaded_at: policy.loaded_at }
  const since = Date.parse(policy.loaded_at)
  if (policy.error !== null) {
    const next = `vi ${policy.path} && ${reload(health)}`
    return finding('policy.policy_error', 'warning', { ...facts, error: policy.error }, { since, next })
  }
  if (config.error !== null) {
    const more = { since: Date.parse(config.loaded_at), next: `vi .env && ${reload(health)}` }
    return finding('policy.config_error', 'warning', { ...facts, error: config.error }, more)
  }
  return finding('policy.loaded', 'ok', facts)
}
