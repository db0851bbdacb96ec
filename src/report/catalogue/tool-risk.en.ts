import type { SameKeys } from '../words.ts'
import type { ko } from './tool-risk.ko.ts'

export const en: SameKeys<typeof ko> = {
  title: 'Tools by risk, last {days} {days|day|days} ({zone})',
  verdict_ok:
    'no tool is on record as having run without a request. {ranked} ranked, {few} with fewer than 10 decisions',
  verdict_critical: '{n} {n|tool|tools} ran without a request while the gate was on: {tools}',
  written: '{period}, written {now} ({zone})',
  none: 'In this time there were no requests, and no calls that ran without one.',
  critical: 'Tools that ran without a request while the gate was on',
  ranked: 'Tools by risk: rejected/decided',
  ranked_none: 'No tool has 10 decisions or more: none is ranked.',
  few: 'Fewer than 10 decisions: no rank, no rate',
  tool: 'Tool',
  level: 'Level',
  rejected: 'Rejected/decided',
  interval: '95% interval',
  score: 'Risk',
  requests: 'Requests',
  without_request: 'No request',
  while_on: 'Gate on',
  while_off: 'Gate off',
  level_unknown: 'not recorded',
  more: '{n} more: {command}',
  how: 'Risk = lower bound of the Wilson 95% interval × level (LOW 1, MEDIUM 2, HIGH 3, CRITICAL 4). Where no level is recorded, HIGH counts.',
  unrecorded:
    'Calls that did not come to the desk, and calls that needed no approval (LOW, MEDIUM), are not recorded: nothing is known of them here.',
}
