import type { SameKeys } from '../words.ts'
import type { ko } from './preflight.ko.ts'

/** The deployment check in English. */
export const en: SameKeys<typeof ko> = {
  title: 'Preflight, {now} ({zone})',
  ready: 'ready to deploy: all {n} items of the final checklist hold',
  not_ready: 'not ready to deploy: {open} of {of} checklist items and {steps} of 3 steps do not hold',
  steps: 'Deployment',
  items: 'Final checklist',
  line: '{item}: {value}',
  aged: '{text} ({age} ago)',
  days: '{n} {n|day|days}',

  'item.step_environment': 'Step 1 Environment variables',
  'item.step_service': 'Step 2 Service started',
  'item.step_function': 'Step 3 Function verified',
  'item.environment': 'Environment variables are set (APPROVAL_WORKFLOW_ENABLED=true)',
  'item.backup': 'Database backup made',
  'item.rollbacks': 'Rollback scripts ready',
  'item.training': 'Whole operations team trained',
  'item.cli': 'approval_cli.py tested',
  'item.queries': 'Log queries work',
  'item.daily_check': 'Daily check set up',
  'item.daily_report': 'Daily report set up',
  'item.contacts': 'Emergency contacts shared',
  'item.gate': 'Approval workflow is on (final check)',

  'environment.clean': '{keys} settings of the right type and range, no duplicate, no unknown key ({file})',
  'environment.default': 'there is no {file}: all settings are the defaults',
  'environment.remarks': '{remarks}',
  'environment.gate_on': 'APPROVAL_WORKFLOW_ENABLED=true',
  'environment.gate_off': 'the gate is configured off (APPROVAL_WORKFLOW_ENABLED, APPROVAL_DISABLED_UNTIL)',

  'copy.verified': 'the backup of {taken_at} was verified by a restore',
  'copy.old': 'the last verified backup is more than 24 h old: {taken_at}',
  'copy.none': 'there is no verified backup',
  'copy.interrupted': 'a restore was cut off',

  'plan.planned': 'rollback-{scenario} can be planned',
  'plan.refused': 'rollback-{scenario} cannot be planned: {message}',
  'rehearsal.passed': 'rollback-{scenario} rehearsed: {apply_seconds} s to apply, {undo_seconds} s to undo',
  'rehearsal.failed': 'the last rehearsal of rollback-{scenario} failed: {message}',
  'rehearsal.old': 'rollback-{scenario} was rehearsed more than 90 days ago',
  'rehearsal.never': 'rollback-{scenario} has never been rehearsed',

  'attested.valid': 'attested by {by}, valid until {until}',
  'attested.none': 'nobody has attested it',
  'attested.expired': 'what {by} attested was valid until {until}',
  'attested.edited': 'the attestation does not match its signature: {path} line {line}',
  'attested.no_key': 'no key to verify attestations with: {path}',

  'tool.works': 'npx approval list read {open} open {open|request|requests} from the server ({took_millis})',
  'tool.failed': 'npx approval list failed (exit code {exit_code}): {message}',

  'sql.works': "the query of yesterday's figures works ({total} {total|request|requests})",
  'sql.failed': 'the queries of the reports cannot run',
  'sql.shell': 'a one-line query in sqlite3 works ({rows} pending)',
  'sql.no_shell': 'there is no sqlite3 command: the one-line queries of the guide cannot be used',
  'sql.shell_failed': 'a one-line query in sqlite3 failed: {message}',

  'schedule.alive': 'next run {next_at}, scheduler seen',
  'schedule.stopped': 'the scheduler has stopped',
  'schedule.never': 'no scheduler and no cron has ever looked at the schedule',
  'schedule.unknown_job': 'the scheduler does not know this job yet',
  'schedule.unmeasured': '{cause}',

  'people.complete': 'all {situations} situations have contacts',
  'people.no_phone': 'roles without a telephone: {roles}',
  'people.broken': 'the contacts file is wrong: {problem}',

  'spoof.refused': "a call with X-User-ID and no token, and the old system's default key, are refused",
  'spoof.accepted': '{what} is accepted (HTTP {status}): anybody can pass as an approver',
  'spoof.unmeasured': 'whether impostors are refused is not known: {message}',

  summary: "Before a deployment: the guide's three steps and its checklist of ten, each with evidence",
  help_no_drill: 'leave the drill out (what was left out stays unknown)',
  attest_usage: 'Usage: npm run preflight -- attest training|contacts --by NAME [--valid-days 90]',
  attest_bad: '{problem}. npm run preflight -- attest training|contacts --by NAME',
  attest_item: '{given}: an item is training or contacts',
  attest_by: '--by: say who vouches for it, in 1 to 100 characters',
  attest_done: '{item}: the attestation of {by} is recorded, valid until {until} ({path})',
  attest_failed: 'not recorded: {problem}. ls -ld {path}',
}
