import { en } from '../report/catalogue/rollback-disable.en.ts'
import { ko } from '../report/catalogue/rollback-disable.ko.ts'
import type { Change } from './plan.ts'
import { bilingual, instantText } from './words.ts'

export const disableText = bilingual(ko, en)

export const SWITCH = 'APPROVAL_WORKFLOW_ENABLED'
export const LEASE = 'APPROVAL_DISABLED_UNTIL'

type Settings = Readonly<Record<string, string>>

export interface Gate {
  readonly effective: boolean
  readonly until: string | null
}

/** How a gate is shown. */
export interface GateView {
  readonly zone: string
  /** Otherwise the change is one of the next start. */
  readonly running: boolean
}

/** What the settings say of the gate, as the server will judge it. */
export function gateOf(settings: Settings, now: number): Gate {
  if (/^false$/i.test(settings[SWITCH] ?? '')) return { effective: false, until: null }
  const until = Date.parse(settings[LEASE] ?? '')
  return until > now ? { effective: false, until: new Date(until).toISOString() } : { effective: true, until: null }
}

export function gateChange(was: Gate, will: Gate, { zone, running }: GateView): Change {
  const text = ({ effective, until }: Gate) => {
    if (effective) return disableText('gate_on')
    if (until === null) return disableText('gate_off')
    return disableText('gate_off_until', { until: instantText(until, zone) })
  }
  const shown = {
    what: disableText(running ? 'gate_effective' : 'gate_next_start'),
    from: text(was),
    to: text(will),
  }
  return { what: shown.what.en, from: shown.from.en, to: shown.to.en, shown }
}

/** What an undo changes: the gate's two settings. What else came into force with them stands in the file and stays. */
export function gateChangesBack(file: string, from: Settings, to: Settings, now: number, view: GateView): Change[] {
  const keys = [SWITCH, LEASE].filter((key) => from[key] !== to[key])
  return [
    gateChange(gateOf(from, now), gateOf(to, now), view),
    ...keys.map((key) => ({ what: `${file} ${key}`, from: from[key] ?? '', to: to[key] ?? '' })),
  ]
}
