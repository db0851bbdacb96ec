import type { SameKeys } from '../words.ts'
import type { ko } from './command.ko.ts'

export const en: SameKeys<typeof ko> = {
  usage: 'Usage: {command} [options]',
  options: 'Options:',
  help_help: 'show this help',
  help_format: 'output format: {formats} (default: table)',
  help_lang: 'language: {languages} (default: OPS_LANG)',
  help_tz: 'time zone, e.g. Asia/Seoul (default: OPS_TIMEZONE)',
  help_timeout: 'deadline in seconds (default: {seconds})',
  exit_codes:
    'Exit codes: 0 OK, 1 warning, 2 critical, 3 could not measure, 64 usage, 78 bad configuration, 124 deadline',
  bad_option: 'Bad option: {problem}. {command} -- --help',
  bad_value: 'Bad value for --{option}: {value} (allowed: {allowed}). {command} -- --help',
  bad_config: 'The configuration is wrong ({n} {n|problem|problems} above). Correct {file}, then {command}',
  deadline: 'The deadline of {seconds} s has passed. {command} -- --timeout {more}',
  fault: 'A fault in the program: {message}. {command} -- --format json',
  unmeasured_title: '{name}: no result',
  next: 'Next command',
  missing: '{file} does not exist',
  empty: '{file} has no tables',
  not_a_database: '{file} is not an SQLite database',
  corrupt: '{file} is damaged',
  archived: 'the record from before {detail} was moved to archive files; this period is in {file}',
  before_record: 'the record in {file} begins {detail}: nothing is known of the time before',
  locked: 'another program has locked {file}',
  schema: '{file} was laid out by another version ({detail})',
  permission: 'this user may not read {file}',
  io: 'the disk fails while {file} is read ({detail})',
}
