import type { SameKeys } from '../words.ts'
import type { ko } from './rollback-disable.ko.ts'

export const en: SameKeys<typeof ko> = {
  summary: 'Turns the approval gate off for a while. The server turns it on again by itself.',
  help_for: 'for how long: 30m, 2h, 1h30m (default: {duration}, at most 24h)',
  help_further_notice: 'off until somebody turns it on (needs --ticket)',
  help_accept_drift: 'also bring into force what else the server has not read yet',
  usage_for_or_notice: '--for and --until-further-notice exclude each other',
  usage_ticket: '--until-further-notice needs --ticket',
  already_further_notice: 'The gate is off already, until further notice',
  already_until: 'The gate is off already until {until}. To extend it, give the extension its own --reason',
  hazard_lease: 'HIGH and CRITICAL tools run without approval until {until}. Every call that runs is recorded',
  hazard_further_notice:
    'HIGH and CRITICAL tools run without approval until somebody turns the gate on. It does not do so by itself',
  gate_effective: 'gate (effective)',
  gate_next_start: 'gate (at the next start)',
  gate_on: 'on',
  gate_off: 'off until further notice',
  gate_off_until: 'off until {until}',
  nothing_runs: 'No server runs: it takes effect at the next start',
  extends: 'The gate is off already: its end is moved. Reason so far: {reason}',
  drift: 'The server has not read all of {file}, which would take effect, too: {keys}. Add --accept-drift to go on',
  drift_stays: '{keys}: stays in force after an undo, for the file says so',
  cannot_edit: '.env cannot be edited with certainty: {problem}',
  cannot_write: '{file} cannot be written: {problem}',
  shadowed: '{key} is set on several lines. Only the last, which counts, is edited (left as they are: {lines})',
  nothing_waits: 'No request waits for a decision',
  waits: '{n} {n|request waits|requests wait} for a decision and {n|goes|go} on waiting{which}',
}
